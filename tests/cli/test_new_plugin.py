"""``gansdk plugins new``: what it writes is a plugin that works, before anything in it is changed."""

import os
import subprocess
import sys

import pytest

NAMES = {"method": ("plugins", "new", "my-gan"), "task": ("plugins", "new", "my-task", "--task")}


@pytest.fixture(scope="module", params=NAMES)
def written(request, tmp_path_factory):
    """A new plugin, installed beside the environment, and what a process sees that uses it."""
    folder = tmp_path_factory.mktemp("new")
    environment = os.environ | {"GANSDK_HOME": str(folder / "home"), "PYTHONPATH": str(folder / "site")}
    program = [sys.executable, "-m", "gansdk", *NAMES[request.param]]
    done = subprocess.run(program, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    (plugin,) = folder.glob("gansdk-plugin-*")
    assert f"wrote {plugin.name}" in done.stderr
    line = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*line, "--target", str(folder / "site"), str(plugin)], check=True, capture_output=True)
    return plugin, environment


def test_its_own_tests_pass(written):
    plugin, environment = written
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(line, cwd=plugin, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "passed" in done.stdout


def test_what_is_there_stays(gansdk):
    (gansdk.cwd / "gansdk-plugin-mine").mkdir()
    done = gansdk("plugins", "new", "mine")
    assert (done.code, done.error) == (1, "gansdk: gansdk-plugin-mine exists already; choose another folder")
    assert not list((gansdk.cwd / "gansdk-plugin-mine").iterdir())


@pytest.mark.parametrize("name", ["My Gan", "my_gan", "../up", "-o"])
def test_a_name_that_cannot_be_typed_is_refused(gansdk, name):
    done = gansdk("plugins", "new", "--", name)
    assert done.code != 0
    assert done.error.startswith("gansdk: ")
    assert not list(gansdk.cwd.iterdir())
