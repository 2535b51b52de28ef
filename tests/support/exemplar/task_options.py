from __future__ import annotations

from typing import Annotated

from pydantic import Field

import gansdk


class DarkenOptions(gansdk.Options):
    by: Annotated[float, Field(ge=0, le=1, examples=[0.5])]
    seed: int = 0


class DescribeOptions(gansdk.Options):
    batch: Annotated[int, Field(ge=1)] = 8
