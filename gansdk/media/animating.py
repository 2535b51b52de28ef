"""Pictures one after the other, as an animated WebP or GIF file."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gansdk.media.picture import Picture


def write_animation(
    frames: Sequence[Picture],
    file: IO[bytes],
    encoding: Literal["gif", "webp"],
    frames_per_second: float,
) -> None:
    """Writes an animation that goes to and fro without end, so that it never jumps.

    Args:
        frames: All of one size, 8 bits; shown in their order, then back.
        file: Empty, seekable.
        encoding: WebP is written without loss; GIF has 256 colours.
        frames_per_second: How fast; GIF rounds to hundredths of a second.
    """
    there = [frame.to_image() for frame in frames]
    shown = [*there, *there[-2:0:-1]]
    lossless = {"lossless": True, "method": 4} if encoding == "webp" else {"optimize": False, "disposal": 2}
    duration = round(1000 / frames_per_second)
    shown[0].save(file, encoding.upper(), save_all=True, append_images=shown[1:], loop=0, duration=duration, **lossless)
