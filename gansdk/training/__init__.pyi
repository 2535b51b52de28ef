"""The public names, and where each lives: what ``__init__.py`` loads when a name is first used."""

from .callbacks import Progress as Progress
from .players import Contest as Contest
from .players import Player as Player
from .recipe import Batch as Batch
from .recipe import Recipe as Recipe
from .recipe import Stream as Stream
from .runs import ResumeOptions as ResumeOptions
from .runs import TrainingOptions as TrainingOptions
from .session import Finished as Finished
from .sources import Start as Start
from .sources import load_start as load_start
from .trainer import resume as resume
from .trainer import train as train
from .turns import Train as Train
from .turns import Turn as Turn
