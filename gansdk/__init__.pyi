"""The public names, and where each lives: what ``__init__.py`` loads when a name is first used."""

from ._version import __version__ as __version__
from .backbones.vgg import VGG as VGG
from .backbones.vgg import load_vgg as load_vgg
from .data.crops import AlignedCrops as AlignedCrops
from .data.crops import (
    Degradation as Degradation,
)
from .data.crops import (
    DegradationOptions as DegradationOptions,
)
from .data.crops import (
    degrade as degrade,
)
from .data.crops import (
    upscale as upscale,
)
from .data.folders import Dataset as Dataset
from .data.folders import Images as Images
from .data.folders import open_images as open_images
from .data.opening import open_data as open_data
from .data.stacked import ImageBatches as ImageBatches
from .data.stacked import (
    Labels as Labels,
)
from .data.stacked import (
    StackedImages as StackedImages,
)
from .data.stacked import (
    array_digest as array_digest,
)
from .data.stacked import (
    background_of as background_of,
)
from .data.stacked import (
    labels_of as labels_of,
)
from .data.stacked import (
    match_classes as match_classes,
)
from .data.stacked import (
    stack_images as stack_images,
)
from .data.subsets import LabelledSubset as LabelledSubset
from .data.subsets import labelled_subset as labelled_subset
from .errors import (
    CancelledError as CancelledError,
)
from .errors import (
    ComputationError as ComputationError,
)
from .errors import (
    DamagedError as DamagedError,
)
from .errors import (
    DeviceError as DeviceError,
)
from .errors import (
    GansdkError as GansdkError,
)
from .errors import (
    HubError as HubError,
)
from .errors import (
    InputError as InputError,
)
from .errors import (
    MissingPluginError as MissingPluginError,
)
from .errors import (
    ModelError as ModelError,
)
from .errors import (
    NotApplicableError as NotApplicableError,
)
from .errors import (
    OptionError as OptionError,
)
from .errors import (
    OutOfMemoryError as OutOfMemoryError,
)
from .errors import (
    OutputError as OutputError,
)
from .errors import (
    OutputExistsError as OutputExistsError,
)
from .errors import (
    PluginError as PluginError,
)
from .errors import (
    RefError as RefError,
)
from .errors import (
    SettingsError as SettingsError,
)
from .errors import (
    TrainingError as TrainingError,
)
from .errors import (
    UnknownNameError as UnknownNameError,
)
from .errors import (
    UnreachableError as UnreachableError,
)
from .errors import (
    UsageError as UsageError,
)
from .evaluation.protocol import Unsuitable as Unsuitable
from .evaluation.record import Estimate as Estimate
from .evaluation.record import Evaluation as Evaluation
from .evaluation.record import Measurement as Measurement
from .evaluation.restoration_metrics import luma as luma
from .evaluation.restoration_metrics import psnr as psnr
from .hub.listings import SearchResult as SearchResult
from .importing.weights import import_weights as import_weights
from .media.gallery import Gallery as Gallery
from .media.image import Image as Image
from .media.mask import Mask as Mask
from .media.mask import MaskReading as MaskReading
from .media.medium import Medium as Medium
from .model.facts import (
    Background as Background,
)
from .model.facts import (
    ClassifierFacts as ClassifierFacts,
)
from .model.facts import (
    Direction as Direction,
)
from .model.facts import (
    DiscriminatorFacts as DiscriminatorFacts,
)
from .model.facts import (
    EncoderFacts as EncoderFacts,
)
from .model.facts import (
    Facts as Facts,
)
from .model.facts import (
    ImageGeneratorFacts as ImageGeneratorFacts,
)
from .model.facts import (
    ImageOutput as ImageOutput,
)
from .model.facts import (
    ImageSource as ImageSource,
)
from .model.facts import (
    ImageSpec as ImageSpec,
)
from .model.facts import (
    LatentGeneratorFacts as LatentGeneratorFacts,
)
from .model.facts import (
    LatentSource as LatentSource,
)
from .model.facts import (
    MaskedImageGeneratorFacts as MaskedImageGeneratorFacts,
)
from .model.facts import (
    MaskedImageSource as MaskedImageSource,
)
from .model.facts import (
    SizeRule as SizeRule,
)
from .model.protocols import (
    Classifier as Classifier,
)
from .model.protocols import (
    Discriminator as Discriminator,
)
from .model.protocols import (
    Encoder as Encoder,
)
from .model.protocols import (
    Generator as Generator,
)
from .model.protocols import (
    Model as Model,
)
from .model.variables import (
    Categorical as Categorical,
)
from .model.variables import (
    Code as Code,
)
from .model.variables import (
    Continuous as Continuous,
)
from .model.variables import (
    Features as Features,
)
from .model.variables import (
    Noise as Noise,
)
from .models.catalog import pull as pull
from .models.catalog import search as search
from .models.context import Context as Context
from .models.directions import constrain as constrain
from .models.directions import unconstrain as unconstrain
from .models.directions import write_directions as write_directions
from .models.latents import draw as draw
from .models.latents import read_latents as read_latents
from .models.pipelines import Pipeline as Pipeline
from .models.pipelines import pipeline as pipeline
from .models.writing import Export as Export
from .options import Colour as Colour
from .options import Options as Options
from .options import Seed as Seed
from .options import Writing as Writing
from .plugins.declarations import (
    BuiltinModel as BuiltinModel,
)
from .plugins.declarations import (
    Config as Config,
)
from .plugins.declarations import (
    DataSplit as DataSplit,
)
from .plugins.declarations import (
    Importer as Importer,
)
from .plugins.declarations import (
    Method as Method,
)
from .plugins.declarations import (
    MetricSpec as MetricSpec,
)
from .plugins.declarations import (
    NamedDataset as NamedDataset,
)
from .plugins.declarations import (
    Recognised as Recognised,
)
from .plugins.declarations import (
    Slot as Slot,
)
from .plugins.declarations import (
    Task as Task,
)
from .plugins.hookspecs import hookimpl as hookimpl
from .publishing.push import Pushed as Pushed
from .publishing.push import push as push
