"""The wheels, as somebody gets them who has no clone: built, installed by name into an empty environment, used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from PIL import Image as PILImage

ROOT = Path(__file__).parent.parent
PHOTO = ROOT / "demos" / "photos" / "chelsea.jpg"


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    for source in (ROOT, *(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))):
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)]
        subprocess.run(command, check=True, capture_output=True)
    return out


@pytest.fixture
def empty(tmp_path_factory):
    """An environment that has everything but gansdk: torch is shared by a path instead of installed again."""
    root = tmp_path_factory.mktemp("empty")
    venv.create(root / "venv", with_pip=True, symlinks=True)
    shared = root / "shared"
    shared.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if "gansdk" not in entry.name.lower() and entry.name != "pip":
            (shared / entry.name).symlink_to(entry)
    (site,) = (root / "venv" / "lib").glob("python*/site-packages")
    # Python 3.11 puts an old setuptools beside pip, older than torch takes; the shared one serves.
    command = [root / "venv" / "bin" / "python", "-m", "pip", "uninstall", "-q", "-y", "setuptools"]
    subprocess.run(command, check=True, capture_output=True)
    (site / "shared.pth").write_text(f"{shared}\n")
    return root / "venv" / "bin"


def test_wheels_are_typed_licensed_and_pin_nothing(dist):
    wheels = sorted(dist.glob("*.whl"))
    assert len(wheels) == 1 + len(list(ROOT.glob("plugins/*/pyproject.toml")))
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
            metadata = archive.read(next(name for name in names if name.endswith("METADATA"))).decode()
        assert any(name.endswith("py.typed") for name in names)
        assert "License-Expression: Apache-2.0" in metadata
        assert "Requires-Python: >=3.11" in metadata
        requirements = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:")]
        assert requirements
        assert not [line for line in requirements if "==" in line.partition(";")[0]]


def alone(dist, empty, tmp_path, plugin):
    """Installs a plugin by its name, and gives what runs gansdk with it."""
    index = ["--no-index", "--find-links", str(dist), "-c", str(ROOT / "constraints.txt")]
    subprocess.run([empty / "python", "-m", "pip", "install", "-q", *index, plugin], check=True)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"GANSDK_HOME": str(tmp_path / "home")}

    def run(*arguments):
        command = [empty / "gansdk", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_plugin_installed_by_name_sharpens_a_photo(dist, empty, tmp_path):
    run = alone(dist, empty, tmp_path, "gansdk-plugin-srgan")
    photo = tmp_path / "photo.jpg"
    with PILImage.open(PHOTO) as image:
        image.crop((100, 50, 180, 110)).save(photo)
    run("run", "superres", str(photo))
    with PILImage.open(tmp_path / "photo-superres.png") as result:
        assert result.size == (320, 240)
    where = "import gansdk, gansdk_srgan; print(gansdk.__file__, gansdk_srgan.__file__)"
    found = subprocess.run([empty / "python", "-c", where], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout.count(str(empty.parent)) == 2


def test_another_plugin_alone_makes_digits_and_reads_them(dist, empty, tmp_path):
    run = alone(dist, empty, tmp_path, "gansdk-plugin-infogan")
    run("run", "traverse", "--code", "class", "-o", "digits.png")
    (tmp_path / "threes").mkdir()
    run("run", "generate", "--set", "class=three", "-n", "4", "-o", "threes/")
    read = [
        json.loads(line) for line in run("run", "encode", *map(str, sorted(tmp_path.glob("threes/*")))).splitlines()
    ]
    assert [one["class"]["label"] for one in read] == ["three"] * 4
    models = {one["task"]: one["model"] for one in map(json.loads, run("tasks", "--json").splitlines())}
    digits = "builtin:infogan-mnist"
    assert models == {"encode": digits, "generate": digits, "traverse": digits, "superres": None, "restore": None}
