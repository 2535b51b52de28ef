"""A model folder: ``config.json``, safetensors, and nothing that could run code.

A folder is read in two steps. :func:`read_config` looks at ``config.json`` alone, so that a listing costs no weights;
:func:`check_folder` holds the files against it: all there, nothing else of the format, digests right, and really
safetensors by their bytes, whatever they are called.
"""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, field_validator, model_validator

from gansdk.errors import GansdkError, InputError, ModelError, NotApplicableError
from gansdk.files import MOST_JSON, parse_json, read_plain, settle_folder, sha256
from gansdk.model.facts import Facts, LatentGeneratorFacts
from gansdk.model.variables import Frozen

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from torch import nn


FORMAT = 1
CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INITIAL = "initial.safetensors"
EVALUATION = "evaluation.json"
ATTRIBUTIONS = "attributions.json"
DIRECTIONS = "directions.safetensors"
README = "README.md"

CARD_IMAGES = "card-*.webp"
"""Which files beside a ``README.md`` are the images of a card that ``gansdk card`` made."""

_ALWAYS = (CONFIG, README, EVALUATION, ATTRIBUTIONS)

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\.(safetensors|json)")


class TrainingData(Frozen):
    """A data set that a model was trained on."""

    name: str
    licence: str
    items: Annotated[int, Field(ge=0)]
    digest: Annotated[str, Field(description="sha256 over the items' names and bytes")] = ""


class Trained(Frozen):
    """How a model came to be; enough to make it again."""

    recipe: str
    config: str
    options: dict[str, Any] = {}
    seed: int
    steps: Annotated[int, Field(ge=0)]
    seconds: Annotated[float, Field(ge=0)] = 0.0
    data: tuple[TrainingData, ...] = ()
    dependencies: Annotated[
        dict[str, str], Field(description="models and files that training read besides its data, with their digests")
    ] = {}
    ablated_terms: Annotated[
        tuple[tuple[str, str], ...], Field(description="(player, term) pairs that were switched off: a baseline's")
    ] = ()
    device: Annotated[str, Field(description="where it was computed; empty where that was not recorded")] = ""
    precision: Annotated[str, Field(description="in what numbers; empty where that was not recorded")] = ""
    threads: Annotated[int | Literal["auto"], Field(description="of the CPU")] = "auto"
    commit: Annotated[str, Field(description="of the code that trained it; empty outside a repository")] = ""
    versions: dict[str, str] = {}

    @property
    def unfinished(self) -> str:
        """How far a training came that is short of its planned steps, as ``step 3 of 6``; empty for a finished one."""
        planned = self.options.get("steps")
        return f"step {self.steps} of {planned}" if isinstance(planned, int) and self.steps < planned else ""


class Origin(Frozen):
    """Where weights came from that others trained and published."""

    file: Annotated[str, Field(description="its name, without a folder")]
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    hub: Annotated[str, Field(description="the file on the Hub, with its commit; empty for one from elsewhere")] = ""
    layout: Annotated[str, Field(description="whose network it is, by the names and shapes of its tensors")]
    table: Annotated[
        str, Field(description="the keys under which the tensors were, outermost first, joined by dots; empty for none")
    ] = ""
    left_out: Annotated[tuple[str, ...], Field(description="other tables of tensors in the same file")] = ()
    numbers: Annotated[tuple[str, ...], Field(description="what they were stored in, as 'fp16'")] = ()
    importer: str
    versions: dict[str, str] = {}


class ModelConfig(Frozen):
    """The content of ``config.json``."""

    gansdk: Literal[1]
    method: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=100)]
    requires: Annotated[
        str,
        # no option of pip: users are told to run this line
        Field(pattern=r"^[A-Za-z0-9][ -~]*$", max_length=300, description="what pip installs to get the method"),
    ]
    summary: Annotated[str, Field(max_length=2000)] = ""
    licence: Annotated[str, Field(max_length=300, description="SPDX expression for the weights")] = ""
    facts: Facts
    network: dict[str, Any]
    files: dict[str, Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]]
    checkpoints: Annotated[
        dict[Literal["0", "1"], str],
        Field(description="the weights that the load option blend goes between, for a model that carries two sets"),
    ] = {}
    trained: Trained | None = None
    origin: Annotated[Origin | None, Field(description="of imported weights; None for those trained here")] = None

    @field_validator("files")
    @classmethod
    def _plain_names(cls, files: dict[str, str]) -> dict[str, str]:
        for name in files:
            if not _FILE_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no plain name of a safetensors or JSON file")
        if WEIGHTS not in files:
            raise ValueError(f"{WEIGHTS} is not among them")
        return files

    @model_validator(mode="after")
    def _whole_checkpoints(self) -> Self:
        if self.checkpoints and (set(self.checkpoints) != {"0", "1"} or self.checkpoints["1"] != WEIGHTS):
            raise ValueError(f"ends are '0' and '1', and '1' is {WEIGHTS}")
        for name in self.checkpoints.values():
            if name not in self.files or not name.endswith(".safetensors"):
                raise ValueError(f"the end {name!r} is not among the safetensors files")
        return self

    @model_validator(mode="after")
    def _directions_have_vectors(self) -> Self:
        generator = self.facts.generator
        is_named = isinstance(generator, LatentGeneratorFacts) and bool(generator.directions)
        if is_named and DIRECTIONS not in self.files:
            raise ValueError(f"the facts name directions, and {DIRECTIONS} is not among the files")
        if DIRECTIONS in self.files and not is_named:
            raise ValueError(f"{DIRECTIONS} is among the files, and the facts name no direction")
        return self

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """What is shown of it: facts, network and files are pages long."""
        return [("method", self.method), ("summary", self.summary), ("licence", self.licence)]

    def to_json(self) -> str:
        """The text of ``config.json``, with a closing newline."""
        return self.model_dump_json(indent=2, exclude_defaults=False) + "\n"


def read_config(folder: Path) -> ModelConfig:
    """Reads and validates a model folder's ``config.json`` and nothing else.

    Raises:
        InputError: If there is no such folder.
        ModelError: If the file is missing, no JSON, of another format version, or has a wrong or unknown field.
    """
    path = folder / CONFIG
    if not path.is_file():
        settle_folder(folder)  # a training may be putting its next model in place
    if not folder.exists():
        raise InputError(f"there is no folder {folder}", hint="see `gansdk models` for what is installed")
    if not path.is_file():
        raise ModelError(f"{folder} is no model folder: it has no {CONFIG}", hint="give a model or run folder")
    return parse_config(read_json(path), str(path))


def read_json(path: Path, error: type[GansdkError] = ModelError, hint: str = "get the model again") -> Any:
    """What a file holds that may come from a stranger.

    Args:
        path: The file.
        error: What is raised.
        hint: What helps.

    Raises:
        GansdkError: The one given, if it cannot be read as JSON.
    """
    try:
        return parse_json(read_plain(path))
    except OSError as reason:
        raise error(f"{path} cannot be read: {reason.strerror or reason}", hint=hint) from None
    except ValueError as reason:
        raise error(f"{path} cannot be read as JSON: {reason}", hint=hint) from None


Record = TypeVar("Record", bound=BaseModel)


def read_record(path: Path, kind: type[Record], error: type[GansdkError], hint: str) -> Record:
    """The record that a JSON file holds, its fields checked; raises as `read_json`."""
    raw = read_json(path, error, hint)
    try:
        return kind.model_validate(raw)
    except ValidationError as reason:
        raise error(f"{path}: {describe_errors(reason)}", hint=hint) from None


def parse_config(raw: Any, place: str) -> ModelConfig:
    """Validates what was read from a ``config.json``; errors name its place and the field.

    Raises:
        ModelError: If it is none of gansdk's, of another format version, or has a wrong or unknown field.
    """
    if not isinstance(raw, dict) or "gansdk" not in raw:
        what = f"{place} is no gansdk config: the field 'gansdk' is missing"
        raise ModelError(what, hint="name a folder that gansdk wrote")
    version = raw["gansdk"]
    if isinstance(version, int) and not isinstance(version, bool) and version > FORMAT:
        hint = "pip install --upgrade gansdk"
        raise ModelError(f"{place} has format version {version}, this gansdk reads {FORMAT}", hint=hint)
    try:
        return ModelConfig.model_validate(raw)
    except ValidationError as error:
        raise ModelError(f"{place}: {describe_errors(error)}", hint="the file was changed or is damaged") from None


def check_folder(folder: Path, config: ModelConfig) -> None:
    """Holds a model folder's files against its config.

    Raises:
        ModelError: If a file is missing, has another digest, or is no safetensors file although it claims to be.
    """
    check_files(folder, config.files)


def check_files(folder: Path, files: Mapping[str, str]) -> None:
    """Holds some of a model folder's files against their digests; raises as `check_folder`.

    Args:
        folder: Where they are.
        files: By name, what ``config.json`` says of them: ``sha256:…``.
    """
    for name, expected in files.items():
        path = folder / name
        if not path.is_file():
            raise ModelError(f"{folder} lacks {name}", hint="get the model again")
        if path.suffix == ".safetensors":
            check_safetensors(path)
        found = sha256(path)
        if found != expected:
            what = f"{path} is not the file that {CONFIG} names: expected {expected[:19]}…, got {found[:19]}…"
            raise ModelError(what, hint="get the model again")


def belongs(name: str, files: Collection[str] = ()) -> bool:
    """Whether a model folder may have a file of this name: config, evaluation, attributions, card and its images.

    Args:
        name: The file's, within the folder.
        files: Those that the config names besides.
    """
    return name in _ALWAYS or name in files or ("/" not in name and fnmatchcase(name, CARD_IMAGES))


def needed_files(config: ModelConfig, network_interpolation: float | None = None) -> dict[str, str]:
    """Of a model's files those that a task reads, with their digests.

    Args:
        config: What the model declares.
        network_interpolation: Where between the ends of a model that has two; the start's weights are needed below 1.
    """
    names = {WEIGHTS, DIRECTIONS}
    if network_interpolation is not None and network_interpolation < 1:
        names.add(config.checkpoints["0"])
    return {name: digest for name, digest in config.files.items() if name in names}


def check_network_interpolation(config: ModelConfig, network_interpolation: float | None) -> None:
    """Refuses a blend for a model that has nothing to blend.

    Raises:
        NotApplicableError: If ``network_interpolation`` is given and the model carries one set of weights only.
    """
    if network_interpolation is not None and not config.checkpoints:
        raise NotApplicableError("this model has one end only, so blend does not apply", hint="leave blend out")


class Stored(NamedTuple):
    """A tensor as the header of a safetensors file declares it.

    Attributes:
        dtype: As the format spells it, ``F32``.
        shape: Its sizes.
        data_offsets: Its first byte behind the header, and the one after its last.
    """

    dtype: str
    shape: Annotated[tuple[Annotated[int, Field(ge=0, le=2**40)], ...], Field(max_length=8)]
    data_offsets: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]


_HEADER = TypeAdapter(dict[str, Stored])
_METADATA = TypeAdapter(dict[str, str])


def check_safetensors(path: Path) -> None:
    """Looks at a file's bytes, never at its name: is it a whole safetensors file? Raises as `read_header`."""
    read_header(path)


def read_header(path: Path) -> tuple[dict[str, Stored], dict[str, str]]:
    """What a safetensors file says that it holds, which may come from a stranger and is held against its size.

    Returns:
        The tensors by name, and what the file says of itself.

    Raises:
        ModelError: If it is a pickle or an archive in disguise, cut short, or has a header that does not add up.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(9)
        length = struct.unpack("<Q", start[:8])[0] if len(start) == 9 else 0
        if not 2 <= length <= size - 8 or start[8:] != b"{":
            # A header's length may begin with the same byte as a pickle, so a pickle is told by what does not follow.
            if start[:1] == b"\x80" or start[:2] == b"PK":
                what = f"{path} is a pickle, whatever its name says; it was not opened"
                raise ModelError(what, hint=_ONLY_SAFETENSORS)
            raise ModelError(f"{path} is no safetensors file, or was cut short", hint="get the model again")
        if length > MOST_JSON:
            raise ModelError(f"{path} has a header of {length} bytes, which no weights need", hint=_ONLY_SAFETENSORS)
        header = start[8:] + file.read(length - 1)
    try:
        raw = parse_json(header)
        metadata = _METADATA.validate_python(raw.pop("__metadata__", {}))
        entries = _HEADER.validate_python(raw)
    except (ValueError, AttributeError):  # AttributeError: a list, say
        raise ModelError(f"{path} is no safetensors file: its header is unreadable", hint=_ONLY_SAFETENSORS) from None
    if any(math.prod(entry.shape) > 8 * size for entry in entries.values()):
        raise ModelError(f"{path} is no safetensors file: a tensor claims more than there is", hint=_ONLY_SAFETENSORS)
    if 8 + length + max((entry.data_offsets[1] for entry in entries.values()), default=0) != size:
        raise ModelError(f"{path} was cut short or has bytes too many", hint="get the model again")
    return entries, metadata


_MOST_FAULTS = 1000
"""Of so many wrong fields none is described: a description of each would take more memory than the file."""


def describe_errors(error: ValidationError) -> str:
    """The first wrong fields, joined: where each is and what is wrong with it."""
    if error.error_count() > _MOST_FAULTS:
        return f"{error.error_count()} fields are wrong"
    lines = []
    for problem in error.errors(include_url=False, include_input=False)[:_TOLD]:
        where = ".".join(str(step)[:80] for step in problem["loc"])
        if problem["type"] == "extra_forbidden":
            lines.append(f"unknown field {where!r}")
        elif problem["type"] == "missing":
            lines.append(f"field {where!r} is missing")
        else:
            lines.append(f"field {where!r}: {problem['msg'][:200]}")
    more = error.error_count() - len(lines)
    return "; ".join(lines) + (f"; and {more} more" if more else "")


_TOLD = 5
_ONLY_SAFETENSORS = "gansdk loads safetensors only"


class Credit(Frozen):
    """One work."""

    item: Annotated[str, Field(description="its name in the data set")]
    licence: Annotated[str, Field(description="SPDX expression, or 'unstated'")]
    author: str = ""
    source: str = ""


class Attributions(Frozen):
    """All works of which something is known, by the names of the data sets in ``config.json``."""

    data: dict[str, tuple[Credit, ...]] = {}

    def to_json(self) -> str:
        """The text of ``attributions.json``, with a closing newline."""
        return self.model_dump_json(indent=1) + "\n"


def read_attributions(folder: Path) -> Attributions:
    """What a model folder says about the works it was trained on; nothing where it says nothing.

    Raises:
        ModelError: If the file is there but is not what it should be.
    """
    path = folder / ATTRIBUTIONS
    if not path.exists():
        return Attributions()
    return read_record(path, Attributions, ModelError, "get the model again")


@dataclass(frozen=True)
class Export:
    """A model as it would ship.

    Attributes:
        facts: What it declares.
        network: JSON-able options from which the method builds exactly these networks.
        networks: By name.
        initial: The same networks before this training, where the model shall carry both ends of it: users then choose
            between them by the load option ``network_interpolation``.
    """

    facts: Facts
    network: Mapping[str, object]
    networks: Mapping[str, nn.Module]
    initial: Mapping[str, nn.Module] | None = None
