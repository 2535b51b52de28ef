"""The model folder: ``config.json`` and safetensors files, nothing that could run code.

A folder is read in two steps. :func:`read_config` reads ``config.json`` alone, so that a listing reads no weights.
:func:`check_files` compares files with their digests and makes sure that they are safetensors by their bytes.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from gansdk.errors import GansdkError, InputError, ModelError, NotApplicableError
from gansdk.files import parse_json, read_plain, settle_folder, sha256
from gansdk.model.facts import Facts, LatentGeneratorFacts
from gansdk.model.tensors import read_header
from gansdk.model.variables import Frozen

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path


FORMAT = 1
CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INITIAL = "initial.safetensors"
BASE = "base.safetensors"
DIRECTIONS = "directions.safetensors"
EVALUATION = "evaluation.json"
ATTRIBUTIONS = "attributions.json"
README = "README.md"

CARD_IMAGES = "card-*.webp"
"""The images of a card, which ``gansdk card`` writes beside its ``README.md``."""

_ALWAYS = (CONFIG, README, EVALUATION, ATTRIBUTIONS)

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\.(safetensors|json)")

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
MethodName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=100)]
Requirement = Annotated[
    str,
    # It cannot begin as an option of pip does: users are told to run this line.
    Field(pattern=r"^[A-Za-z0-9][ -~]*$", max_length=300, description="what pip installs to get the method"),
]


class TrainingData(Frozen):
    """A data set that a model was trained on."""

    name: str
    licence: str
    items: Annotated[int, Field(ge=0)]
    digest: Annotated[str, Field(description="sha256 over the items' names and bytes")] = ""


class Trained(Frozen):
    """How a model was trained, in enough detail to train it again."""

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
        tuple[tuple[str, str], ...], Field(description="(player, term) pairs that were switched off, in an ablation")
    ] = ()
    device: Annotated[str, Field(description="where it was computed; empty where that was not recorded")] = ""
    precision: Annotated[str, Field(description="in what numbers; empty where that was not recorded")] = ""
    threads: Annotated[int | Literal["auto"], Field(description="of the CPU")] = "auto"
    commit: Annotated[str, Field(description="of the code that trained it; empty outside a repository")] = ""
    versions: dict[str, str] = {}

    @property
    def unfinished(self) -> str:
        """How far an interrupted training came, as ``step 3 of 6``; empty for a finished one."""
        planned = self.options.get("steps")
        return f"step {self.steps} of {planned}" if isinstance(planned, int) and self.steps < planned else ""


class Origin(Frozen):
    """Where imported weights came from."""

    file: Annotated[str, Field(description="its name, without a folder")]
    digest: Digest
    hub: Annotated[str, Field(description="the file on the Hub, with its commit; empty for one from elsewhere")] = ""
    layout: Annotated[str, Field(description="whose network it is, by the names and shapes of its tensors")]
    table: Annotated[
        str, Field(description="the keys under which the tensors were, outermost first, joined by dots; empty for none")
    ] = ""
    left_out: Annotated[tuple[str, ...], Field(description="other tables of tensors in the same file")] = ()
    numbers: Annotated[tuple[str, ...], Field(description="what they were stored in, as 'fp16'")] = ()
    importer: str
    versions: dict[str, str] = {}


class Base(Frozen):
    """Another method's model, whose networks this model uses; its tensors are in ``base.safetensors``.

    It has no base of its own, and no directions: those that the outer model has are declared in the outer facts.
    """

    method: MethodName
    requires: Requirement
    facts: Facts
    network: dict[str, Any]


class ModelConfig(Frozen):
    """The content of ``config.json``."""

    gansdk: Literal[1]
    method: MethodName
    requires: Requirement
    summary: Annotated[str, Field(max_length=2000)] = ""
    licence: Annotated[str, Field(max_length=300, description="SPDX expression for the weights")] = ""
    facts: Facts
    network: dict[str, Any]
    files: dict[str, Digest]
    base: Annotated[Base | None, Field(description="the model of another method that it uses")] = None
    checkpoints: Annotated[
        dict[Literal["0", "1"], str],
        Field(description="for a model that carries two: 0 is the one that training started from, 1 the trained one"),
    ] = {}
    trained: Trained | None = None
    origin: Annotated[Origin | None, Field(description="of imported weights; None for those trained here")] = None

    @field_validator("files")
    @classmethod
    def _plain_names(cls, files: dict[str, str]) -> dict[str, str]:
        for name in files:
            if not _FILE_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not a plain name of a safetensors or JSON file")
        if WEIGHTS not in files:
            raise ValueError(f"{WEIGHTS} is not among them")
        return files

    @model_validator(mode="after")
    def _whole_checkpoints(self) -> Self:
        if self.checkpoints and (set(self.checkpoints) != {"0", "1"} or self.checkpoints["1"] != WEIGHTS):
            raise ValueError(f"checkpoints are '0' and '1', and '1' is {WEIGHTS}")
        for name in self.checkpoints.values():
            if name not in self.files or not name.endswith(".safetensors"):
                raise ValueError(f"the checkpoint {name!r} is not among the safetensors files")
        return self

    @model_validator(mode="after")
    def _files_are_complete(self) -> Self:
        generator = self.facts.generator
        is_named = isinstance(generator, LatentGeneratorFacts) and bool(generator.directions)
        if is_named and DIRECTIONS not in self.files:
            raise ValueError(f"the facts name directions, and {DIRECTIONS} is not among the files")
        if DIRECTIONS in self.files and not is_named:
            raise ValueError(f"{DIRECTIONS} is among the files, and the facts name no direction")
        if self.base is not None and BASE not in self.files:
            raise ValueError(f"it has a base, and {BASE} is not among the files")
        if self.base is None and BASE in self.files:
            raise ValueError(f"{BASE} is among the files, and it has no base")
        return self

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """The short fields: facts, network and files are pages long."""
        return [("method", self.method), ("summary", self.summary), ("licence", self.licence)]

    def to_json(self) -> str:
        """The text of ``config.json``, with a closing newline."""
        return self.model_dump_json(indent=2, exclude_defaults=False) + "\n"

    def of_base(self, base: Base) -> ModelConfig:
        """The base's config, as if it were a model whose weights are ``base.safetensors``."""
        own: dict[str, Any] = {**dict(base), "files": {BASE: self.files[BASE]}}
        return self.model_copy(update={**own, "base": None, "checkpoints": {}, "trained": None, "origin": None})


def read_config(folder: Path) -> ModelConfig:
    """Reads and validates a model folder's ``config.json`` and nothing else.

    Raises:
        InputError: If there is no such folder.
        ModelError: If the file is missing, not JSON, of another format version, or has a wrong or unknown field.
    """
    path = folder / CONFIG
    if not path.is_file():
        settle_folder(folder)  # a training may be putting its next model in place
    if not folder.exists():
        raise InputError(f"there is no folder {folder}", hint="see `gansdk models` for what is installed")
    if not path.is_file():
        raise ModelError(f"{folder} is not a model folder: it has no {CONFIG}", hint="give a model or run folder")
    return parse_config(read_json(path), str(path))


def read_json(path: Path, error: type[GansdkError] = ModelError, hint: str = "get the model again") -> Any:
    """The JSON in a file, which may come from anyone; raises ``error``, with ``hint``, if it cannot be read."""
    try:
        return parse_json(read_plain(path))
    except OSError as reason:
        raise error(f"{path} cannot be read: {reason.strerror or reason}", hint=hint) from None
    except ValueError as reason:
        raise error(f"{path} cannot be read as JSON: {reason}", hint=hint) from None


Record = TypeVar("Record", bound=BaseModel)


def read_record(path: Path, kind: type[Record], error: type[GansdkError], hint: str) -> Record:
    """The JSON in a file as a record, its fields checked; raises as :func:`read_json`."""
    raw = read_json(path, error, hint)
    try:
        return kind.model_validate(raw)
    except ValidationError as reason:
        raise error(f"{path}: {describe_errors(reason)}", hint=hint) from None


def parse_config(raw: Any, place: str) -> ModelConfig:
    """Validates what was read from a ``config.json``; the ``ModelError`` for a fault names the place and the field."""
    if not isinstance(raw, dict) or "gansdk" not in raw:
        what = f"{place} is not a gansdk config: the field 'gansdk' is missing"
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
    """Compares all files that a config names with their digests; raises as :func:`check_files`."""
    check_files(folder, config.files)


def check_files(folder: Path, files: Mapping[str, str]) -> None:
    """Compares files of a model folder with their digests.

    Args:
        folder: Where they are.
        files: Their digests by name, as in ``config.json``.

    Raises:
        ModelError: If a file is missing, has another digest, or only claims to be a safetensors file.
    """
    for name, expected in files.items():
        path = folder / name
        if not path.is_file():
            raise ModelError(f"{folder} lacks {name}", hint="get the model again")
        if path.suffix == ".safetensors":
            read_header(path)
        found = sha256(path)
        if found != expected:
            what = f"{path} is not the file that {CONFIG} names: expected {expected[:19]}…, got {found[:19]}…"
            raise ModelError(what, hint="get the model again")


def belongs(name: str, files: Collection[str] = ()) -> bool:
    """Whether a model folder may have a file of this name; ``files`` are those that the config names."""
    return name in _ALWAYS or name in files or ("/" not in name and fnmatchcase(name, CARD_IMAGES))


def needed_files(config: ModelConfig, network_interpolation: float | None = None) -> dict[str, str]:
    """The files that a task reads, with their digests; the initial checkpoint only for an interpolation below 1."""
    names = {WEIGHTS, DIRECTIONS, BASE}
    if network_interpolation is not None and network_interpolation < 1:
        names.add(config.checkpoints["0"])
    return {name: digest for name, digest in config.files.items() if name in names}


def check_network_interpolation(config: ModelConfig, network_interpolation: float | None) -> None:
    """Raises a :class:`NotApplicableError` for an interpolation of a model that carries one checkpoint."""
    if network_interpolation is not None and not config.checkpoints:
        what = "this model carries one checkpoint only, so network_interpolation does not apply"
        raise NotApplicableError(what, hint="leave network_interpolation out")


_MOST_FAULTS = 1000
"""If more fields are wrong, none is described: the descriptions would take more memory than the file."""

_MOST_DESCRIBED = 5


def describe_errors(error: ValidationError) -> str:
    """The first wrong fields, joined: where each is and what is wrong with it."""
    if error.error_count() > _MOST_FAULTS:
        return f"{error.error_count()} fields are wrong"
    lines = []
    for problem in error.errors(include_url=False, include_input=False)[:_MOST_DESCRIBED]:
        where = ".".join(str(step)[:80] for step in problem["loc"])
        if problem["type"] == "extra_forbidden":
            lines.append(f"unknown field {where!r}")
        elif problem["type"] == "missing":
            lines.append(f"field {where!r} is missing")
        else:
            lines.append(f"field {where!r}: {problem['msg'][:200]}")
    more = error.error_count() - len(lines)
    return "; ".join(lines) + (f"; and {more} more" if more else "")


class Credit(Frozen):
    """A work, as an image or a recording, and who made it."""

    item: Annotated[str, Field(description="its name in the data set")]
    licence: Annotated[str, Field(description="SPDX expression, or 'unstated'")]
    author: str = ""
    source: str = ""


class Attributions(Frozen):
    """The works of which something is known, by the names of the data sets in ``config.json``."""

    data: dict[str, tuple[Credit, ...]] = {}

    def to_json(self) -> str:
        """The text of ``attributions.json``, with a closing newline."""
        return self.model_dump_json(indent=1) + "\n"


def read_attributions(folder: Path) -> Attributions:
    """The works that a model was trained on, as its folder states them; empty if it states none."""
    path = folder / ATTRIBUTIONS
    if not path.exists():
        return Attributions()
    return read_record(path, Attributions, ModelError, "get the model again")
