"""What is installed together: the core with every extra and every plugin, the newest of all and the oldest."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from registry import need_registry

ROOT = Path(__file__).parents[1]
PROJECTS = [ROOT / "pyproject.toml", *ROOT.glob("plugins/*/pyproject.toml")]


def requirements() -> list[Requirement]:
    """All that the core, its extras and the plugins ask for, but for one another."""
    found = []
    for path in PROJECTS:
        project = tomllib.loads(path.read_text("utf-8"))["project"]
        extras = project.get("optional-dependencies", {}).values()
        found += [Requirement(line) for line in sum(extras, list(project["dependencies"]))]
    return [one for one in found if not one.name.startswith("gansdk")]


def resolve(folder: Path, resolution: str) -> dict[str, Version]:
    """What would be installed, by name; torch is held to what `make` installs."""
    need_registry()
    if importlib.util.find_spec("uv") is None:
        pytest.skip("uv is not installed; it is in requirements-dev.txt")
    (folder / "all.in").write_text("\n".join(map(str, requirements())))
    line = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--no-config"]
    line += ["--resolution", resolution, "--python-version", "3.11", "-c", str(ROOT / "constraints.txt"), "all.in"]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {name: Version(version) for name, version in re.findall(r"^([\w.-]+)==(\S+)", done.stdout, re.MULTILINE)}


@pytest.mark.parametrize("resolution", ["highest", "lowest-direct"])
def test_the_newest_and_the_oldest_of_everything_fit_one_another(tmp_path, resolution):
    resolved = resolve(tmp_path, resolution)
    for one in requirements():
        assert resolved[re.sub(r"[-_.]+", "-", one.name).lower()] in one.specifier


def test_each_floor_is_one_that_can_be_had(tmp_path):
    """Whoever reads that an old version is enough must be able to have it, beside all the others."""
    resolved = resolve(tmp_path, "lowest-direct")
    floors: dict[str, Version] = {}
    for one in requirements():
        for each in one.specifier:
            name = re.sub(r"[-_.]+", "-", one.name).lower()
            floors[name] = max(floors.get(name, Version("0")), Version(each.version))
    del floors["torch"]
    higher = [
        f"{name} {resolved[name]}"
        for name, floor in floors.items()
        if resolved[name].release[:2] > (*floor.release, 0)[:2]
    ]
    assert higher == []
