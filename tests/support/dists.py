"""Small real distributions: a module and its metadata in a folder, found as pip's own installations are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_distribution(folder: Path, name: str, code: str | None, *, version: str = "1.0", module: str = "") -> str:
    """Installs a plugin into ``folder``; with ``code`` None, its module is one that can be imported already."""
    module = module or name.replace("-", "_")
    folder.mkdir(exist_ok=True)
    if code is not None:
        (folder / f"{module}.py").write_text(code, "utf-8")
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[gansdk]\n{module} = {module}\n", "utf-8")
    return module


HOOKS = """
from gansdk import Facts, Method, Task, hookimpl

def task(name, options="gansdk.tasks.superres:SuperresOptions"):
    return Task(name=name, summary="for tests", unsupported_reason=lambda facts: None, slots=(),
                outputs={"record": "record"}, options=options, function="builtins:dict")

def method(name, **fields):
    return Method(name=name, summary="for tests", paper="none", licence="Apache-2.0", requires=f"plug-{name}>=1",
                  network_options="a:b", networks="a:b", assemble="a:b", **fields)
"""
"""What a plugin's module begins with."""

BROKEN = {
    "import-error": ("import a_module_that_nobody_has\n", "ModuleNotFoundError"),
    "syntax-error": ("def broken(:\n", "SyntaxError"),
    "system-exit": ("raise SystemExit('no licence key')\n", "SystemExit: no licence key"),
    "hook-error": (HOOKS + "@hookimpl\ndef gansdk_tasks():\n    raise ValueError('two\\nlines')\n", "ValueError: two"),
    "wrong-return": (HOOKS + "@hookimpl\ndef gansdk_tasks():\n    return ['superres']\n", "gansdk_tasks gave str"),
    "no-list": (HOOKS + "@hookimpl\ndef gansdk_methods():\n    return 5\n", "gansdk_methods gave int"),
    "unknown-hook": (HOOKS + "@hookimpl\ndef gansdk_task():\n    return []\n", "gansdk_task"),
    "bad-name": (HOOKS + "@hookimpl\ndef gansdk_tasks():\n    return [task('Not A Name')]\n", "'Not A Name'"),
    "half": (
        HOOKS + "@hookimpl\ndef gansdk_tasks():\n    yield task('half')\n    raise RuntimeError('then it broke')\n",
        "then it broke",
    ),
}
"""Plugins that do not work, and what is said of each."""
