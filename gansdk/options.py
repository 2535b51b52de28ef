"""Options, declared once as pydantic models, and what their adapters share.

There are four groups. *Load* says how a model is brought into memory, *read* how an input file becomes data, *call*
is the task's own, *write* says how a result becomes a file. Command-line flags, Python keywords, JSON Schema and
documentation are all made from the same classes: a value is validated here and nowhere else.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar, cast, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
)
from pydantic_core import PydanticUndefined

from gansdk.errors import OptionError, UnknownNameError, option

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

RESERVED = frozenset({"model", "output", "json", "quiet", "verbose", "offline", "help", "progress", "cancel"})
"""Names that every verb, or every call from Python, uses itself, so that no option may have them."""

_SAID_BY_METAVAR = r"literal_error|(bool|int|float)_(parsing|parsing_size|type)|(greater|less)_than(_equal)?"
"""What pydantic calls the faults of a value that is not among those that the metavar shows."""


class _ExecutionOnly:
    """The type of :data:`EXECUTION_ONLY`."""


EXECUTION_ONLY = _ExecutionOnly()
"""Marks an option that decides how, or whether, a result is reached, and never what it is, as in
``Annotated[int, Field(...), EXECUTION_ONLY]``. A folder run keeps results that were made with another value of it."""


class Options(BaseModel):
    """Base of every group of options: frozen, bounded, and closed to names that it does not declare."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    @field_validator("*", mode="before")
    @classmethod
    def _number_of_text(cls, value: Any, info: ValidationInfo) -> Any:
        """A command line has texts only, of which pydantic makes numbers, but not those that ``Literal`` names."""
        if not isinstance(value, str) or info.field_name is None:
            return value
        named = named_values(cls.model_fields[info.field_name].annotation)
        return next((number for number in named if isinstance(number, int) and str(number) == value), value)


_Group = TypeVar("_Group", bound=Options)


def named_values(annotation: Any) -> list[Any]:
    """The values that a type names one by one, as ``Literal[1, 3] | None`` does."""
    arguments = get_args(annotation)
    if get_origin(annotation) is Literal:
        return list(arguments)
    return [value for argument in arguments for value in named_values(argument)]


def _colour(text: str) -> str:
    from PIL import ImageColor

    try:
        ImageColor.getrgb(text)
    except ValueError:
        raise ValueError("no colour; give a name like white or a code like #ffcc00") from None
    return text


def _device(text: str) -> str:
    if not re.fullmatch(r"auto|(cpu|mps)(:0)?|cuda(:\d+)?", text):
        raise ValueError("no device; give auto, cpu, cuda, cuda:N or mps")
    return text if text.startswith("cuda") else text.removesuffix(":0")


Colour = Annotated[str, AfterValidator(_colour), Field(json_schema_extra={"format": "color"})]
"""A colour by name or as ``#rrggbb``."""

Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""Where random numbers start; the same seed gives the same result."""

Device = Annotated[
    str,
    BeforeValidator(str),  # a torch.device, whose text is its name
    AfterValidator(_device),
    Field(json_schema_extra={"metavar": "auto|cpu|cuda[:N]|mps"}),
]
"""Where to compute, by torch's name or as a torch.device."""


class LoadOptions(Options):
    """How a model is brought into memory."""

    device: Annotated[
        Device, Field(description="where to compute; auto takes cuda, then mps, then cpu"), EXECUTION_ONLY
    ] = "auto"
    precision: Annotated[
        Literal["auto", "fp32", "bf16", "fp16"],
        Field(
            description="numbers to compute with; auto is reduced only where hardware and model are known to allow it"
        ),
    ] = "auto"
    threads: Annotated[
        Literal["auto"] | Annotated[int, Field(ge=1, le=1024)],
        Field(description="CPU threads; auto leaves torch's choice"),
        EXECUTION_ONLY,
    ] = "auto"
    network_interpolation: Annotated[
        Annotated[float, Field(ge=0, le=1)] | None,
        Field(description="of a model with two checkpoints: 0 is that before its training, 1 that after (its own: 1)"),
    ] = None


class ImageReading(Options):
    """How an image file becomes pixels."""

    frame: Annotated[
        Annotated[int, Field(ge=0)] | None,
        Field(description="which frame of an animated image, from 0; needed for those only"),
    ] = None
    max_pixels: Annotated[
        int, Field(ge=1, le=2**33, description="refuse images with more pixels than this"), EXECUTION_ONLY
    ] = 64_000_000
    strict: Annotated[
        bool, Field(description="refuse what could only be read with a loss or a guess"), EXECUTION_ONLY
    ] = False


_BY_NAME = "by the output's name if not given, else"


class Writing(Options):
    """What every group of writing options has."""

    format: Annotated[str | None, Field(description="file format")] = None
    on_exists: Annotated[
        Literal["error", "skip", "overwrite", "rename"],
        Field(description="what to do where the output exists"),
        EXECUTION_ONLY,
    ] = "error"


class AnyImageWriting(Writing):
    """What groups that write image files have in common; each has formats of its own."""

    quality: Annotated[int, Field(ge=1, le=100, description="of jpg and webp; 100 writes lossless webp")] = 92
    metadata: Annotated[
        Literal["keep", "strip"],
        Field(
            description="whether EXIF, XMP and IPTC data and texts of the input go into the output; "
            "webp holds no IPTC, only png holds texts (jpg: a comment)"
        ),
    ] = "keep"
    background: Annotated[
        Colour | None, Field(description="put transparent images on this colour; jpg needs it for them")
    ] = None


class ImageWriting(AnyImageWriting):
    """How an image becomes a file."""

    format: Annotated[
        Literal["png", "jpg", "webp", "tiff"] | None, Field(description=f"file format; {_BY_NAME} png")
    ] = None


class AnimationWriting(AnyImageWriting):
    """How images become one file that shows them side by side, or one after the other."""

    format: Annotated[
        Literal["png", "jpg", "webp", "tiff", "gif"] | None,
        Field(description=f"file format, gif or webp of an animation; {_BY_NAME} png"),
    ] = None
    fps: Annotated[float, Field(gt=0, le=60, description="images a second of an animation")] = 8.0


class ArraysWriting(Writing):
    """How named arrays become a file."""

    format: Annotated[Literal["npz"] | None, Field(description=f"npz of arrays; {_BY_NAME} npz")] = None


class RecordWriting(Writing):
    """How records become one file."""

    format: Annotated[
        Literal["jsonl", "npz"] | None, Field(description=f"JSON lines or named arrays; {_BY_NAME} jsonl")
    ] = None


@cache
def merged(groups: tuple[type[Options], ...]) -> type[Options]:
    """One group with the options of several, for a task that reads or writes several media.

    A name that several groups have is one option. The option ``format`` takes the formats of all of them; its default
    is the first format of the first group.
    """
    for group in groups:
        if all(issubclass(group, other) for other in groups):
            return group
    fields: dict[str, Any] = {}
    for group in groups:
        for name, field in group.model_fields.items():
            fields.setdefault(name, (field.annotation, field))
    formats = [group.model_fields["format"] for group in groups if "format" in group.model_fields]
    if formats:
        names = tuple(dict.fromkeys(name for field in formats for name in named_values(field.annotation)))
        texts = dict.fromkeys(str(field.description).partition("; ")[0] for field in formats)
        description = f"{', '.join(texts)}; {_BY_NAME} {names[0]}"
        fields["format"] = (Literal[names] | None, Field(None, description=description))
    made: type[_Merged] = create_model("Merged", __base__=_Merged, **fields)
    made.groups = groups
    return made


class _Merged(Options):
    """Base of what :func:`merged` makes. Such a class has no name under which another process would find it."""

    groups: ClassVar[tuple[type[Options], ...]]

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.groups, self.model_dump(exclude_unset=True))


def _restored(groups: tuple[type[Options], ...], values: Mapping[str, Any]) -> Options:
    return merged(groups)(**values)


def part_of(options: Options, group: type[_Group]) -> _Group:
    """The options of one group, out of those of a :func:`merged` one; the format of another group is left out."""
    if isinstance(options, group):
        return options
    values = {name: getattr(options, name) for name in group.model_fields if name in type(options).model_fields}
    if "format" in values and values["format"] not in named_values(group.model_fields["format"].annotation):
        del values["format"]
    return group(**values)


def shaping(options: Options) -> dict[str, Any]:
    """The values that decide what a result is, as JSON has them: all but those of options marked as means."""
    fields = type(options).model_fields.items()
    names = {name for name, field in fields if not any(isinstance(mark, _ExecutionOnly) for mark in field.metadata)}
    return options.model_dump(mode="json", include=names)


@dataclass(frozen=True)
class OptionInfo:
    """One option as its adapters see it."""

    name: str
    group: type[Options]
    help: str
    metavar: str
    default: Any
    required: bool
    is_flag: bool
    is_mapping: bool
    is_repeated: bool

    @property
    def flag(self) -> str:
        """The command-line spelling, as in ``--on-exists``; of one letter, as in ``-n``."""
        return "-" + self.name if len(self.name) == 1 else "--" + self.name.replace("_", "-")


def describe(group: type[Options]) -> list[OptionInfo]:
    """The options of one group, in the order of their declaration."""
    properties = group.model_json_schema()["properties"] if group.model_fields else {}
    return [_describe(name, field, group, properties[name]) for name, field in group.model_fields.items()]


def describe_all(groups: Iterable[type[Options]]) -> list[OptionInfo]:
    """The options of several groups; a name that is in two groups (``on_exists``) is listed once."""
    by_name: dict[str, OptionInfo] = {}
    for group in groups:
        for info in describe(group):
            by_name.setdefault(info.name, info)
    return list(by_name.values())


def _describe(name: str, field: FieldInfo, group: type[Options], schema: dict[str, Any]) -> OptionInfo:
    required = field.is_required()
    is_mapping = get_origin(field.annotation) is dict
    default = None if required else field.get_default(call_default_factory=True)
    return OptionInfo(
        name=name,
        group=group,
        help=field.description or "",
        metavar="NAME=VALUE" if is_mapping else metavar(schema),
        default=None if default is PydanticUndefined else default,
        required=required,
        is_flag=field.annotation is bool,
        is_mapping=is_mapping,
        is_repeated=get_origin(field.annotation) is tuple,
    )


def metavar(schema: Mapping[str, Any]) -> str:
    """How a JSON Schema's values are written, in a few characters: ``auto|off|32..4096``."""
    if "metavar" in schema:
        return str(schema["metavar"])
    alternatives = schema.get("anyOf") or schema.get("oneOf")
    if alternatives:
        return "|".join(metavar(schema) for schema in alternatives if schema.get("type") != "null")
    if "enum" in schema:
        return "|".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    kind = {"integer": "INT", "number": "NUMBER", "boolean": "true|false"}.get(str(schema.get("type")), "")
    if kind in {"INT", "NUMBER"}:
        return _range(schema, kind)
    return kind or {"path": "PATH", "color": "COLOUR"}.get(str(schema.get("format")), "TEXT")


def _range(schema: Mapping[str, Any], kind: str) -> str:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if low is None and high is None:
        return kind
    low_text, high_text = (f"{bound:g}" if isinstance(bound, float) else str(bound) for bound in (low, high))
    low_text = "" if low is None else f"{'>' if 'exclusiveMinimum' in schema else ''}{low_text}"
    high_text = "" if high is None or high >= 2**31 else f"{'<' if 'exclusiveMaximum' in schema else ''}{high_text}"
    return f"{low_text}..{high_text}"


def split(groups: Sequence[type[Options]], values: Mapping[str, Any]) -> list[Options]:
    """Validates named values against several groups at once and gives one object per group.

    Args:
        groups: The groups that may take part; a name that is in two of them goes to both.
        values: What was given, by option name. A name with value None counts as not given.

    Raises:
        UnknownNameError: If a name belongs to no group; the hint gives near names, or all of them.
        OptionError: If values are wrong: one line, all of them named.
    """
    known = {name for group in groups for name in group.model_fields}
    given = {name: value for name, value in values.items() if value is not None}
    for name in given:
        if name not in known:
            there = f"there are {', '.join(sorted(known))}" if known else "there are none"
            raise UnknownNameError("option", name, known, hint=there)
    problems: list[str] = []
    result: list[Options] = []
    for group in groups:
        try:
            result.append(group.model_validate({k: v for k, v in given.items() if k in group.model_fields}))
        except ValidationError as error:
            problems += [line for line in _problems(group, error) if line not in problems]
    if problems:
        raise OptionError("; ".join(problems), hint="")
    return result


def validate(group: type[_Group], values: Mapping[str, Any]) -> _Group:
    """Validates named values against one group, as :func:`split` does.

    Raises:
        UnknownNameError: If a name is not in the group.
        OptionError: If values are wrong.
    """
    (result,) = split([group], values)
    return cast("_Group", result)


def _problems(group: type[Options], error: ValidationError) -> list[str]:
    """One line per option: pydantic gives one per alternative of a union, which says less than the range does."""
    infos = {info.name: info for info in describe(group)}
    lines: dict[str, str] = {}
    for problem in error.errors(include_url=False):
        name = str(problem["loc"][0]) if problem["loc"] else ""
        if name not in infos:  # a rule about several options together
            lines[problem["msg"]] = problem["msg"].removeprefix("Value error, ")
            continue
        info = infos[name]
        spelled = option(name)
        given = f"{spelled} {_shown(problem['input'])}"
        if problem["type"] == "missing":
            lines[name] = f"{spelled} is required ({info.metavar})"
        elif re.fullmatch(_SAID_BY_METAVAR, problem["type"]) and not _is_fraction(problem):
            lines.setdefault(name, f"{given} is not one of {info.metavar}")
        else:  # what the range does not say goes before what it says
            lines[name] = f"{given}{_rule(problem, info)}"
    return list(lines.values())


def _is_fraction(problem: ErrorDetails) -> bool:
    """Whether a number was given in whose range only whole ones are allowed."""
    if problem["type"] != "int_parsing":
        return False
    try:
        number = float(problem["input"])
    except ValueError:
        return False
    return math.isfinite(number) and not number.is_integer()


def _rule(problem: ErrorDetails, info: OptionInfo) -> str:
    """Which rule a value breaks, as the end of a line."""
    if problem["type"] == "value_error":
        return f": {problem['msg'].removeprefix('Value error, ')}"
    if problem["type"] in {"int_parsing", "int_from_float"}:
        return f" is not a whole number ({info.metavar})"
    start, _, rule = problem["msg"].partition(" should be ")
    if start == "Input" and rule:
        return f" is not {rule} ({info.metavar})"
    return f": {problem['msg'][:1].lower()}{problem['msg'][1:]}"


def _shown(value: object) -> str:
    text = str(value)
    return repr(text if len(text) <= 60 else text[:57] + "...")


def parse_mapping(flag: str, entries: Iterable[str]) -> dict[str, str]:
    """Repeated ``NAME=VALUE`` texts as one mapping.

    Raises:
        OptionError: If an entry has no ``=`` or no name, or a name comes twice.
    """
    mapping: dict[str, str] = {}
    for entry in entries:
        name, equals, value = entry.partition("=")
        if not equals or not name:
            raise OptionError(f"{flag} {entry!r} is not of the form NAME=VALUE")
        if name in mapping:
            raise OptionError(f"{flag} names {name!r} twice", hint="give it once")
        mapping[name] = value
    return mapping
