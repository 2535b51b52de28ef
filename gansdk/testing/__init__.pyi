"""The public names, and where each lives: what ``__init__.py`` loads when a name is first used."""

from .checks import Check as Check
from .checks import CheckFailedError as CheckFailedError
from .checks import Result as Result
from .kit import (
    Kit as Kit,
)
from .kit import (
    all_checks as all_checks,
)
from .kit import (
    kit_for as kit_for,
)
from .kit import (
    parametrize_with_checks as parametrize_with_checks,
)
