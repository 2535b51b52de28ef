"""The values that a plugin hands over. All of them are cheap: an import string names what is heavy.

An import string is ``package.module:name``; it is resolved when the thing is used, so that listing models or tasks
imports neither torch nor a network.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from gansdk.errors import PluginError, UnknownNameError, WrongResultError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

    from gansdk.media.medium import Medium
    from gansdk.model.facts import Facts


_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class WrongNameError(PluginError):
    """A name that could not be typed, or would look like something else."""


Facet = Literal["generator", "encoder", "classifier", "discriminator"]


@dataclass(frozen=True)
class Slot:
    """A named input of a task.

    Attributes:
        medium: What a file for it is read as: a name of :data:`gansdk.media.medium.MEDIA`, or the import string of a
            :class:`~gansdk.media.medium.Medium` of a plugin's own.
        name: The key under which the task finds it, as in ``photo``; also a keyword of a call from Python and, of all
            slots but the first, an option of the command line.
        help: What it should show, in a few words.
        fits: The facet of the model whose input it is: what is given is brought to the size and channels that the
            facts of this facet declare. None if any will do.
        optional: Whether it may be left out; its key is missing then. The command line takes it as an option only.
        many: Whether it takes several at once, of which the task gets a list.
    """

    medium: str
    name: str
    help: str = ""
    fits: Facet | None = None
    optional: bool = False
    many: bool = False

    @property
    def reader(self) -> Medium:
        """The value of its medium."""
        return medium(self.medium)


def medium(name: str) -> Medium:
    """The medium that a slot or an output names: one of the core's, or an import string of one.

    Raises:
        PluginError: If it is neither.
    """
    from gansdk.media.medium import MEDIA, Medium

    if name not in MEDIA and ":" not in name:
        hint = f"there are {', '.join(MEDIA)}, and import strings of others: package.module:NAME"
        raise PluginError(f"there is no medium {name!r}", hint=hint)
    found = resolve(MEDIA.get(name, name))
    if not isinstance(found, Medium):
        raise PluginError(f"{name!r} is not a gansdk.Medium", hint="make a value of a subclass")
    return found


@dataclass(frozen=True)
class Task:
    """What a user asks for, written once against facts and protocols.

    Attributes:
        name: Lower-case words joined by hyphens.
        summary: One line for listings.
        unsupported_reason: Why a model with these facts cannot do it, in a few words; None if it can.
        slots: The named inputs, by which a call from Python gives them too. Positional arguments fill those in order
            that may not be left out; a task without slots makes one item out of nothing.
        outputs: The medium of each named output, as a slot names one. A path asks for one by its ending; the first is
            what comes where no output is named.
        options: Import string of its own (call) options, a subclass of :class:`gansdk.Options`.
        function: Import string of ``run(model, inputs, options, context, /)``. It gives the value of its output: an
            :class:`~gansdk.Image`, a :class:`~gansdk.Gallery`, a mapping that becomes a record, and so on. Of several
            outputs it gives a mapping with the value of each by name, or one value that all of their media can write,
            as a gallery is written as images and as arrays.
        check: Import string of ``check(facts, options, /)``, for a task whose options name what a model may lack: it
            raises a :class:`gansdk.UsageError` for a call that does not fit a model with these facts, which is so known
            before weights are read. The function raises the same. Empty where any call fits any model.
        count: Import string of ``count(facts, options, /) -> int``, for a task that makes many images out of
            nothing: how many, so that more than one file can hold are refused before there is any. Empty where there
            is one for each input.
        extent: Import string of ``extent(facts, options, kind, size, /) -> (width, height)``: how large the largest
            image is that a call writes as ``kind`` (``image``, ``folder``, ``animation``), where its first input has
            ``size``, None for a task without slots. A format that cannot hold it is refused before anything is
            computed. Empty where it is that of the input.
        pieces: Import string of ``pieces(options, /) -> Iterator[tuple[options, range]]``, for a task that makes many
            images out of nothing: how one call is made in several, with the numbers of the images of each, so that
            a folder is filled with flat memory. Empty where there is nothing to divide.
        many: Import string of ``run_many(model, inputs, options, context, /) -> list``, for a task that can compute
            several items at a time, as many as its option ``batch`` says; each gives what it gives alone. Empty
            where there is nothing to gain.
        needs_gradients: Whether it differentiates through the model. Such a task gets frozen fp32 weights on torch;
            all others run inside inference mode.
        default: Ref of a model that its plugin offers where no installed model fits, or none of several is offered by
            its own plugin; empty for none.
        models: Where a model for it comes from, as the hint of a call that finds none; empty for the usual hint.
    """

    name: str
    summary: str
    unsupported_reason: Callable[[Facts], str | None]
    slots: tuple[Slot, ...]
    outputs: Mapping[str, str]
    options: str
    function: str
    check: str = ""
    count: str = ""
    extent: str = ""
    pieces: str = ""
    many: str = ""
    needs_gradients: bool = False
    default: str = ""
    models: str = ""

    def __post_init__(self) -> None:
        check_name("task", self.name)
        if not isinstance(self.outputs, Mapping) or not self.outputs:
            what = f"task {self.name!r} gives {self.outputs or 'nothing'}"
            raise PluginError(what, hint='outputs map names to media, as {"image": "image"}')

    @property
    def writers(self) -> dict[str, Medium]:
        """The media of its outputs, by their names."""
        return {name: medium(path) for name, path in self.outputs.items()}

    @property
    def gives_records(self) -> bool:
        """Whether its results are records alone, which are gathered, and not files of their own."""
        return set(self.outputs.values()) == {"record"}

    def values(self, result: Any) -> dict[str, Any]:
        """The value of each output, of what its function gave.

        Raises:
            WrongResultError: If it is not what the task declares.
        """
        media, hint = self.writers, "tell the author of the task's plugin"
        is_by_name = len(media) > 1 and isinstance(result, Mapping)
        if is_by_name and set(result) != set(media):
            what = f"{self.name} gave {', '.join(map(str, result)) or 'nothing'}, and declares {', '.join(media)}"
            raise WrongResultError(what, hint=hint)
        values = {name: result[name] if is_by_name else result for name in media}
        for name, value in values.items():
            if not media[name].holds(value):
                what = f"{self.name} gave {type(value).__name__} as its output {name!r}, which is {media[name].name}"
                raise WrongResultError(what, hint=hint)
        return values


@dataclass(frozen=True)
class Config:
    """A named way to train a method: a recipe and the values of its options.

    Attributes:
        recipe: Import string of a class that satisfies :class:`gansdk.training.Recipe`.
        options: Import string of the recipe's options, a subclass of :class:`gansdk.Options`.
        summary: One line for listings.
        values: Options that differ from their defaults.
        tiny_model: Further options, under which a step takes milliseconds and everything that the recipe has is still
            there: what ``gansdk check`` trains. A model to start from is named here too. Its images are 128×96
            pixels.
        baseline: Why a model of this training has no baseline, a training without the method's own terms, in one
            line; empty if it carries the checkpoint that it began from, which is its baseline, or needs no reason.
        ablated_terms: The method's own terms as (player, term) pairs, under the names that its turns give them: without
            them it is the baseline, which ``gansdk train --ablate`` trains. Empty if leaving terms out makes no
            baseline.
        mixed: Whether bf16 saves time where the hardware computes in it, which is when ``auto`` takes it. In networks
            so small that a GPU waits for the next layer to be asked for, it only adds conversions.
    """

    recipe: str
    options: str
    summary: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    tiny_model: Mapping[str, Any] = field(default_factory=dict)
    baseline: str = ""
    ablated_terms: tuple[tuple[str, str], ...] = ()
    mixed: bool = True

    def __post_init__(self) -> None:
        if self.baseline and self.ablated_terms:
            raise PluginError(
                f"a config of {self.recipe} says why it has no baseline, and what its baseline leaves out"
            )


@dataclass(frozen=True)
class BuiltinModel:
    """A model that ships inside a plugin's wheel and is named ``builtin:<name>``."""

    name: str
    folder: Path

    def __post_init__(self) -> None:
        check_name("model", self.name)


@dataclass(frozen=True)
class Method:
    """What one plugin brings.

    Attributes:
        name: As in ``srgan``.
        summary: One line for listings.
        paper: Authors, title, year and identifier.
        licence: SPDX expression of the code.
        requires: What pip installs to get it, as in ``gansdk-plugin-srgan>=0.1``.
        network_options: Import string of what validates ``network`` in ``config.json``: a pydantic class, or a union of
            such where the method has several architectures.
        networks: Import string of ``networks(options) -> Mapping[str, nn.Module]``: built, not loaded.
        assemble: Import string of ``assemble(call, facts) -> Model``: facets over callables.
        configs: Named ways to train it.
        models: What ships with the plugin.
        defaults: Per task, which of ``models`` the plugin offers where a user names none.
        checkpoints: What the two checkpoints of a model are called that carries the one before its training, too.
        about: What the method is, in a few sentences of Markdown, for the cards of its models.
    """

    name: str
    summary: str
    paper: str
    licence: str
    requires: str
    network_options: str
    networks: str
    assemble: str
    configs: Mapping[str, Config] = field(default_factory=dict)
    models: tuple[BuiltinModel, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    checkpoints: tuple[str, str] = ("start", "end")
    about: str = ""

    def __post_init__(self) -> None:
        check_name("method", self.name)
        names = [model.name for model in self.models]
        for task, model in self.defaults.items():
            if model not in names:
                raise PluginError(f"method {self.name!r} offers {model!r} for {task!r} but does not bring that model")

    def find_config(self, name: str) -> Config:
        """One of the ways to train it.

        Raises:
            UnknownNameError: If there is none of that name; the hint gives near names, or all of them.
        """
        if name not in self.configs:
            known = ", ".join(self.configs) or "none"
            raise UnknownNameError(f"config of {self.name}", name, self.configs, hint=f"it has {known}")
        return self.configs[name]


@dataclass(frozen=True)
class Importer:
    """Recognises weights that others published, by the names and shapes of their tensors.

    Attributes:
        name: Lower-case words joined by hyphens.
        method: Name of the method whose networks it fills.
        layouts: What it knows, in a few words each, for messages.
        function: Import string of ``recognise(tensors, /) -> Recognised | None``. It gets all tensors of one network
            by their names, ``module.`` and what was around them removed. None: this is nothing that it knows. An
            :class:`~gansdk.InputError` says what is wrong with something that it does know.
    """

    name: str
    method: str
    layouts: tuple[str, ...]
    function: str

    def __post_init__(self) -> None:
        check_name("importer", self.name)


@dataclass(frozen=True)
class Recognised:
    """Foreign weights as a method's own.

    Attributes:
        layout: Which of the importer's layouts it was.
        network: The options from which the method builds the networks, as ``config.json`` keeps them.
        facts: What a model of these networks takes and gives.
        tensors: By network and key, as in ``generator.head.weight``: exactly those that the networks have.
    """

    layout: str
    network: Mapping[str, Any]
    facts: Facts
    tensors: Mapping[str, Tensor]


@dataclass(frozen=True)
class MetricSpec:
    """A number about quality, written once against facts, so that any model that they fit can be measured.

    Attributes:
        name: As in ``psnr-y``.
        version: Raised whenever the same input would give another figure.
        summary: One line for listings.
        better: Which way is better.
        unsupported_reason: Why a model with these facts cannot be measured by it, in a few words; None if it can.
        protocol: Import string of a :class:`gansdk.evaluation.protocol.EvaluationProtocol`, which makes one example
            of each item of a data set. Metrics that name the same protocol share its work.
        function: Import string of what makes a :class:`gansdk.evaluation.protocol.Metric`, which reads the examples.
        unit: As in ``dB``; empty for none.
        samples: How many samples are drawn to measure it, where it needs no data: its protocol then gets a
            :class:`gansdk.evaluation.protocol.SampleSet` of so many in place of each data set.
        backbone: The feature network that it looks with: the name of a file in ``$GANSDK_DATA/trunks``; empty for none.
    """

    name: str
    version: int
    summary: str
    better: Literal["higher", "lower"]
    unsupported_reason: Callable[[Facts], str | None]
    protocol: str
    function: str
    unit: str = ""
    samples: int = 0
    backbone: str = ""

    def __post_init__(self) -> None:
        check_name("metric", self.name)


def check_name(what: str, name: str) -> None:
    """Refuses a name that is not lower-case words joined by hyphens: it could not be typed, or look like a path."""
    if not _NAME.fullmatch(name):
        raise WrongNameError(f"{what} name {name!r} is not lower-case words joined by hyphens")


def resolve(path: str) -> Any:
    """What an import string names.

    Raises:
        PluginError: If the module cannot be imported or has no such name.
    """
    module, colon, name = path.partition(":")
    if not colon:
        raise PluginError(f"{path!r} is not an import string", hint="write package.module:name")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, SyntaxError) as error:
        raise PluginError(f"{path!r} cannot be imported: {error}", hint="see `gansdk plugins`") from error


@dataclass(frozen=True)
class DataSplit:
    """One part of a named data set.

    Attributes:
        files: Names of its files in the data set's folder, by what the reader calls them. Each may also be gzipped,
            with ``.gz`` after its name.
        items: How many items it has.
        digest: Of the arrays that are read, by :func:`gansdk.array_digest`. A file's own digest would differ from
            mirror to mirror with how it is packed; pixels do not.
    """

    files: Mapping[str, str]
    items: int
    digest: str


@dataclass(frozen=True)
class NamedDataset:
    """Labelled images that a user names, ``mnist`` or ``mnist:test``, in place of a folder of images.

    Attributes:
        name: As in ``mnist``.
        summary: One line for listings.
        licence: SPDX expression, or ``unstated``.
        author: Who made it, for the cards of models that learn from it.
        splits: By name; the first is meant where none is named.
        route: One command line that gets it; ``FOLDER`` in it is what ``GANSDK_DATA`` is set to.
        reader: Import string of ``read(paths, /) -> Mapping[str, NDArray]``. It gets the paths of a split's files and
            gives ``images``, uint8 [N, H, W] or [N, H, W, C], and, where there are any, ``labels``, integers [N]. An
            :class:`~gansdk.InputError` says what is wrong with a file.
        classes: What the labels mean, from 0 on; empty where there are none.
        folders: Where it may be besides ``$GANSDK_DATA/<name>``: where a system's packages put it.
    """

    name: str
    summary: str
    licence: str
    splits: Mapping[str, DataSplit]
    route: str
    reader: str
    author: str = ""
    classes: tuple[str, ...] = ()
    folders: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        check_name("data set", self.name)
        if not self.licence:
            hint = "write 'unstated' if it is not known"
            raise PluginError(f"data set {self.name!r} states no licence", hint=hint)
        if not self.splits:
            raise PluginError(f"data set {self.name!r} has no splits")
        for split in self.splits:
            check_name(f"data set {self.name!r}: split", split)
