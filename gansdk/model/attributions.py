"""``attributions.json``: whose works a model was trained on, and on which terms they may be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from gansdk.errors import ModelError
from gansdk.model.config import ATTRIBUTIONS, read_record
from gansdk.model.frozen import Frozen

if TYPE_CHECKING:
    from pathlib import Path


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
