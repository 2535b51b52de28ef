"""A plugin of tasks alone, whose inputs and outputs are of several media; its default model is another plugin's."""

from __future__ import annotations

import gansdk


class FillOptions(gansdk.Options):
    pass


class ShoutOptions(gansdk.Options):
    pass


def fill(_model, inputs, _options, context, /):
    """Paints the hole black, and gives back where it was."""
    image, mask = inputs["photo"], inputs["mask"]
    pixels = image.pixels.copy()
    pixels[mask.holes] = 0
    said = inputs.get("caption")
    if said is not None:
        context.note(f"caption: {said.strip()}")
    return {
        "image": image.replace(pixels=pixels),
        "arrays": {"mask": mask.to_tensor().numpy()},
        "report": {"holes": int(mask.holes.sum()), "caption": said},
    }


def shout(_model, inputs, _options, _context, /):
    return inputs["letter"].upper()


def wrong(_model, inputs, _options, _context, /):
    return len(inputs["letter"])


def _any(_facts):
    return None


FILL = gansdk.Task(
    name="fill",
    summary="paint holes black",
    unsupported_reason=_any,
    slots=(
        gansdk.Slot("image", "photo"),
        gansdk.Slot("mask", "mask", "what to fill"),
        gansdk.Slot("text_medium:TEXT", "caption", "what it shows", optional=True),
    ),
    outputs={"image": "image", "arrays": "arrays", "report": "record"},
    options="painter:FillOptions",
    function="painter:fill",
    default="builtin:tiny-x2",
)
SHOUT = gansdk.Task(
    name="shout",
    summary="make a text loud",
    unsupported_reason=_any,
    slots=(gansdk.Slot("text_medium:TEXT", "letter"),),
    outputs={"text": "text_medium:TEXT"},
    options="painter:ShoutOptions",
    function="painter:shout",
    default="builtin:tiny-x2",
)
WRONG = gansdk.Task(
    name="wrong",
    summary="gives a number in place of a text",
    unsupported_reason=_any,
    slots=SHOUT.slots,
    outputs=SHOUT.outputs,
    options=SHOUT.options,
    function="painter:wrong",
    default="builtin:tiny-x2",
)


@gansdk.hookimpl
def gansdk_tasks():
    return [FILL, SHOUT, WRONG]
