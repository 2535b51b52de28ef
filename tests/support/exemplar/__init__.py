"""A plugin that passes every check of the kit: the one from which the tests make broken ones."""

from __future__ import annotations

from pathlib import Path

import gansdk

MODEL = gansdk.BuiltinModel("exemplar-x2", Path(__file__).parent / "pretrained" / "exemplar-x2")

METHOD = gansdk.Method(
    name="exemplar",
    summary="images twice as wide and high",
    paper="none; an example",
    licence="Apache-2.0",
    requires="gansdk-plugin-exemplar>=1.0",
    network_options=f"{__name__}.options:NetworkOptions",
    networks=f"{__name__}.model:networks",
    assemble=f"{__name__}.model:assemble",
    configs={
        "usual": gansdk.Config(
            recipe=f"{__name__}.recipe:Recipe",
            options=f"{__name__}.options:RecipeOptions",
            values={"steps": 100_000, "width": 64},
            tiny_model={"width": 4, "batch": 2},
            ablated_terms=(("generator", "adversarial"),),
        )
    },
    models=(MODEL,),
    defaults={"superres": "exemplar-x2"},
)


def unsupported_reason(facts):
    if not isinstance(facts.generator, gansdk.ImageGeneratorFacts):
        return "its generator does not start from an image"
    return "it takes grey images only" if facts.generator.source.channels == 1 else None


DARKEN = gansdk.Task(
    name="darken",
    summary="make an image darker",
    unsupported_reason=unsupported_reason,
    slots=(gansdk.Slot("image", "photo"),),
    outputs={"image": "image"},
    options=f"{__name__}.task_options:DarkenOptions",
    function=f"{__name__}.tasks:darken",
)
DESCRIBE = gansdk.Task(
    name="describe",
    summary="say how bright the larger image is",
    unsupported_reason=unsupported_reason,
    slots=(gansdk.Slot("image", "photo"),),
    outputs={"record": "record"},
    options=f"{__name__}.task_options:DescribeOptions",
    function=f"{__name__}.tasks:describe",
    many=f"{__name__}.tasks:describe_many",
)


@gansdk.hookimpl
def gansdk_methods():
    return [METHOD]


@gansdk.hookimpl
def gansdk_tasks():
    return [DARKEN, DESCRIBE]
