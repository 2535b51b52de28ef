"""What the documents name is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("plugins/*/README.md")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_python_file_that_a_document_names_is_there(document):
    places = (ROOT, ROOT / "gansdk", document.parent, *ROOT.glob("plugins/*/src"))
    named = set(re.findall(r"`((?:[\w-]+/)+\w+\.py)`", document.read_text("utf-8")))
    assert [name for name in sorted(named) if not any((place / name).is_file() for place in places)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_link_to_a_file_leads_somewhere(document):
    links = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", document.read_text("utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []
