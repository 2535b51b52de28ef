"""A disk that fills up while a run is written, played by the system's own limit on the size of files."""

import json
import subprocess
import sys
from pathlib import Path

from adversary import write_images

from gansdk.files import sha256

SUPPORT = Path(__file__).parents[1] / "support"

SCRIPT = """
import resource, sys
sys.path.insert(0, {support!r})
import adversary
from gansdk.training import train

def limit(at):
    if at.step == 3:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))

try:
    train(adversary.METHOD, "small", "run", data={{"": "photos"}}, device="cpu", precision="fp32",
               checkpoint_every=2, samples_every=0, log_every=500, progress=limit)
except adversary.gansdk.OutputError as error:
    print(f"{{error}}")
"""


def test_a_full_disk_in_a_checkpoint_is_one_line_and_the_old_one_stays_whole(tmp_path):
    write_images(tmp_path / "photos")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(support=str(SUPPORT))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("cannot write run/state/")
    assert "File too large" in done.stdout
    assert done.stdout.count("\n") == 1
    (kept,) = (tmp_path / "run" / "state").iterdir()
    assert kept.name == "000000002"
    state = json.loads((kept / "state.json").read_text())
    assert state["step"] == 2
    assert sha256(kept / "tensors.safetensors") == state["files"]["tensors.safetensors"]
