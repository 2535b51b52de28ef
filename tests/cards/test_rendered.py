"""The cards in this repository are those of the models that ship with it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("render_cards", ROOT / "scripts" / "render_cards.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def catalog(script):
    return script.Catalog.installed_here()


def test_no_card_is_stale(script, catalog):
    shipped = list(script.shipped(catalog))
    assert "srresnet-x4" in {path.parent.name for _, path in shipped}
    stale = [path.parent.name for resolved, path in shipped if script.is_stale(catalog, resolved, path)]
    assert stale == [], "run python scripts/render_cards.py"


def test_there_is_no_card_of_a_model_that_does_not_ship(script, catalog):
    known = {path.parent for _, path in script.shipped(catalog)}
    assert {path for path in (ROOT / "cards").iterdir() if path.is_dir()} == known


def test_a_stale_card_is_seen(script, catalog, tmp_path):
    resolved, path = next(one for one in script.shipped(catalog) if one[1].parent.name == "srresnet-x4")
    copy = tmp_path / "README.md"
    assert script.is_stale(catalog, resolved, copy)
    text = path.read_text("utf-8")
    for image in path.parent.glob("*.webp"):
        (tmp_path / image.name).write_bytes(image.read_bytes())
    copy.write_text(text, "utf-8")
    assert not script.is_stale(catalog, resolved, copy)
    copy.write_text(text + "\nan author's words\n", "utf-8")
    assert not script.is_stale(catalog, resolved, copy)
    copy.write_text(text.replace("bicubic", "cubic", 1), "utf-8")
    assert script.is_stale(catalog, resolved, copy)
    copy.write_text(text, "utf-8")
    (tmp_path / "card-strip.webp").unlink()
    assert script.is_stale(catalog, resolved, copy)


def test_the_hub_would_read_them(script, catalog):
    for _, path in script.shipped(catalog):
        data = ModelCard(path.read_text("utf-8")).data
        tag = "unconditional-image-generation" if path.parent.name.startswith("infogan") else "image-to-image"
        assert (data.library_name, data.pipeline_tag) == ("gansdk", tag)
        assert data.eval_results
