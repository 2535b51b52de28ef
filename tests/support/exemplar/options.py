from __future__ import annotations

from typing import Annotated

from pydantic import Field

import gansdk

Weight = Annotated[float, Field(ge=0)]


class NetworkOptions(gansdk.Options):
    width: Annotated[int, Field(ge=1)] = 16


class RecipeOptions(gansdk.Options):
    steps: Annotated[int, Field(ge=1)] = 1000
    width: Annotated[int, Field(ge=1)] = 16
    batch: Annotated[int, Field(ge=1)] = 16
    content: Weight = 1.0
    adversarial: Annotated[float, Field(ge=0, le=0.1)] = 0.1  # as large as it may be
    discrimination: Weight = 1.0
