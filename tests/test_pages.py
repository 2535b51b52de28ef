"""The commands and programs of the README and of each page, in the order and in the words in which they are printed.

A reader's own files are there, small: photos, weights, and models on a Hub on the loopback interface. Trainings and
measurements are made shorter; nothing else is changed. Lines that install or download are tested elsewhere. Lines that
need data which this repository may not carry are left out if the data are not here.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import published
import pytest
import torch
from PIL import Image as PILImage

from gansdk.settings import data_folder

ROOT = Path(__file__).parents[1]
PLUGIN = ROOT / "plugins" / "gansdk-plugin-srgan" / "src" / "gansdk_srgan" / "pretrained"

ELSEWHERE = ("make ", "python3 -m venv", "pip install torch", "pip install ./", "python scripts/fetch_")
PIP = f"{sys.executable} -m pip install --quiet --no-deps --no-build-isolation --upgrade"
SHORTER = {
    "gansdk train": "--set steps=2",
    "gansdk eval": "--metric psnr-y",
    "gansdk bench": "--side 32 --rounds 1",
}
"""What is added to lines that would take long, by how they begin."""

CAPITALS = {
    "IN_DIR": "photos",
    "OUT_DIR": "photos-out",
    "MODEL": "builtin:srresnet-x4",
    "SET5.zip": "set5.zip",
    "BSD/val": "bsd/val",
}
"""What stands for the words in capitals."""


TRAINED = "gansdk train srgan --config small --data data/photos --licence CC-BY-SA-4.0 -o runs/mine"
FILE = re.compile(r"^```(?:python|toml)\n# ([\w/.-]+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
"""A block of code that is a file: its first line is the path."""

PAGES = {
    "README.md": [],
    "docs/command-line.md": [],
    "docs/python.md": [],
    "docs/train.md": [],
    "docs/measure.md": [TRAINED],
    "docs/publish.md": [TRAINED],
    "docs/write-a-plugin.md": [],
    "docs/write-a-task.md": [],
}
"""Each page, with what its reader has done on another page before."""


def code(page: str) -> list[tuple[str, str]]:
    """The page's code in order: each line of a shell, then the blocks of Python, which are one program."""
    text = re.sub(FILE, "", (ROOT / page).read_text("utf-8"))
    found = re.findall(r"^```python\n(.*?)^```|^    (\S[^\n]*)$", text, re.MULTILINE | re.DOTALL)
    program = "\n".join(python for python, _ in found if python)
    return [*(("shell", line) for _, line in found if line), *([("python", program)] if program else [])]


def needs(text: str) -> set[str]:
    """The data without which code cannot run."""
    words = {
        "--data mnist": "mnist",
        "runs/digits": "mnist",
        "runs/mygan": "mnist",
        "mnist:test": "mnist",
        "small-gan": "trunks",
    }
    return {name for word, name in words.items() if word in text}


@pytest.fixture
def readers(tmp_path, hub):
    """A folder with what is a reader's own, and a Hub with the models that the README names."""
    pytest.importorskip("gansdk_srgan")
    pytest.importorskip("gansdk_infogan")
    random = np.random.default_rng(0)

    def photo(name: str, side: int = 48) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        PILImage.fromarray(random.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(path)

    for name in ("photo.jpg", "a.jpg", "b.png", "c.webp", "photos/a.jpg", "photos/trip/b.png"):
        photo(name)
    for number in range(4):
        photo(f"data/photos/{number}.png", 256)
        photo(f"bsd/val/{number}.png", 64)
    hole = np.zeros((48, 48), np.uint8)
    hole[10:20, 10:20] = 255
    PILImage.fromarray(hole).save(tmp_path / "mask.png")
    stated = {f"{number}.png": {"licence": "CC0-1.0", "author": "nobody", "source": "noise"} for number in range(4)}
    (tmp_path / "data" / "photos" / "LICENCES.json").write_text(json.dumps({"images": stated}))
    with zipfile.ZipFile(tmp_path / "set5.zip", "w") as archive:
        archive.write(tmp_path / "bsd" / "val" / "0.png", "0.png")
    for entry in data_folder().iterdir() if data_folder() is not None else ():
        (tmp_path / "data" / entry.name).symlink_to(entry)
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    torch.save(published.RRDBNet(width=4, growth=2, blocks=23).state_dict(), tmp_path / "RealESRGAN_x4plus.pth")
    files = {path.name: path.read_bytes() for path in (PLUGIN / "srresnet-x4").iterdir()}
    hub.repo("org/srgan", files).tag("v1")
    hub.repo("org/other", {"weights.pth": (tmp_path / "RealESRGAN_x4plus.pth").read_bytes()})
    program = tmp_path / "bin" / "other-program"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec cat > other.jpg\n")
    program.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_page_runs_from_top_to_bottom(page, readers, hub):
    path = os.pathsep.join([str(readers / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "GANSDK_HOME": str(readers / "home"), "HF_TOKEN": hub.user("me").token}
    environment.pop("GANSDK_DATA", None)
    here = {name for name in ("mnist", "trunks") if (readers / "data" / name).exists()}
    for name, content in FILE.findall((ROOT / page).read_text("utf-8")):
        (readers / name).parent.mkdir(parents=True, exist_ok=True)
        (readers / name).write_text(content)
    environment["PYTHONPATH"] = str(readers / "site")
    for kind, text in [*(("shell", line) for line in PAGES[page]), *code(page)]:
        if (kind == "shell" and text.startswith(ELSEWHERE)) or not needs(text) <= here:
            continue
        if exported := re.match(r"export (\w+)=(\S+)$", text):
            environment[exported[1]] = exported[2].replace("$PWD", str(readers))
            continue
        line = re.sub("|".join(CAPITALS), lambda found: CAPITALS[found[0]], text)
        if line.startswith("pip install -e "):  # beside the environment, not into it
            line = f"{PIP} --target {readers / 'site'} {line.removeprefix('pip install -e ')}"
        for begins, added in SHORTER.items():
            if not (begins == "gansdk eval" and "--metric" in line):
                line = re.sub(rf"^({begins}.*?)(\s+#.*)?$", rf"\1 {added}", line)
        print(line, flush=True)
        python = [sys.executable, "-c", f"import gansdk\nimport numpy as np\n{line}"]
        command = ["bash", "-euo", "pipefail", "-c", line] if kind == "shell" else python
        done = subprocess.run(command, cwd=readers, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{text}\n{done.stdout[-500:]}\n{done.stderr[-2000:]}"
    if page == "docs/command-line.md":
        assert len(list((readers / "samples").iterdir())) == 1000
        assert (readers / "other.jpg").stat().st_size > 100
