"""What looks like a secret is found wherever a reader would find it, and said by nobody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import save_file

import gansdk
from gansdk.errors import ModelError
from gansdk.publishing.contents import check_secrets

if TYPE_CHECKING:
    from hub.server import Hub

# Put together here, so that nobody's scanner takes this file for a leak.
SECRETS = {
    "Hugging Face": "hf_" + "aB3" * 12,
    "Hugging Face organisation": "api_org_" + "aB3" * 12,
    "GitHub": "ghp_" + "aB3" * 12,
    "GitHub, fine-grained": "github_pat_" + "11ABC_" * 10,
    "GitLab": "glpat-" + "aB3_" * 6,
    "OpenAI": "sk-proj-" + "aB3-" * 12,
    "Google": "AIza" + "aB3_-" * 7,
    "Slack": "xoxb-" + "123456789012-abc",
    "AWS": "AKIA" + "ABCDEFGH23456789",
    "PEM": "-----BEGIN OPENSSH " + "PRIVATE KEY-----",
    "PKCS 8": "-----BEGIN " + "PRIVATE KEY-----",
    "PGP": "-----BEGIN PGP " + "PRIVATE KEY BLOCK-----",
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("place", ["README.md", "config.json", "evaluation.json", "model.safetensors", "message"])
def test_a_secret_is_found_and_not_said(tmp_path: Path, secret: str, place: str) -> None:
    path, message = tmp_path / place, ""
    text = f"one\ntwo: {secret} three\n"
    if place == "model.safetensors":
        save_file({"a": torch.zeros(1)}, path, metadata={"made with": text})
    elif place == "message":
        message = text
    else:
        path.write_text(json.dumps({"a": text}, indent=1) if path.suffix == ".json" else text)
    files = {} if message else {place: path}
    with pytest.raises(ModelError, match=r"line \d of .* looks like it holds an? .*; nothing was sent") as refused:
        check_secrets(files, message)
    assert place in str(refused.value)
    assert secret not in str(refused.value)
    assert secret[-12:] not in str(refused.value)


def test_ones_own_token_is_found_whatever_it_looks_like(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "of+a.new*kind")
    check_secrets({"README.md": b"of+a.old*kind"})
    with pytest.raises(ModelError, match="your own token") as refused:
        check_secrets({"README.md": b"see of+a.new*kind"})
    assert "of+a" not in str(refused.value)


def test_words_and_digests_are_no_secrets() -> None:
    innocent = (
        f"hf_hub_download, sk-learn-is-not-a-key-at-all, sha256:{'ab12' * 16}, AKIA, ghp_, -----BEGIN CERTIFICATE-----"
    )
    check_secrets({"README.md": innocent.encode(), "a.json": json.dumps(innocent).encode()})


def test_the_cards_and_records_of_this_project_have_none() -> None:
    root = Path(gansdk.__file__).parents[1]
    folders = [*root.glob("cards/*"), *root.glob("plugins/*/src/*/pretrained/*")]
    assert folders
    for folder in folders:
        check_secrets({path.name: path for path in folder.iterdir()})
