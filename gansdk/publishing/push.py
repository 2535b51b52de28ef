"""A model goes to the Hub: it is looked at first, then sent, all in one commit."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gansdk._version import __version__
from gansdk.errors import HubError, ModelError, OptionError, RefError, UnreachableError, option
from gansdk.hub.pushing import RepoTarget, check, check_login, check_tag, compare, find, page, send
from gansdk.model.config import README
from gansdk.models.catalog import Catalog
from gansdk.models.context import warn
from gansdk.publishing.contents import check_secrets, contents, published_card, remember
from gansdk.refs import Hub

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike
    from pathlib import Path

    from gansdk.hub.access import Access
    from gansdk.hub.pushing import Change
    from gansdk.models.resolved import ResolvedModel
    from gansdk.publishing.contents import Side


@dataclass(frozen=True)
class Pushed:
    """What a push did, or would do.

    Attributes:
        ref: How others name the model: ``hub:org/name``, with the tag where one was given.
        url: Of its page.
        commit: That has all of it; empty where nothing was sent.
        changes: File by file.
        tag: What that commit is called; empty where it got no name.
        is_dry: Whether nothing was done.
        unasked: Why a dry run could not ask the Hub: what it has already is not known then, and all files are listed.
    """

    ref: str
    url: str
    commit: str
    changes: tuple[Change, ...]
    tag: str = ""
    is_dry: bool = False
    unasked: UnreachableError | None = None

    @property
    def is_change(self) -> bool:
        """Whether the Hub had something else."""
        return any(change.state != "same" for change in self.changes)

    def as_record(self) -> dict[str, Any]:
        """What ``--json`` prints of it."""
        was_asked = self.unasked is None
        return {
            "ref": self.ref,
            "url": self.url,
            "commit": self.commit or None,
            "changed": self.is_change if was_asked else None,
            "tag": self.tag or None,
            "dry_run": self.is_dry,
            "asked": was_asked,
            "files": [
                {"name": change.name, "bytes": change.size, "state": change.state if was_asked else None}
                for change in self.changes
            ],
        }


@dataclass(frozen=True)
class PushOptions:
    """How a model shall be pushed; see `push`."""

    private: bool = False
    message: str = ""
    tag: str = ""
    card: Side | None = None
    dry_run: bool = False


@dataclass(frozen=True)
class PushPlan:
    """A push that was looked at and found possible.

    Attributes:
        catalog: Knows methods, tasks and how the Hub is spoken to.
        resolved: The model.
        wanted: How it shall be pushed.
        place: Where to.
        files: All that goes, by name.
        message: Of the commit.
        pushed: What will have been done.
        agreed: The author's text that folder and Hub will both have; see `Published`.
    """

    catalog: Catalog
    resolved: ResolvedModel
    wanted: PushOptions
    place: RepoTarget
    files: Mapping[str, bytes | Path]
    message: str
    pushed: Pushed
    agreed: str


def push(
    model: str | PathLike[str],
    ref: str,
    *,
    private: bool = False,
    message: str = "",
    tag: str = "",
    card: Side | None = None,
    dry_run: bool = False,
) -> Pushed:
    """Puts a model on the Hub, in one commit; the same content again makes none.

    Args:
        model: A ref, or the folder of a model or run.
        ref: Where to: ``hub:org/name``, which is made if it is not there.
        private: Whether only the namespace may see it. One that is public already is refused.
        message: Of the commit; its first line is the title.
        tag: What the commit shall be called, as ``v1``.
        card: Whose text by an author stays where the folder and the Hub have different ones: ``folder`` or ``hub``.
        dry_run: Whether to say what would be done, and do nothing.

    Returns:
        What was done, file by file, and the commit. A dry run that cannot reach the Hub checks all else and says so in
        ``unasked``.

    Raises:
        UsageError: If a ref or the tag is none.
        ModelError: If the model is not whole or fails a check, or its folder holds what may not be published.
        OutputError: If two different texts by authors would have to be one card.
        HubError: If the Hub refuses, cannot be reached, or was changed meanwhile.
    """
    catalog = Catalog.installed_here(note=warn)
    return publish(catalog, catalog.locate(model), ref, PushOptions(private, message, tag, card, dry_run))


def publish(
    catalog: Catalog,
    resolved: ResolvedModel,
    ref: str,
    wanted: PushOptions,
    progress: Callable[[str, int, int], None] | None = None,
) -> Pushed:
    """As `push`, for a model that was found; arguments as for `make_plan` and `carry_out`."""
    return carry_out(make_plan(catalog, resolved, ref, wanted), progress)


def make_plan(catalog: Catalog, resolved: ResolvedModel, ref: str, wanted: PushOptions) -> PushPlan:
    """Looks at a model and at the place where it shall go; nothing is written, and no network is built.

    Raises as `push`, but for what is found out by sending.
    """
    if wanted.card not in (None, "folder", "hub"):
        hint = "leave it out where there is nothing to decide"
        raise OptionError(f"card is folder or hub, not {wanted.card!r}", hint=hint)
    target = catalog.follow(ref)
    if not isinstance(target, Hub):
        raise RefError(f"{ref!r} names no repository on the Hub", hint="write hub:ORG/NAME")
    if target.revision or target.file:
        what = f"{ref!r} names more than a repository, and a push goes to its main branch"
        tag = option("tag", target.revision or "v1")
        raise RefError(what, hint=f"write hub:{target.repo}, with {tag} for a tag")
    check_tag(wanted.tag)
    files: dict[str, bytes | Path] = {**contents(resolved)}
    message = wanted.message.strip() or f"Push {target.repo.partition('/')[2]} with gansdk {__version__}"
    check_secrets(files, message)
    unasked = None
    try:
        place = find(target, catalog.access)
    except UnreachableError as error:
        if not wanted.dry_run:
            raise
        # What is wrong here can be known without the Hub, and is what a dry run is for.
        place, unasked = RepoTarget(target), _unasked(target, error, catalog.access)
    card = published_card(catalog, resolved, place, wanted.card)
    files[README] = card.content
    check_secrets({README: card.content}, message)
    changes = compare(place, files)
    if place.config is not None and place.config.method != resolved.config.method:  # its users' commands would end
        what = f"{place.ref} holds a model of {place.config.method!r}"
        what += f", and {resolved.ref} is one of {resolved.config.method!r}"
        raise HubError(what, hint="push it to a repository of its own")
    check(place, changes, private=wanted.private, tag=wanted.tag)
    named = str(replace(target, revision=wanted.tag))
    pushed = Pushed(named, page(target), "", changes, wanted.tag, wanted.dry_run, unasked)
    if not wanted.dry_run:
        check_login(target)
    return PushPlan(catalog, resolved, wanted, place, files, message, pushed, card.agreed)


def carry_out(plan: PushPlan, progress: Callable[[str, int, int], None] | None = None) -> Pushed:
    """Checks the model and sends it; a dry run ends between. Raises as `push`.

    Args:
        plan: What to do.
        progress: Told which check runs, how many have run and how many there are.
    """
    wanted, pushed, access = plan.wanted, plan.pushed, plan.catalog.access
    if pushed.is_change:
        _check_model(plan.catalog, plan.resolved, progress)
        plan.resolved.ensure_all_files()  # checks take a while, and a training may have written a newer model meanwhile
    if wanted.dry_run:
        return pushed
    commit = send(
        plan.place, plan.files, pushed.changes, plan.message, private=wanted.private, tag=wanted.tag, access=access
    )
    remember(plan.resolved.folder, plan.place.ref, plan.agreed)
    return replace(pushed, commit=commit)


def _unasked(target: Hub, error: UnreachableError, access: Access) -> UnreachableError:
    """Why a dry run did not see the Hub."""
    if access.is_offline:
        what, hint = "the Hub was not asked: offline", "run it online to see what is on the Hub already"
    else:
        why = error.message.removeprefix(f"the Hub did not take {target}: ")
        what, hint = f"the Hub could not be asked: {why}", "run it again to see what is on the Hub already"
    return UnreachableError(what, hint=hint)


def _check_model(catalog: Catalog, resolved: ResolvedModel, progress: Callable[[str, int, int], None] | None) -> None:
    """Runs the checks of ``gansdk check``; the first that fails ends it."""
    from gansdk.testing.kit import Kit
    from gansdk.testing.targets import ModelUnderTest

    kit = Kit([ModelUnderTest(resolved.ref, resolved.method, resolved.folder, resolved.base_method)])
    total = len(kit.pairs())
    for number, result in enumerate(kit, 1):
        if progress is not None:
            progress(result.check.id, number, total)
        if result.outcome == "failed":
            what = f"{resolved.ref} fails the check {result.check.id}, so nothing was sent: {result.message}"
            raise ModelError(what, hint=f"gansdk check {shlex.quote(resolved.ref)}")
