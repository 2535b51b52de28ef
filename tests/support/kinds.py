"""A plugin for tests: the tiny method, and a task with one option of each kind that gives a record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import foreign
import kinds_models
from pydantic import Field

import gansdk


class KindsOptions(gansdk.Options):
    count: Annotated[int, Field(ge=1, le=10, description="an int in a range")] = 3
    strength: Annotated[float, Field(ge=0, le=1, description="a float in a range")] = 0.5
    mode: Annotated[Literal["soft", "hard"], Field(description="a choice")] = "soft"
    mirror: Annotated[bool, Field(description="a bool")] = False
    folder: Annotated[Path | None, Field(description="a path")] = None
    tint: Annotated[gansdk.Colour, Field(description="a colour")] = "white"
    label: Annotated[str, Field(description="a text")] = ""
    seed: Annotated[gansdk.Seed, Field(description="a seed")] = 0
    tile: Annotated[Literal["auto", "off"] | Annotated[int, Field(ge=16, le=4096)], Field(description="a union")] = (
        "auto"
    )
    weights: Annotated[dict[str, float], Field(description="a mapping")] = {}


def run(model: gansdk.Model, _inputs: Any, options: KindsOptions, _context: gansdk.Context, /) -> dict[str, Any]:
    import torch

    image = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(options.seed))
    mean = float(model.generator.generate({"image": image}).mean())
    return {**options.model_dump(mode="json"), "mean": round(mean, 4)}


KINDS = gansdk.Task(
    name="kinds",
    summary="every kind of option",
    unsupported_reason=lambda facts: None if facts.generator is not None else "it has no generator",
    slots=(),
    outputs={"record": "record"},
    options="kinds:KindsOptions",
    function="kinds:run",
)

METHOD = gansdk.Method(
    name="tiny",
    summary="a tiny method for tests",
    paper="none",
    licence="Apache-2.0",
    requires="gansdk-plugin-kinds>=1",
    network_options="tiny:NetworkOptions",
    networks="tiny:networks",
    assemble="tiny:assemble",
    models=(gansdk.BuiltinModel("tiny-x2", Path(kinds_models.FOLDER) / "tiny-x2"),),
    defaults={"kinds": "tiny-x2"},
)


@gansdk.hookimpl
def gansdk_tasks() -> list[gansdk.Task]:
    return [KINDS]


@gansdk.hookimpl
def gansdk_methods() -> list[gansdk.Method]:
    return [METHOD]


@gansdk.hookimpl
def gansdk_importers() -> list[gansdk.Importer]:
    return [foreign.IMPORTER]
