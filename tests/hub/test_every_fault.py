"""Faults × verbs: each fault at every third request that a verb makes, another third for each, and at all of them.

Each cell ends in success or in one clear line, with a clean cache and no partial file. What passes is got over.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING

import foreign
import publishable
import pytest
from fuzz.mutation import as_json, strange
from huggingface_hub import close_session, constants
from huggingface_hub.utils import _http
from PIL import Image as PILImage
from safetensors.torch import save

from gansdk.cli import main
from gansdk.hub import transfers
from gansdk.hub.layout import file_digest
from hub import faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.messages import Answer
    from hub.server import Hub

VERBS = {
    "run": "run superres a.png --model hub:org/m -o out",
    "pull": "pull hub:org/m",
    "show": "models show hub:org/m",
    "search": "models search tiny",
    "import": "import hub:org/foreign:w.safetensors -o out",
    "push": "push ./mine hub:ada/new --tag v1",
    "push again": "push ./mine hub:org/m",
}

FAULTS: dict[str, Callable[[Hub], faults.Fault]] = {
    "503": lambda _: faults.status(503),
    "429": lambda _: faults.status(429, retry_after=0),
    "reset": lambda _: faults.drop(took_effect=False),
    "reset after it took effect": lambda _: faults.drop(),
    "stalled": lambda _: faults.stall(took_effect=False),
    "stalled after it took effect": lambda _: faults.stall(),
    "closed early": lambda _: faults.truncate(5, honest=False),
    "cut short": lambda _: faults.truncate(5, honest=True),
    "flipped bit": lambda _: faults.flip(-1, 3),
    "sign-in page": lambda _: faults.page(),
    "wrong ETag": lambda _: faults.etag("0" * 64),
    "moved branch": lambda hub: faults.meanwhile(lambda: hub.world.repos["org/m"].commit({"notes.txt": b"new"})),
}


REQUESTS = {"run": 5, "pull": 11, "show": 2, "search": 1, "import": 3, "push": 14, "push again": 8}
STEP = 3

ODD = 25
"""How many odd answers each verb meets."""

_OF_SENDING = {"reset after it took effect", "stalled after it took effect"}
"""For who reads, it is all the same whether a request took effect."""

CELLS = [(verb, fault) for verb in VERBS for fault in FAULTS if fault not in _OF_SENDING or verb.startswith("push")]


class RepoTarget:
    """Where the verbs are called: a folder with an image and a model, a Hub with others, an empty cache."""

    def __init__(self, folder: Path, hub: Hub) -> None:
        self.folder = folder
        self.hub = hub
        self.token = hub.user("ada", orgs=("org",)).token
        self.model = {path.name: path.read_bytes() for path in (folder / "mine").iterdir()}
        self.weights = save(foreign.published())

    def reset(self) -> None:
        """All as at the beginning, and no fault."""
        self.hub.faults.clear()
        self.hub.world.repos.clear()
        self.hub.world.parts.clear()
        card = b"---\nlibrary_name: gansdk\ntags: [gansdk, tiny]\n---\n"
        self.hub.repo("org/m", {**self.model, "README.md": card})
        self.hub.repo("org/foreign", {"w.safetensors": self.weights})
        self.before = {name: repo.head for name, repo in self.hub.world.repos.items()}
        for path in (self.folder / "out", Path(constants.HF_HUB_CACHE)):
            shutil.rmtree(path, ignore_errors=True)
            path.unlink(missing_ok=True)
        close_session()

    def check_nothing_partial(self, verb: str, *, failed: bool) -> None:
        """The cache has whole files under their right names, the folder no result of a failure, the Hub no half."""
        cache = Path(constants.HF_HUB_CACHE)
        for blob in cache.glob("models--*/blobs/*"):
            assert file_digest(blob, blob.name) == blob.name
        for link in cache.glob("models--*/snapshots/*/*"):
            assert link.exists()
        left = [path.name for path in self.folder.iterdir() if path.name not in ("a.png", "mine")]
        assert left == ([] if failed or "out" not in VERBS[verb] else ["out"])
        for name, repo in self.hub.world.repos.items():
            ours = {path: blob.content for path, blob in repo.head.files.items() if path in self.model}
            is_whole = ours == self.model and "README.md" in repo.head.files
            assert is_whole or set(repo.head.files) <= {".gitattributes", "w.safetensors"}, name


@pytest.fixture
def place(hub: Hub, kinds_path: tuple[Path, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RepoTarget:
    folder = tmp_path / "work"
    folder.mkdir()
    PILImage.new("RGB", (6, 5), (200, 40, 90)).save(folder / "a.png")
    publishable.write(folder / "mine")
    for path in kinds_path:
        monkeypatch.syspath_prepend(path)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GANSDK_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(transfers, "TRIES", 2)
    monkeypatch.setattr(transfers, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(transfers, "REQUEST_SECONDS", 1.0)
    monkeypatch.setattr(transfers, "SENDING_SECONDS", 1.0)
    monkeypatch.setattr(_http, "time", SimpleNamespace(sleep=lambda _seconds: None))  # the client's pauses alone
    hub.world.resolve_cache = False  # a small file takes two requests then, not four
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 1)
    found = RepoTarget(folder, hub)
    monkeypatch.setenv("HF_TOKEN", found.token)
    return found


@pytest.mark.parametrize("verb", VERBS)
def test_without_a_fault_all_is_well(place: RepoTarget, verb: str) -> None:
    place.reset()
    begun = len(place.hub.asked())
    assert main(VERBS[verb].split()) == 0
    assert len(place.hub.asked()) - begun == REQUESTS[verb]
    place.check_nothing_partial(verb, failed=False)


@pytest.mark.parametrize(("verb", "fault"), CELLS)
def test_each_ends_well_or_in_one_line(
    place: RepoTarget, capsys: pytest.CaptureFixture[str], verb: str, fault: str
) -> None:
    begin = list(FAULTS).index(fault) % STEP
    once = range(begin if begin < REQUESTS[verb] else 0, REQUESTS[verb], STEP)
    for index, times in [*((index, 1) for index in once), (0, None)]:
        place.reset()
        rule = place.hub.fail(FAULTS[fault](place.hub), times=times, skip=index)
        capsys.readouterr()
        code = main(VERBS[verb].split())
        said = capsys.readouterr()
        case = f"request {index} {'once' if times else 'and all that follow'}: {said.err}"
        assert rule.hits, case
        assert code in (0, 1), case
        assert "Traceback" not in said.err, case
        assert place.token not in said.out + said.err, case
        lines = [line for line in said.err.splitlines() if line.startswith("gansdk: ")]
        assert len(lines) == code, case
        assert all("; " in line for line in lines), case  # what is wrong, and what to do next
        assert code == 0 or times is None or (verb, fault) == ("push again", "moved branch"), case
        place.check_nothing_partial(verb, failed=code != 0)


def _odd(random: Random) -> faults.Fault:
    """Whatever is JSON of an answer is of another shape, the same one for each request that follows."""

    def fault(exchange: faults.Exchange) -> Answer:
        answer = exchange.answer()
        try:
            value = json.loads(answer.body)
        except ValueError:
            return answer
        return replace(answer, body=as_json(strange(value, random)))

    return fault


@pytest.mark.parametrize("verb", VERBS)
def test_answers_of_other_shapes_end_in_one_line(
    place: RepoTarget, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    for seed in range(ODD):
        place.reset()
        place.hub.fail(_odd(Random(f"{verb} {seed}")), times=None)
        capsys.readouterr()
        code = main([*VERBS[verb].split(), "--json"])
        said = capsys.readouterr()
        assert code in (0, 1), (seed, said.err)
        assert "Traceback" not in said.err, (seed, said.err)
        for line in said.out.splitlines():
            json.loads(line, parse_constant=_no_constant)


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON")
