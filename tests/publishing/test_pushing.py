"""A model on its way to the Hub, from looking at it to the commit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import publishable
import pytest

from gansdk.errors import HubError, ModelError, OptionError, OutputError, RefError, UnreachableError
from gansdk.hub.access import Access
from gansdk.models.catalog import Catalog
from gansdk.publishing.push import PushOptions, publish

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hub.messages import Request
    from hub.repos import Repo
    from hub.server import Hub

    from gansdk.publishing.push import Pushed


@pytest.fixture(autouse=True)
def token(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> str:
    """That of somebody who may write for org."""
    token = hub.user("ada", orgs=("org",)).token
    monkeypatch.setenv("HF_TOKEN", token)
    return token


@pytest.fixture
def push(catalog: Catalog, model: Path) -> Callable[..., Pushed]:
    """Pushes the model, or what is named."""

    def make(what: str | Path = model, to: str = "hub:org/m", **wanted: object) -> Pushed:
        return publish(catalog, catalog.locate(what), to, PushOptions(**wanted))

    return make


def writes(hub: Hub) -> list[Request]:
    return [request for request in hub.asked() if request.method not in ("GET", "HEAD")]


def card(repo: Repo) -> str:
    return repo.head.files["README.md"].content.decode()


def states(pushed: Pushed) -> dict[str, str]:
    return {change.name: change.state for change in pushed.changes}


def test_a_model_arrives_whole_and_can_be_located(
    hub: Hub, push: Callable[..., Pushed], model: Path, catalog: Catalog
) -> None:
    pushed = push(tag="v1", message="First\n\nof many")
    repo = hub.world.repos["org/m"]
    assert (pushed.ref, pushed.url, pushed.commit) == ("hub:org/m@v1", f"{hub.url}/org/m", repo.head.oid)
    assert set(states(pushed)) == {*(path.name for path in model.iterdir()), "README.md"}
    assert set(states(pushed).values()) == {"new"}
    assert (repo.head.title, repo.head.description) == ("First", "of many")
    assert "--model hub:org/m" in card(repo)
    resolved = catalog.locate(pushed.ref)
    resolved.ensure_all_files()
    assert (resolved.folder / "model.safetensors").read_bytes() == (model / "model.safetensors").read_bytes()
    assert not (model / "README.md").exists()


def test_the_same_again_makes_no_commit(hub: Hub, push: Callable[..., Pushed]) -> None:
    first = push()
    before = len(writes(hub))
    again = push()
    assert (again.commit, again.is_change) == (first.commit, False)
    assert len(writes(hub)) == before
    assert push(tag="v1").commit == first.commit
    assert len(hub.world.repos["org/m"].commits) == 2


def test_an_authors_words_outlive_two_pushes(hub: Hub, push: Callable[..., Pushed], model: Path) -> None:
    push()
    repo = hub.world.repos["org/m"]
    repo.commit({"README.md": (card(repo) + "\n## Written on the Hub\n").encode()})
    publishable.write(model, seed=1)
    assert states(push())["README.md"] == "changed"  # it names the digest of the weights
    assert "## Written on the Hub" in card(repo)
    publishable.write(model, seed=2)
    push()
    assert card(repo).endswith("\n## Written on the Hub\n")


def test_words_that_differ_send_nothing_until_somebody_decides(
    hub: Hub, push: Callable[..., Pushed], model: Path
) -> None:
    push()
    repo = hub.world.repos["org/m"]
    fresh, before = card(repo), len(writes(hub))
    (model / "README.md").write_text(fresh + "\nHere.\n", "utf-8")
    repo.commit({"README.md": (fresh + "\nThere.\n").encode()})
    with pytest.raises(OutputError, match='card="folder" or "hub"'):
        push()
    assert len(writes(hub)) == before
    assert states(push(card="hub"))["README.md"] == "same"
    push(card="folder")
    assert card(repo) == fresh + "\nHere.\n"


def test_who_alone_edits_is_asked_nothing(hub: Hub, push: Callable[..., Pushed], model: Path) -> None:
    push()
    repo = hub.world.repos["org/m"]
    fresh = card(repo)
    for words in ("\nOnce.\n", "\nTwice.\n"):
        (model / "README.md").write_text(fresh + words, "utf-8")
        push()
        assert card(repo) == fresh + words
    repo.commit({"README.md": (fresh + "\nThere.\n").encode()})
    assert states(push())["README.md"] == "same"  # the Hub's is the newer one
    assert card(repo) == fresh + "\nThere.\n"
    (model / "README.md").write_text(fresh + "\nThrice.\n", "utf-8")
    with pytest.raises(OutputError, match='card="folder" or "hub"'):
        push()


def test_a_model_of_another_method_stays(hub: Hub, push: Callable[..., Pushed]) -> None:
    push()
    repo = hub.world.repos["org/m"]
    other = json.loads(repo.head.files["config.json"].content) | {"method": "other"}
    repo.commit({"config.json": json.dumps(other).encode()})
    before = len(writes(hub))
    with pytest.raises(HubError, match=r"holds a model of 'other'.*; push it to a repository of its own"):
        push()
    assert len(writes(hub)) == before


def test_a_dry_run_says_no_where_a_push_would(hub: Hub, push: Callable[..., Pushed], model: Path) -> None:
    publishable.write(model, licence="")
    with pytest.raises(ModelError, match="fails the check provenance-stated"):
        push(dry_run=True)
    assert not writes(hub)


def test_what_fails_a_check_sends_nothing(hub: Hub, push: Callable[..., Pushed], model: Path) -> None:
    publishable.write(model, licence="")
    with pytest.raises(
        ModelError, match=r"fails the check provenance-stated, so nothing was sent: .*no licence; gansdk"
    ):
        push()
    assert not writes(hub)


def test_a_model_that_changes_while_it_is_checked_is_not_sent(hub: Hub, catalog: Catalog, model: Path) -> None:
    def change(_check: str, number: int, total: int) -> None:
        if number == total:
            publishable.write(model, seed=1)

    with pytest.raises(ModelError, match=r"model\.safetensors is not the file that config\.json names"):
        publish(catalog, catalog.locate(model), "hub:org/m", PushOptions(), change)
    assert not writes(hub)


@pytest.mark.parametrize("harm", ["pickle", "secret", "message", "damage"])
def test_what_may_not_go_sends_nothing(
    hub: Hub, push: Callable[..., Pushed], model: Path, token: str, harm: str
) -> None:
    wanted = {}
    if harm == "pickle":
        (model / "model.pth").write_bytes(b"\x80\x04")
    elif harm == "secret":
        (model / "README.md").write_text(f"Use {token}.\n<!-- gansdk:here -->\n")
    elif harm == "message":
        wanted = {"message": f"made with {token}"}
    else:
        (model / "model.safetensors").write_bytes(b"x" * 100)
    with pytest.raises(ModelError) as refused:
        push(**wanted)
    assert token not in str(refused.value)
    assert not writes(hub)


def test_a_dry_run_says_all_and_writes_nothing(
    hub: Hub, push: Callable[..., Pushed], model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    push()
    (model / "card-strip.webp").unlink()
    (model / "card-trials.webp").write_bytes(b"RIFF")
    monkeypatch.delenv("HF_TOKEN")
    before, disk = len(writes(hub)), sorted(tmp_path.rglob("*"))
    pushed = push(dry_run=True, tag="v1")
    assert (pushed.commit, pushed.is_dry) == ("", True)
    assert states(pushed) == {
        "README.md": "changed",
        "attributions.json": "same",
        "card-strip.webp": "removed",
        "card-trials.webp": "new",
        "config.json": "same",
        "model.safetensors": "same",
    }
    assert set(states(push(to="hub:org/none", dry_run=True)).values()) == {"new"}
    assert len(writes(hub)) == before
    assert sorted(tmp_path.rglob("*")) == disk


def test_a_run_means_its_model(hub: Hub, push: Callable[..., Pushed], model: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "train.json").write_text("{}")
    (run / "state").mkdir()
    model.rename(run / "model")
    assert "train.json" not in states(push(run))
    assert "# m\n" in card(hub.world.repos["org/m"])


def test_a_model_that_is_on_the_hub_already_goes_elsewhere_too(hub: Hub, push: Callable[..., Pushed]) -> None:
    push()
    push("hub:org/m", "hub:ada/copy")
    first, second = hub.world.repos["org/m"].head, hub.world.repos["ada/copy"].head
    assert set(first.files) == set(second.files)
    assert "hub:ada/copy" in second.files["README.md"].content.decode()


def test_private(hub: Hub, push: Callable[..., Pushed]) -> None:
    push(private=True)
    assert hub.world.repos["org/m"].private
    assert not push(private=True).is_change


def test_wrong_places_are_told_apart(hub: Hub, push: Callable[..., Pushed], catalog: Catalog) -> None:
    catalog.settings.set_alias("mine", "hub:org/m")
    assert push(to="mine", dry_run=True).ref == "hub:org/m"
    for to, told in {
        "./folder": "names no repository on the Hub; write hub:ORG/NAME",
        "builtin:a": "names no repository on the Hub",
        "hub:org/m@v1": 'write hub:org/m, with tag="v1"',
        "hub:org/m:a.json": "more than a repository",
    }.items():
        with pytest.raises(RefError, match=told):
            push(to=to)
    with pytest.raises(HubError, match="is not a name that the Hub can have"):
        push(to="hub:org/a--b")
    with pytest.raises(OptionError, match="card is folder or hub, not 'mine'"):
        push(card="mine")
    assert not writes(hub)


@pytest.mark.parametrize("way", ["offline", "gone"])
def test_a_dry_run_without_the_hub_names_what_is_wrong_here_first(
    hub: Hub, model: Path, catalog: Catalog, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gansdk.hub.transfers.FIRST_PAUSE", 0.01)
    catalog = Catalog(catalog.registry, catalog.settings, Access(offline=way == "offline"))
    hub.close()

    def look() -> Pushed:
        return publish(catalog, catalog.locate(model), "hub:org/m", PushOptions(dry_run=True))

    pushed = look()
    expected = "the Hub was not asked: offline" if way == "offline" else "the Hub could not be asked: the connection"
    assert str(pushed.unasked).startswith(expected)
    assert "push again" not in str(pushed.unasked)
    assert {change.name for change in pushed.changes} == {*(path.name for path in model.iterdir()), "README.md"}
    record = pushed.as_record()
    assert (record["asked"], record["changed"]) == (False, None)
    assert {file["state"] for file in record["files"]} == {None}
    readme = model / "README.md"
    readme.write_text("---\n- no\n- mapping\n---\n", "utf-8")
    with pytest.raises(OutputError, match="front matter"):
        look()
    readme.write_text(f"# A model\n\nhf_{'a1' * 20}\n", "utf-8")
    with pytest.raises(ModelError, match="looks like it holds a Hugging Face token"):
        look()
    readme.unlink()
    config = json.loads((model / "config.json").read_text("utf-8"))
    (model / "config.json").write_text(json.dumps({**config, "licence": "", "summary": ""}), "utf-8")
    with pytest.raises(ModelError, match="fails the check"):
        look()


def test_offline_opens_no_socket(hub: Hub, model: Path, catalog: Catalog) -> None:
    offline = Catalog(catalog.registry, catalog.settings, Access(offline=True))
    with pytest.raises(UnreachableError, match="push it while online"):
        publish(offline, offline.locate(model), "hub:org/m", PushOptions())
    assert not hub.asked()


def test_somebody_elses_files_stay(hub: Hub, push: Callable[..., Pushed]) -> None:
    repo = hub.repo("org/m", {"notes.txt": b"theirs", "README.md": b"---\nlicense: mit\n---\n"})
    push()
    assert repo.head.files["notes.txt"].content == b"theirs"
