"""The public names, and where each lives: what ``__init__.py`` loads when a name is first used."""

from .callbacks import Progress as Progress
from .losses import ADVERSARIAL_LOSSES as ADVERSARIAL_LOSSES
from .losses import AdversarialLoss as AdversarialLoss
from .losses import phase_weight as phase_weight
from .losses import zero_centred_penalty as zero_centred_penalty
from .options import EMA as EMA
from .options import AdversarialOptions as AdversarialOptions
from .options import LearningRate as LearningRate
from .options import OptimiserOptions as OptimiserOptions
from .options import ResumeOptions as ResumeOptions
from .options import ScheduleOptions as ScheduleOptions
from .options import Steps as Steps
from .options import TrainingOptions as TrainingOptions
from .options import Weight as Weight
from .players import AdversarialPair as AdversarialPair
from .players import Player as Player
from .recipe import Batch as Batch
from .recipe import InitialModel as InitialModel
from .recipe import Recipe as Recipe
from .recipe import Stream as Stream
from .recipe import load_initial_model as load_initial_model
from .session import Finished as Finished
from .trainer import resume as resume
from .trainer import train as train
from .turns import Train as Train
from .turns import Turn as Turn
