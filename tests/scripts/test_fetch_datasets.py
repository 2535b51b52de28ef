"""What the script makes of unpacked packages; it downloads nothing here."""

from __future__ import annotations

import gzip
import importlib.util
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from gansdk import DataSplit, NamedDataset, array_digest
from gansdk.data.opening import find_data

SCRIPT = Path(__file__).parents[2] / "scripts" / "fetch_datasets.py"
IMAGES = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)


@pytest.fixture
def script(monkeypatch):
    spec = importlib.util.spec_from_file_location("fetch_datasets", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fetch_datasets", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def source(script, tmp_path: Path):
    """An unpacked package with a set of two images."""
    (tmp_path / "package" / "files").mkdir(parents=True)
    (tmp_path / "package" / "terms").write_text("Do what you like.\n")
    head = bytes([0, 0, 8, 3]) + struct.pack(">3I", *IMAGES.shape)
    (tmp_path / "package" / "files" / "pixels.gz").write_bytes(gzip.compress(head + IMAGES.tobytes()))
    dataset = NamedDataset(
        name="two",
        summary="two images",
        licence="CC0-1.0",
        author="A. Uthor",
        splits={"all": DataSplit({"images": "pixels"}, 2, array_digest({"images": IMAGES}))},
        route="none",
        reader="gansdk.data.mnist:read_idx_files",
    )
    return script.Source(dataset, lambda _: tmp_path / "package", "files", "terms")


def test_a_set_that_is_whole_is_put_where_it_is_found_by_name(
    script, source, tmp_path: Path, monkeypatch, capsys
) -> None:
    target = tmp_path / "data" / "two"
    target.mkdir(parents=True)
    (target / "pixels").write_bytes(b"an old one, cut short")
    script.take(source, tmp_path / "package", target)
    monkeypatch.setenv("GANSDK_DATA", str(target.parent))
    np.testing.assert_array_equal(find_data("two", {"two": source.dataset}).data.images[..., 0], IMAGES)
    assert (target / "LICENCE.txt").read_text() == "two, by A. Uthor: CC0-1.0\n\nDo what you like.\n"
    assert f"{target}: 2 all; CC0-1.0, by A. Uthor\n" == capsys.readouterr().err


def test_other_content_than_expected_is_not_written(script, source, tmp_path: Path) -> None:
    head = bytes([0, 0, 8, 3]) + struct.pack(">3I", *IMAGES.shape)
    (tmp_path / "package" / "files" / "pixels.gz").write_bytes(gzip.compress(head + (IMAGES + 1).tobytes()))
    with pytest.raises(SystemExit, match=r"holds something else than it should .*; nothing was written"):
        script.take(source, tmp_path / "package", tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_program_that_is_missing_or_fails_is_named(script, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="a-program-that-nobody-has is missing"):
        script.call("a-program-that-nobody-has", cwd=tmp_path)
    with pytest.raises(SystemExit, match=r"ls nowhere failed: .*nowhere"):
        script.call("ls", "nowhere", cwd=tmp_path)


def test_every_set_that_the_core_knows_has_its_source(script) -> None:
    import gansdk.data

    assert {source.dataset.name: source.dataset for source in script.SOURCES.values()} == {
        dataset.name: dataset for dataset in gansdk.data.gansdk_datasets()
    }
    for name, source in script.SOURCES.items():
        assert source.dataset.route == f"python scripts/fetch_datasets.py FOLDER {name}"
