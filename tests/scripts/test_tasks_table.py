"""The table of tasks and models in docs/architecture.md is the one that the tasks' predicates give."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
NO_LATENT, NO_IMAGE = "its generator does not start from a latent", "its generator does not start from an image"
YES = "**yes**"


def rows() -> dict[str, dict[str, str]]:
    """What stands in the document, by model and task."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    table = re.search(r"<!-- tasks -->\n(.*)<!-- /tasks -->", text, re.DOTALL)
    head, _, *lines = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in table[1].split("\n") if line]
    return {name: dict(zip(head[1:], cells, strict=True)) for name, *cells in lines}


def test_the_table_is_up_to_date():
    line = [sys.executable, str(ROOT / "scripts" / "tasks_table.py"), "--check"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_models_of_both_families_do_what_they_can_and_say_why_not():
    found = rows()
    for model in (name for name in found if name.startswith("builtin:sr")):
        assert found[model] | {"superres": YES, "generate": NO_LATENT, "encode": "it has no encoder"} == found[model]
    coded = [name for name in found if "infogan" in name]
    assert coded
    for model in coded:
        assert (
            found[model] | {"superres": NO_IMAGE} | dict.fromkeys(("generate", "traverse", "encode"), YES)
            == (found[model])
        )
