"""Makes the README's images: a part of the sample photo by superres, and what codes do to digits.

Run it with ``python scripts/readme_images.py``.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont

import gansdk

ROOT = Path(__file__).parent.parent
PHOTO = ROOT / "demos" / "photos" / "chelsea.jpg"
PART = (150, 60, 270, 180)
SCALE = 4
IMAGES = ROOT / "docs" / "images"


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    sharpened()
    digits()


def sharpened() -> None:
    """As it is, enlarged bicubically, and sharpened."""
    with PILImage.open(PHOTO) as photo:
        variable = photo.crop(PART)
    size = (variable.width * SCALE, variable.height * SCALE)
    result = gansdk.pipeline("superres", model="builtin:srresnet-x4", device="cpu")(PHOTO).to_pil()
    panels = {
        "input": variable.resize(size, PILImage.Resampling.NEAREST),
        "bicubic": variable.resize(size, PILImage.Resampling.BICUBIC),
        "gansdk run superres": result.crop(tuple(SCALE * edge for edge in PART)),
    }
    margin, header = 8, 36
    sheet = PILImage.new("RGB", (len(panels) * (size[0] + margin) - margin, size[1] + header), "white")
    draw = ImageDraw.Draw(sheet)
    for index, (name, panel) in enumerate(panels.items()):
        left = index * (size[0] + margin)
        draw.text((left + size[0] / 2, header / 2), name, fill="black", anchor="mm", font=ImageFont.load_default(22))
        sheet.paste(panel, (left, header))
    sheet.quantize(256, dither=PILImage.Dither.FLOYDSTEINBERG).save(IMAGES / "superres.png", optimize=True)


def digits() -> None:
    """What each category is, and what a continuous code does to it."""
    traverse = gansdk.pipeline("traverse", model="builtin:infogan-mnist", device="cpu")
    traverse(code="style.0,class", steps=10).save(IMAGES / "digits.png", on_exists="overwrite")


if __name__ == "__main__":
    main()
