"""Fills a folder with the openly licensed photographs that the superres models are trained on.

They come from five Debian packages, which are downloaded and unpacked without installing them, so no root is needed
but ``apt-get`` and ``dpkg-deb`` are::

    python scripts/fetch_photos.py photos/

Beside the images stands ``LICENCES.json`` with each one's licence and author, as the packages state them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

LICENCES = "LICENCES.json"

# Names of the images in each package. Drawings and renderings that stand among them are left out, as are the
# smaller copies of the same image.
_LOMIRI_16 = """
    Bridge_by_Sander_Klootwijk Dragonfly_by_Bolly Image_0B_by_freespace Image_1A_by_freespace
    Wine_by_Jakkub_Mede aitzgorri_by_Aitzol_Berasategi free_by_Peter_Nerlich friends_by_Aitzol_Berasategi
    greentock_by_Peter_Nerlich life_by_Aitzol_Berasategi picosdeeuropa_by_Aitzol_Berasategi
    seeding_by_Clements_Engelhardt sunset_by_Aitzol_Berasategi
"""
_MATE = """
    Aqua Blinds Dune FreshFlower Garden GreenMeadow LadyBird RainDrops Storm TwoWings Wood YellowFlower
"""
_PLASMA = """
    BytheWater ColdRipple ColorfulCups DarkestHour EveningGlow FallenLeaf Grey Kite OneStandsOut Path
    summer_1am
"""
_FACES = """
    bicycle book calculator cat coffee2 flower2 gamepad guitar2 headphones hummingbird mountain plane surfer
    tomatoes tree
"""

# Names of licences as Debian and KDE write them, and as SPDX does.
_SPDX = {
    "GPL-2+": "GPL-2.0-or-later",
    "GPL-3+": "GPL-3.0-or-later",
    "LGPL-2+": "LGPL-2.0-or-later",
    "LGPL-2.1+": "LGPL-2.1-or-later",
    "LGPLv3": "LGPL-3.0-only",
    "Expat": "MIT",
}


class Source(NamedTuple):
    """Images of one package: where one stands in it, and under which path its copyright file speaks of it."""

    package: str
    names: str
    image: str
    described: str
    metadata: str = ""


SOURCES = (
    Source("lomiri-wallpapers-16.04", _LOMIRI_16, "usr/share/backgrounds/{}.jpg", "16.04/{}.jpg"),
    Source("lomiri-wallpapers-20.04", "Kleiber_by_Lukas_Baubkus", "usr/share/backgrounds/{}.jpg", "20.04/{}.jpg"),
    Source("mate-backgrounds", _MATE, "usr/share/backgrounds/mate/nature/{}.jpg", "nature/{}.jpg"),
    Source(
        "plasma-workspace-wallpapers",
        _PLASMA,
        "usr/share/wallpapers/{}/contents/images/2560x1600.jpg",
        "{}/contents/images/2560x1600.jpg",
        "usr/share/wallpapers/{}/metadata.json",
    ),
    Source("gnome-control-center-data", _FACES, "usr/share/pixmaps/faces/{}.jpg", "panels/user-accounts/{}.jpg"),
)


class Stanza(NamedTuple):
    """What a ``debian/copyright`` says about some files."""

    patterns: list[str]
    author: str
    licence: str


def read_copyright(text: str) -> list[Stanza]:
    """The stanzas of a machine-readable ``debian/copyright`` that speak of files, in their order."""
    stanzas = []
    for block in re.split(r"\n\s*\n", text):
        fields = {name: " ".join(value.split()) for name, value in _fields(block)}
        if "Files" in fields:
            stanzas.append(Stanza(fields["Files"].split(), _author(fields), fields.get("License", "")))
    return stanzas


def _fields(block: str) -> list[tuple[str, str]]:
    return re.findall(r"^([A-Za-z-]+):((?:.*)(?:\n[ \t].*)*)", block, flags=re.MULTILINE)


def _author(fields: dict[str, str]) -> str:
    """Names without years and addresses; a package with dozens of them is named as a whole by the caller."""
    cleaned = re.sub(r"<[^>]*>|[´]", "", fields.get("Copyright", ""))
    cleaned = re.sub(r"\(?\b(19|20)\d\d(-\d+)?\b[.,]?", ";", cleaned)
    return "; ".join(variable.strip(" ,;.") for variable in cleaned.split(";") if variable.strip(" ,;."))


def describe(stanzas: list[Stanza], path: str) -> Stanza:
    """The stanza about ``path``: the last one that matches, as the format says."""
    return [stanza for stanza in stanzas if any(fnmatchcase(path, pattern) for pattern in stanza.patterns)][-1]


def spdx(licence: str) -> str:
    """A licence, or several joined by "and", by its SPDX name."""
    return " AND ".join(_SPDX.get(variable, variable) for variable in licence.split(" and "))


def take(source: Source, unpacked: Path, target: Path) -> dict[str, dict[str, str]]:
    """Copies one package's images and says whose they are."""
    text = (unpacked / "usr/share/doc" / source.package / "copyright").read_text("utf-8")
    stanzas = read_copyright(text)
    entries = {}
    for name in source.names.split():
        image = unpacked / source.image.format(name)
        if not image.is_file():
            sys.exit(f"{source.package} has no image {name!r} any more; the list in this script must follow")
        stanza = describe(stanzas, source.described.format(name))
        author, licence = stanza.author, spdx(stanza.licence)
        if source.metadata:  # more exact than the package's copyright file
            plugin = json.loads((unpacked / source.metadata.format(name)).read_text("utf-8"))["KPlugin"]
            author, licence = ", ".join(each["Name"] for each in plugin["Authors"]), spdx(plugin["License"])
        elif len(author) > 500:
            author = "the GNOME Settings authors"
        shutil.copyfile(image, target / f"{name}.jpg")
        entries[f"{name}.jpg"] = {"licence": licence, "author": author, "source": f"Debian package {source.package}"}
    return entries


def unpack(package: str, folder: Path) -> Path:
    """Downloads a package with the system's own client and unpacks it."""
    subprocess.run(["apt-get", "download", package], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    (archive,) = folder.glob(f"{package}_*.deb")
    unpacked = folder / package
    subprocess.run(["dpkg-deb", "-x", str(archive), str(unpacked)], check=True)
    return unpacked


def drop_duplicates(target: Path, entries: dict[str, dict[str, str]]) -> None:
    """Removes images whose bytes another one has too."""
    seen: dict[str, str] = {}
    for name in sorted(entries):
        digest = hashlib.sha256((target / name).read_bytes()).hexdigest()
        if digest in seen:
            print(f"{name} is {seen[digest]} again: left out", file=sys.stderr)
            (target / name).unlink()
            del entries[name]
        seen.setdefault(digest, name)


def main() -> None:
    """Reads the command line and fills the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the images go; made if it is not there")
    target: Path = parser.parse_args().folder
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is missing: run this on Debian or one of its descendants")
    target.mkdir(parents=True, exist_ok=True)
    entries: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for source in SOURCES:
            print(f"{source.package}: {len(source.names.split())} images", file=sys.stderr)
            try:
                entries |= take(source, unpack(source.package, Path(temporary)), target)
            except subprocess.CalledProcessError as error:
                sys.exit(f"{' '.join(error.cmd)} failed; is Debian's package list up to date (apt-get update)?")
    drop_duplicates(target, entries)
    text = json.dumps({"images": dict(sorted(entries.items()))}, indent=2, ensure_ascii=False)
    (target / LICENCES).write_text(text + "\n", "utf-8")
    print(f"{len(entries)} photographs in {target}", file=sys.stderr)


if __name__ == "__main__":
    main()
