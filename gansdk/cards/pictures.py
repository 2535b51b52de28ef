"""The pictures of a card: they went through the model, in 8 bits, and are kept without loss."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from gansdk.cards.exhibits import STRIP, applicable

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from gansdk.inference.located import Located
    from gansdk.options import LoadOptions
    from gansdk.plugins.declarations import Method


def make_pictures(folder: Path, located: Located, method: Method, load: LoadOptions) -> list[Path]:
    """Runs the model and writes the pictures of its card, each whole or not at all.

    Args:
        folder: Where they shall stand.
        located: The model.
        method: Its method.
        load: Where and in what numbers it computes.

    Raises:
        GansdkError: If the model does not load or gives no usable result, or the folder cannot be written to.
    """
    from gansdk.cards.latent_pictures import latent_pictures
    from gansdk.cards.restored_pictures import restored_pictures
    from gansdk.evaluation.subjects import load_subject
    from gansdk.files import write_whole

    names = applicable(located.config)
    if not names:
        return []
    subject = load_subject(located, method, load)
    made = restored_pictures(subject, method.ends) if STRIP in names else latent_pictures(subject, located.config)
    written = []
    for name, pixels in made:
        write_whole(folder / name, _encoded(pixels))
        written.append(folder / name)
    return written


def _encoded(pixels: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    image.save(buffer, "WEBP", lossless=True, quality=50, method=4)  # more effort takes half a minute
    return buffer.getvalue()
