"""The README's section about the Hub: one user publishes, another uses, all with the installed command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from command import Gansdk
from PIL import Image as PILImage
from sample_images import pil_image

from hub import faults

if TYPE_CHECKING:
    from pathlib import Path

    from hub.server import Hub

pytest.importorskip("gansdk_srgan")

MODEL = "builtin:srresnet-x4"


@pytest.fixture
def people(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Gansdk, Gansdk]:
    """Ada, who is logged in, and Bob, who is not: each with a home of their own."""
    token = hub.user("ada").token
    homes = []
    for name in ("ada", "bob"):
        (tmp_path / name / "work").mkdir(parents=True)
        homes.append(Gansdk(home=tmp_path / name, cwd=tmp_path / name / "work", hub_home=tmp_path / name / "hf"))
    (tmp_path / "ada" / "hf").mkdir()
    (tmp_path / "ada" / "hf" / "token").write_text(token, "utf-8")
    for name in ("HF_HOME", "HF_HUB_CACHE", "HF_TOKEN_PATH"):
        monkeypatch.delenv(name)
    return homes[0], homes[1]


def test_one_publishes_and_another_uses(hub: Hub, people: tuple[Gansdk, Gansdk]) -> None:
    ada, bob = people
    pil_image("RGB").save(bob.cwd / "photo.png")

    would = ada("push", MODEL, "hub:ada/sharp", "--tag", "v1", "--dry-run", "--json")
    assert {file["state"] for file in would.records[0]["files"]} == {"new"}
    assert "ada/sharp" not in hub.world.repos
    assert ada("push", MODEL, "hub:ada/sharp", "--tag", "v1").code == 0

    (found,) = bob("models", "search", "sharp", "--task", "superres", "--json").records
    assert found["ref"] == "hub:ada/sharp"
    shown = bob("models", "show", "hub:ada/sharp@v1")
    assert "superres: yes" in shown.out
    assert "psnr-y" in shown.out

    run = ("run", "superres", "photo.png", "--model")
    assert bob(*run, "hub:ada/sharp@v1", "-o", "large.png").code == 0
    assert bob(*run, MODEL, "-o", "same.png").code == 0
    large, same = (PILImage.open(bob.cwd / name) for name in ("large.png", "same.png"))
    assert large.tobytes() == same.tobytes()

    hub.fail(faults.drop(), times=None)
    assert bob(*run, "hub:ada/sharp@v1", "-o", "again.png", "--offline").code == 0
    assert bob("cache", "verify").code == 0
    weights = next((bob.home / "hf" / "hub").glob("models--ada--sharp/snapshots/*/model.safetensors"))
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 16
    weights.write_bytes(content)
    damaged = bob("cache", "verify")
    assert damaged.code == 1
    (line,) = [line for line in damaged.out.splitlines() if "model.safetensors" in line]
    mending = line[line.index("gansdk pull ") :].split()
    refused = bob(*run, "hub:ada/sharp@v1", "-o", "none.png", "--offline")
    assert (refused.code, "gansdk pull hub:ada/sharp@v1" in refused.err) == (1, True)

    hub.faults.clear()
    assert bob(*mending[1:]).code == 0
    assert bob("cache", "verify").code == 0
    assert bob(*run, "hub:ada/sharp@v1", "-o", "mended.png", "--offline").code == 0
    assert PILImage.open(bob.cwd / "mended.png").tobytes() == large.tobytes()
