"""What the script that fetches photographs reads out of a package."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: some-images

Files: *
Copyright:
 2010-2012 The Authors
License: GPL-2+ and CC0-1.0

Files: nature/Aqua.jpg
       nature/Garden.jpg
Copyright: 2008, Jane Doe <jane@example.org>
           2009, John Doe
License: CC-BY-SA-4.0
Comment: Copyright holders are found in AUTHORS file.

License: CC-BY-SA-4.0
 Attribution-ShareAlike 4.0 International
 .
 Files: this is the text of a licence
"""


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = Path(__file__).parents[2] / "scripts" / "fetch_photos.py"
    spec = importlib.util.spec_from_file_location("fetch_photos", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_last_stanza_that_matches_a_file_speaks_of_it(script: ModuleType) -> None:
    stanzas = script.read_copyright(COPYRIGHT)
    assert len(stanzas) == 2
    garden = script.describe(stanzas, "nature/Garden.jpg")
    assert (garden.author, garden.licence) == ("Jane Doe; John Doe", "CC-BY-SA-4.0")
    other = script.describe(stanzas, "nature/Wood.jpg")
    assert (other.author, script.spdx(other.licence)) == ("The Authors", "GPL-2.0-or-later AND CC0-1.0")


def test_a_packages_images_are_copied_with_their_terms(script: ModuleType, tmp_path: Path) -> None:
    unpacked, target = tmp_path / "package", tmp_path / "photos"
    (unpacked / "usr/share/doc/some").mkdir(parents=True)
    (unpacked / "usr/share/doc/some/copyright").write_text(COPYRIGHT)
    for name in ("Aqua", "Wood"):
        (unpacked / f"{name}.jpg").write_bytes(b"the same bytes")
    target.mkdir()
    entries = script.take(script.Source("some", "Aqua Wood", "{}.jpg", "nature/{}.jpg"), unpacked, target)
    assert entries["Aqua.jpg"]["licence"] == "CC-BY-SA-4.0"
    assert entries["Wood.jpg"]["source"] == "Debian package some"
    script.drop_duplicates(target, entries)
    assert list(entries) == ["Aqua.jpg"]
    assert [path.name for path in target.iterdir()] == ["Aqua.jpg"]
