"""The core's own tasks, one file each. They come in by the core's own entry point, like any plugin's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansdk.plugins.hookspecs import hookimpl
from gansdk.tasks.encode import ENCODE
from gansdk.tasks.generate import GENERATE
from gansdk.tasks.restore import RESTORE
from gansdk.tasks.superres import SUPERRES
from gansdk.tasks.traverse import TRAVERSE

if TYPE_CHECKING:
    from gansdk.plugins.declarations import Task


@hookimpl
def gansdk_tasks() -> list[Task]:
    """The tasks that every installation has."""
    return [SUPERRES, RESTORE, GENERATE, TRAVERSE, ENCODE]
