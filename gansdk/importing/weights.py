"""``gansdk import``: a stranger's file of weights becomes a model folder like any other."""

from __future__ import annotations

import shlex
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from gansdk._version import __version__
from gansdk.errors import GansdkError, InputError, MissingPluginError, ModelError, PluginError, UsageError
from gansdk.evaluation.precision import measure_loaded, photographs
from gansdk.files import sha256
from gansdk.hub.snapshots import fetch_file
from gansdk.importing.destination import beside, destination
from gansdk.importing.reading import Table, bytes_of, find, parts, read
from gansdk.model.config import CONFIG, WEIGHTS, ModelConfig, Origin, read_config
from gansdk.model.tensors import fill, mismatches, shape_text
from gansdk.models.context import silent
from gansdk.models.loading import build_networks, build_shapes
from gansdk.models.runtime import has_native
from gansdk.models.writing import Export, write_model
from gansdk.options import RecordWriting, validate
from gansdk.plugins.declarations import Recognised, resolve
from gansdk.plugins.registry import discover
from gansdk.refs import Hub, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    from torch import nn

    from gansdk.evaluation.precision import PrecisionLoss
    from gansdk.models.loading import LoadedModel
    from gansdk.plugins.declarations import Importer, Method
    from gansdk.plugins.registry import Registry


_ROUNDS = 3
"""How many names of networks may stand before the keys, one before the other."""


@dataclass(frozen=True)
class Imported:
    """What became of a file.

    Attributes:
        folder: Where the model stands.
        config: What it declares; ``config.origin`` says what was recognised, and where in the file.
        losses: What bf16 costs on each photograph of the gate; empty where that was not measured.
        skipped: Whether the model was there already and stayed.
    """

    folder: Path
    config: ModelConfig
    losses: tuple[PrecisionLoss, ...] = ()
    skipped: bool = False


@dataclass(frozen=True)
class _Found:
    table: Table
    importer: Importer
    recognised: Recognised


def import_weights(
    file: str | PathLike[str],
    folder: str | PathLike[str] | None = None,
    *,
    on_exists: str = "error",
    licence: str = "",
    summary: str = "",
    measure: bool = True,
    registry: Registry | None = None,
    note: Callable[[str], None] = silent,
) -> Imported:
    """Makes a model folder from weights that others published. Nothing in their file is ever run.

    Args:
        file: A torch file (``.pth``, ``.pt``, ``.ckpt``, ``.bin``) or a safetensors file; its bytes decide which. Or
            one on the Hub, as in ``hub:org/name@v1:weights.pth``, which is fetched.
        folder: Where the model shall stand; if not given, beside the file and called like it, for one on the Hub in
            the working directory.
        on_exists: What to do where a model is there: ``error``, ``skip``, ``overwrite`` or ``rename``. A folder that
            holds anything else is never replaced.
        licence: SPDX expression for the weights, as their author states it.
        summary: One line for listings.
        measure: Whether to find out if bf16 is safe for it, where this machine computes in it; takes seconds.
        registry: Whose importers recognise it; those of all installed plugins if not given.
        note: Takes lines that the user should read.

    Returns:
        What was recognised and where the model is: a ref for ``pipeline(task, model=…)``.

    Raises:
        InputError: If the file is missing, damaged or unsafe, or no importer knows its layout.
        OutputError: If the folder is in the way or cannot be written.
        MissingPluginError: If the method of the networks is not installed.
        HubError: If a file on the Hub cannot be had.
    """
    source = _on_hub(file)
    path = Path(source.file if source is not None else file)
    if source is None:
        _refuse_own(path)
    on_exists = validate(RecordWriting, {"on_exists": on_exists}).on_exists
    wanted = Path(folder) if folder is not None else beside(Path(path.name) if source is not None else path)
    target = destination(wanted, on_exists)
    if target is None:
        return Imported(wanted, read_config(wanted), skipped=True)
    place = ""
    if source is not None:
        place, path = _fetched(source, note)
    registry = registry if registry is not None else discover()
    found = _recognise(path, find(read(path)), list(registry.importers.values()))
    method = _method(registry, found.importer)
    networks = _networks(path, method, found)
    facts = found.recognised.facts.model_copy(update={"safe_precisions": ()})
    export = Export(facts, found.recognised.network, networks)
    losses = _losses(export.loaded(method), note) if measure else ()
    if losses and all(loss.passes for loss in losses):
        export = replace(export, facts=facts.model_copy(update={"safe_precisions": ("bf16",)}))
    config = write_model(
        target,
        method,
        export,
        origin=_origin(path, place, found, registry),
        summary=summary or f"{found.recognised.layout}, imported from {path.name}",
        licence=licence,
    )
    return Imported(target, config, losses)


def _refuse_own(path: Path) -> None:
    """Refuses the weights of a model folder, which needs no import."""
    if path.name != WEIGHTS or not (path.parent / CONFIG).is_file():
        return
    with suppress(ModelError):  # another program's config.json lies beside another program's weights
        method = read_config(path.parent).method
        hint = f"use it with --model {shlex.quote(f'{path.absolute().parent}/')}"
        raise InputError(f"{path} is of a gansdk model already, of the method {method}", hint=hint)


def _on_hub(file: str | PathLike[str]) -> Hub | None:
    """What is named of the Hub; None: a file of this machine."""
    ref = parse(file) if isinstance(file, str) and file.startswith("hub:") else None
    if not isinstance(ref, Hub):
        return None
    if not ref.file:
        hint = f"name it after a colon: {ref}:weights.pth; its page lists its files"
        raise UsageError(f"{ref} names a repository, not a file of weights", hint=hint)
    return ref


def _fetched(ref: Hub, note: Callable[[str], None]) -> tuple[str, Path]:
    """A file on the Hub: its name there, with the commit, and its place here."""
    snapshot, path = fetch_file(ref, note=note)
    return str(replace(ref, revision=snapshot.sha)), path


def _recognise(path: Path, tables: Sequence[Table], importers: Sequence[Importer]) -> _Found:
    if not importers:
        raise MissingPluginError("no plugin here can import weights", hint="see `gansdk plugins`")
    asked = list(tables)
    for _ in range(_ROUNDS):
        found, refusals = _ask(path, asked, importers)
        if len(found) > 1:
            names = " and ".join(one.table.place or one.importer.name for one in found)
            raise InputError(f"{path} holds several networks: {names}", hint="save the one that you want on its own")
        if found:
            return found[0]
        if refusals:
            raise refusals[0]
        asked = [part for table in asked for part in parts(table)]
    raise _unknown(path, tables, importers)


def _ask(path: Path, tables: Sequence[Table], importers: Sequence[Importer]) -> tuple[list[_Found], list[GansdkError]]:
    found: list[_Found] = []
    refusals: list[GansdkError] = []
    for table in tables:
        for importer in importers:
            try:
                recognised = resolve(importer.function)(table.tensors)
            except InputError as error:
                refusals.append(InputError(f"{path}: {error.message}", hint=error.hint))
                continue
            if recognised is not None and not isinstance(recognised, Recognised):
                raise PluginError(f"importer {importer.name} gave {type(recognised).__name__}, not Recognised or None")
            if recognised is not None:
                found.append(_Found(table, importer, recognised))
    return found, refusals


def _unknown(path: Path, tables: Sequence[Table], importers: Sequence[Importer]) -> InputError:
    layouts = ", ".join(layout for importer in importers for layout in importer.layouts)
    if not tables:
        return InputError(f"{path} holds no table of tensors", hint=f"what can be imported: {layouts}")
    largest = max(tables, key=lambda table: len(table.tensors))
    keys = ", ".join(f"{key[:60]} {shape_text(tensor.shape)}" for key, tensor in list(largest.tensors.items())[:4])
    where = f" under {largest.place!r}" if largest.place else ""
    what = f"{path} is in no known layout; it has {len(largest.tensors)} tensors{where}: {keys}"
    return InputError(what + (" …" if len(largest.tensors) > 4 else ""), hint=f"what can be imported: {layouts}")


def _method(registry: Registry, importer: Importer) -> Method:
    if importer.method not in registry.methods:
        what = (
            f"the importer {importer.name} fills networks of {importer.method!r}, a method that no plugin here brings"
        )
        raise MissingPluginError(what, hint="see `gansdk plugins`")
    return registry.methods[importer.method]


def _networks(path: Path, method: Method, found: _Found) -> dict[str, nn.Module]:
    """The method's networks, filled; nothing is allocated for what the file does not hold."""
    network, tensors = found.recognised.network, found.recognised.tensors
    if bytes_of(found.table.tensors.values()) > path.stat().st_size:
        raise InputError(f"{path}: its tensors claim more bytes than it has", hint="download it again")
    try:
        with torch.random.fork_rng(devices=[]):
            problems = mismatches(build_shapes(method, network, len(tensors)), tensors)
            if problems:
                more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
                what = f"{path} looks like {found.recognised.layout} but does not fit it"
                raise InputError(f"{what}: {'; '.join(problems[:3])}{more}", hint="it may be a variant of it")
            networks = build_networks(method, network)
    except ModelError as error:
        raise InputError(f"{path}: {error.message}", hint="gansdk has no network of such sizes") from None
    fill(networks, tensors, path)
    for name, built in networks.items():
        for key, tensor in built.state_dict().items():
            if not torch.isfinite(tensor).all():
                raise InputError(f"{path}: there is NaN or infinity in {name}.{key}", hint="the file is damaged")
    return networks


def _losses(loaded: LoadedModel, note: Callable[[str], None]) -> tuple[PrecisionLoss, ...]:
    if loaded.facts.generator is None:
        return ()
    if not has_native(torch.device("cpu"), "bf16"):
        note("bf16 was not tried: this CPU does not compute in it; the model will run in fp32")
        return ()
    return tuple(measure_loaded(loaded, "bf16", photographs()))


def _origin(path: Path, place: str, found: _Found, registry: Registry) -> Origin:
    versions = {"gansdk": __version__, "torch": torch.__version__}
    versions |= {
        status.source.distribution: status.source.version
        for status in registry.statuses
        if found.importer.name in status.importers
    }
    return Origin(
        file=path.name,
        digest=sha256(path),
        hub=place,
        layout=found.recognised.layout,
        table=found.table.place,
        left_out=found.table.left_out,
        numbers=tuple(sorted({str(t.dtype).removeprefix("torch.") for t in found.table.tensors.values()})),
        importer=found.importer.name,
        versions=versions,
    )
