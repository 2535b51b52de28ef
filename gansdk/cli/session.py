"""What one call of the command line has at hand. Each part is made when it is first asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import typer  # noqa: TC002 - Typer looks the annotation of a context up

from gansdk.cli.output import Flags, Output
from gansdk.errors import MissingPluginError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gansdk.inference.catalog import Catalog
    from gansdk.inference.located import Located
    from gansdk.plugins.registry import Registry
    from gansdk.settings import Settings


def _discover() -> Registry:
    from gansdk.plugins.discovery import discover

    return discover()


@dataclass(frozen=True)
class Session:
    """One call.

    Attributes:
        output: Where it prints.
        find: Finds the plugins. ``--version`` and help never ask for it.
    """

    output: Output = field(default_factory=lambda: Output(Flags()))
    find: Callable[[], Registry] = _discover

    @cached_property
    def registry(self) -> Registry:
        """All that the working plugins bring."""
        return self.find()

    @cached_property
    def settings(self) -> Settings:
        """The user's aliases and defaults."""
        from gansdk.settings import Settings

        return Settings()

    @cached_property
    def catalog(self) -> Catalog:
        """Finds models."""
        from gansdk.hub.access import Access
        from gansdk.inference.catalog import Catalog

        flags = self.output.flags
        access = Access(offline=flags.offline, bars=not flags.quiet)
        return Catalog(self.registry, self.settings, access, self.output.note)


def missing_plugin(session: Session, located: Located) -> MissingPluginError | None:
    """Why a model's method is not here, with the line that installs it; None where it is."""
    try:
        session.catalog.method(located)
    except MissingPluginError as error:
        return error
    return None


def session_of(context: typer.Context) -> Session:
    """The session that :func:`gansdk.cli.main` put into the context."""
    session = context.obj
    if not isinstance(session, Session):
        raise TypeError("the command line was called without a session")
    return session


def known_refs(context: typer.Context, incomplete: str) -> list[str]:
    """What a shell may complete the name of a model to: aliases, and models that ship with plugins."""
    session = session_of(context)
    names = [*session.settings.aliases(), *(f"builtin:{name}" for name in session.registry.models)]
    return [name for name in names if name.startswith(incomplete)]


def known_tasks(context: typer.Context, incomplete: str) -> list[str]:
    """What a shell may complete the name of a task to."""
    return [name for name in sorted(session_of(context).registry.tasks) if name.startswith(incomplete)]
