"""gansdk: one vocabulary over the GAN family.

    import gansdk

    sharpen = gansdk.pipeline("superres")
    sharpen("photo.jpg").save("photo-large.png")

Every name below is public and stays; nothing else is. Importing this package imports neither torch nor a network:
a name is looked up where it lives when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gansdk._version import __version__

if TYPE_CHECKING:
    from gansdk.data.batches import ImageBatches
    from gansdk.data.crops import AlignedCrops
    from gansdk.data.degradation import Degradation, DegradationOptions
    from gansdk.data.matching import match_classes
    from gansdk.data.opening import open_data
    from gansdk.data.pictures import Dataset, Pictures, open_pictures
    from gansdk.data.resizing import degrade, upscale
    from gansdk.data.stacked import Labels, StackedImages, array_digest, ground_of, labels_of, stack_images
    from gansdk.errors import (
        CancelledError,
        ComputationError,
        DamagedError,
        DeviceError,
        GansdkError,
        HubError,
        InputError,
        MissingPluginError,
        ModelError,
        NotApplicableError,
        OptionError,
        OutOfMemoryError,
        OutputError,
        OutputExistsError,
        PluginError,
        RefError,
        SettingsError,
        TrainingError,
        UnknownNameError,
        UnreachableError,
        UsageError,
    )
    from gansdk.evaluation.meters import Unsuitable
    from gansdk.evaluation.record import Evaluation, Figure, Measurement
    from gansdk.evaluation.restoration.fidelity import luma, psnr
    from gansdk.hub.searching import Found
    from gansdk.importing.weights import import_weights
    from gansdk.inference.context import Context
    from gansdk.inference.directions import write_directions
    from gansdk.inference.pipelines import Pipeline, pipeline
    from gansdk.inference.pulling import pull
    from gansdk.inference.searching import search
    from gansdk.media.gallery import Gallery
    from gansdk.media.picture import Picture
    from gansdk.model.facts import (
        Direction,
        EncoderFacts,
        Facts,
        Ground,
        Image,
        ImageGeneratorFacts,
        ImageOutput,
        ImageSource,
        LatentGeneratorFacts,
        LatentSource,
        SizeRule,
    )
    from gansdk.model.parts import Categorical, Code, Continuous, Features, Noise
    from gansdk.model.protocols import Classifier, Discriminator, Encoder, Generator, Model
    from gansdk.options import Colour, Options, Seed
    from gansdk.plugins.datasets import DataSplit, NamedDataset
    from gansdk.plugins.declarations import (
        BuiltinModel,
        Config,
        Importer,
        Method,
        Metric,
        Recognised,
        Slot,
        Task,
    )
    from gansdk.plugins.hookspecs import hookimpl
    from gansdk.publishing.pushing import Pushed, push
    from gansdk.trunks.vgg import VGG, load_vgg

_HOMES = {
    "gansdk.data.batches": ["ImageBatches"],
    "gansdk.data.matching": ["match_classes"],
    "gansdk.data.crops": ["AlignedCrops"],
    "gansdk.data.opening": ["open_data"],
    "gansdk.data.pictures": ["Dataset", "Pictures", "open_pictures"],
    "gansdk.data.degradation": ["Degradation", "DegradationOptions"],
    "gansdk.data.resizing": ["degrade", "upscale"],
    "gansdk.data.stacked": ["Labels", "StackedImages", "array_digest", "ground_of", "labels_of", "stack_images"],
    "gansdk.errors": [
        "CancelledError",
        "ComputationError",
        "DeviceError",
        "DamagedError",
        "GansdkError",
        "HubError",
        "InputError",
        "MissingPluginError",
        "ModelError",
        "NotApplicableError",
        "OptionError",
        "OutOfMemoryError",
        "OutputError",
        "OutputExistsError",
        "PluginError",
        "RefError",
        "SettingsError",
        "TrainingError",
        "UnknownNameError",
        "UnreachableError",
        "UsageError",
    ],
    "gansdk.evaluation.restoration.fidelity": ["luma", "psnr"],
    "gansdk.evaluation.meters": ["Unsuitable"],
    "gansdk.evaluation.record": ["Evaluation", "Figure", "Measurement"],
    "gansdk.hub.searching": ["Found"],
    "gansdk.importing.weights": ["import_weights"],
    "gansdk.inference.context": ["Context"],
    "gansdk.inference.directions": ["write_directions"],
    "gansdk.inference.pipelines": ["Pipeline", "pipeline"],
    "gansdk.inference.pulling": ["pull"],
    "gansdk.inference.searching": ["search"],
    "gansdk.media.gallery": ["Gallery"],
    "gansdk.media.picture": ["Picture"],
    "gansdk.model.facts": [
        "Direction",
        "EncoderFacts",
        "Facts",
        "Ground",
        "Image",
        "ImageGeneratorFacts",
        "ImageOutput",
        "ImageSource",
        "LatentGeneratorFacts",
        "LatentSource",
        "SizeRule",
    ],
    "gansdk.model.parts": ["Categorical", "Code", "Continuous", "Features", "Noise"],
    "gansdk.model.protocols": ["Classifier", "Discriminator", "Encoder", "Generator", "Model"],
    "gansdk.options": ["Colour", "Options", "Seed"],
    "gansdk.plugins.datasets": ["DataSplit", "NamedDataset"],
    "gansdk.plugins.declarations": [
        "BuiltinModel",
        "Config",
        "Importer",
        "Method",
        "Metric",
        "Recognised",
        "Slot",
        "Task",
    ],
    "gansdk.plugins.hookspecs": ["hookimpl"],
    "gansdk.publishing.pushing": ["Pushed", "push"],
    "gansdk.trunks.vgg": ["VGG", "load_vgg"],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "VGG",
    "AlignedCrops",
    "BuiltinModel",
    "CancelledError",
    "Categorical",
    "Classifier",
    "Code",
    "Colour",
    "ComputationError",
    "Config",
    "Context",
    "Continuous",
    "DamagedError",
    "DataSplit",
    "Dataset",
    "Degradation",
    "DegradationOptions",
    "DeviceError",
    "Direction",
    "Discriminator",
    "Encoder",
    "EncoderFacts",
    "Evaluation",
    "Facts",
    "Features",
    "Figure",
    "Found",
    "Gallery",
    "GansdkError",
    "Generator",
    "Ground",
    "HubError",
    "Image",
    "ImageBatches",
    "ImageGeneratorFacts",
    "ImageOutput",
    "ImageSource",
    "Importer",
    "InputError",
    "Labels",
    "LatentGeneratorFacts",
    "LatentSource",
    "Measurement",
    "Method",
    "Metric",
    "MissingPluginError",
    "Model",
    "ModelError",
    "NamedDataset",
    "Noise",
    "NotApplicableError",
    "OptionError",
    "Options",
    "OutOfMemoryError",
    "OutputError",
    "OutputExistsError",
    "Picture",
    "Pictures",
    "Pipeline",
    "PluginError",
    "Pushed",
    "Recognised",
    "RefError",
    "Seed",
    "SettingsError",
    "SizeRule",
    "Slot",
    "StackedImages",
    "Task",
    "TrainingError",
    "UnknownNameError",
    "UnreachableError",
    "Unsuitable",
    "UsageError",
    "__version__",
    "array_digest",
    "degrade",
    "ground_of",
    "hookimpl",
    "import_weights",
    "labels_of",
    "load_vgg",
    "luma",
    "match_classes",
    "open_data",
    "open_pictures",
    "pipeline",
    "psnr",
    "pull",
    "push",
    "search",
    "stack_images",
    "upscale",
    "write_directions",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'gansdk' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
