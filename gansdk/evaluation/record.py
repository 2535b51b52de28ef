"""``evaluation.json``: what was measured, how, and the twin's figures beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationError

from gansdk.errors import ModelError
from gansdk.model.config import EVALUATION, describe_errors
from gansdk.model.facts import Frozen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Measurement(Frozen):
    """One metric on one data set."""

    metric: Annotated[str, Field(description="as in 'psnr-y'")]
    version: Annotated[int, Field(ge=1, description="raised whenever the same input would give another figure")] = 1
    data: Annotated[str, Field(description="the data set and its split")]
    protocol: Annotated[dict[str, Any], Field(description="channel, border, resize kernel, dtype …")]
    value: Annotated[float, Field(description="the mean over the items")]
    values: Annotated[dict[str, float], Field(description="per item, by name")]
    baselines: Annotated[dict[str, float], Field(description="the same figure of simpler ways, as 'bicubic'")] = {}


class Evaluation(Frozen):
    """All measurements of one model."""

    measurements: tuple[Measurement, ...] = ()
    twin: Annotated[str, Field(description="what the twin is, or why there is none")] = ""

    def to_json(self) -> str:
        """The text of ``evaluation.json``, with a closing newline."""
        return self.model_dump_json(indent=2) + "\n"


def read_evaluation(folder: Path) -> Evaluation | None:
    """A model folder's measurements, or None where it was never measured.

    Raises:
        ModelError: If the file is there but is not what it should be.
    """
    path: Path = folder / EVALUATION
    if not path.exists():
        return None
    try:
        raw: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
        return Evaluation.model_validate(raw)
    except ValidationError as error:
        raise ModelError(f"{path}: {describe_errors(error)}", hint="measure the model again") from None
    except ValueError as error:
        raise ModelError(f"{path} cannot be read as JSON: {error}", hint="measure the model again") from None
