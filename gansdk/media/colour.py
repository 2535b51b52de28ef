"""Colour that a file states without a profile, and the ICC profile that states the same.

PNG (cICP, gAMA, cHRM), AVIF and HEIC (nclx), BMP and EXIF name primaries and a curve. Few programs read these from
other formats, but all read ICC, so the statement is carried over as a profile and no pixel changes. sRGB needs none.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage
from PIL import ImageCms

if TYPE_CHECKING:
    from collections.abc import Callable


Chromaticities = tuple[float, ...]
"""x and y of white, red, green and blue: eight numbers."""

_Matrix = NDArray[np.float64]

_D65 = (0.3127, 0.3290)
_SRGB: Chromaticities = (*_D65, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
_ADOBE: Chromaticities = (*_D65, 0.640, 0.330, 0.210, 0.710, 0.150, 0.060)

_PRIMARIES: dict[int, Chromaticities] = {
    1: _SRGB,
    4: (0.310, 0.316, 0.670, 0.330, 0.210, 0.710, 0.140, 0.080),
    5: (*_D65, 0.640, 0.330, 0.290, 0.600, 0.150, 0.060),
    6: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    8: (0.310, 0.316, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
"""By their number in ITU-T H.273."""

_EXPONENTS = {4: 2.2, 5: 2.8, 8: 1.0}
"""Curves of H.273 that are powers. Those of video (1, 6, 14, 15) are read as sRGB, as browsers do: such an image is
made for the same screens."""

_HDR = {16: "PQ", 18: "HLG"}

_GAMMA_THRESHOLD = 0.05
"""As in libpng: exponents that differ by less are treated as equal."""


@dataclass(frozen=True)
class Colour:
    """A colour space: how numbers become light.

    Attributes:
        primaries: Chromaticities of white and the primaries.
        exponent: Light is the number to this power; None means the curve of sRGB.
        hdr: Which HDR curve was stated (``PQ``, ``HLG``); empty for none.
    """

    primaries: Chromaticities = _SRGB
    exponent: float | None = None
    hdr: str = ""

    @property
    def is_srgb(self) -> bool:
        """Whether no profile is needed."""
        return self.exponent is None and self.has_srgb_primaries

    @property
    def has_srgb_primaries(self) -> bool:
        """Whether it differs from sRGB in its curve at most."""
        return max(abs(a - b) for a, b in zip(self.primaries, _SRGB, strict=True)) < 0.002


ADOBE_RGB = Colour(_ADOBE, 563 / 256)


def of_codes(primaries: int, transfer: int) -> Colour | None:
    """The colour that two code points of H.273 (cICP, nclx) state; None if it is unknown here."""
    if primaries not in {2, *_PRIMARIES}:
        return None
    chosen = _PRIMARIES.get(primaries, _SRGB)  # 2: unspecified
    return Colour(chosen, _EXPONENTS.get(transfer), _HDR.get(transfer, ""))


def of_gamma(primaries: Chromaticities | None, gamma: float | None) -> Colour | None:
    """The colour that cHRM and gAMA state; None if they contradict themselves.

    Args:
        primaries: Those of sRGB if not given.
        gamma: The exponent from light to numbers. The curve is that of sRGB if it is not given, or if it is near
            1 / 2.2, which PNG recommends to write beside that curve.
    """
    chosen = primaries if primaries is not None else _SRGB
    if gamma is not None and not 0.01 < gamma < 10:
        return None
    if any(not 0 <= number <= 1.2 for number in chosen) or chosen[1] < 0.01:
        return None
    try:
        weights = np.linalg.solve(_xyz(chosen[2:]), _white(chosen))
    except np.linalg.LinAlgError:  # the primaries lie on a line
        return None
    if not (np.all(weights > 0) and np.all(weights < 100)):  # white lies outside of them
        return None
    is_usual = gamma is None or abs(gamma * 2.2 - 1) < _GAMMA_THRESHOLD
    return Colour(chosen, None if is_usual or gamma is None else 1 / gamma)


_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def profile(colour: Colour, channels: int) -> bytes:
    """An ICC profile (version 4.3, matrix and curve) that states a colour; the same colour gives the same bytes.

    Args:
        colour: What it states. HDR is stated as the curve of sRGB: an image of 8 or 16 bits has no room for what is
            brighter than white.
        channels: 3, or 1 for a profile of grey, which has only a curve.
    """
    curve = b"para" + bytes(4)
    if colour.exponent is not None:
        curve += struct.pack(">HH", 0, 0) + _fixed([colour.exponent])
    else:  # that of IEC 61966-2-1
        curve += struct.pack(">HH", 3, 0) + _fixed([2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045])
    tags = {
        b"desc": _text(f"{_description(colour)}{' grey' if channels == 1 else ''}"),
        b"cprt": _text("CC0"),
        b"wtpt": _vector(_D50),
        **({b"kTRC": curve} if channels == 1 else dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)),
    }
    cone_responses = _BRADFORD @ _white(colour.primaries)
    adaptation: _Matrix = np.linalg.inv(_BRADFORD) @ np.diag(_BRADFORD @ _D50 / cone_responses) @ _BRADFORD
    tags[b"chad"] = b"sf32" + bytes(4) + _fixed(adaptation.ravel())
    if channels != 1:
        columns = _xyz(colour.primaries[2:])
        # From linear RGB to XYZ with the luminance of white 1, then to the white of ICC.
        columns = adaptation @ (columns * np.linalg.solve(columns, _white(colour.primaries)))
        tags |= {name: _vector(columns[:, n]) for n, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
    return _assembled(tags, b"GRAY" if channels == 1 else b"RGB ")


def _description(colour: Colour) -> str:
    curve = "sRGB curve" if colour.exponent is None else f"gamma {colour.exponent:.4g}"
    if colour.has_srgb_primaries:
        return f"sRGB primaries, {curve}"
    if colour == Colour(_PRIMARIES[12]):
        return "Display P3"
    return f"primaries {' '.join(f'{number:.4g}' for number in colour.primaries[2:])}, {curve}"


def _xyz(chromaticities: Chromaticities) -> _Matrix:
    """Columns x, y, z of chromaticities."""
    pairs = np.reshape(chromaticities, (-1, 2))
    return np.vstack([pairs.T, 1 - pairs.sum(axis=1)])


def _white(primaries: Chromaticities) -> _Matrix:
    """White in XYZ with the luminance 1."""
    return _xyz(primaries[:2])[:, 0] / primaries[1]


def _fixed(numbers: _Matrix | list[float]) -> bytes:
    return b"".join(struct.pack(">i", round(float(number) * 65536)) for number in numbers)


def _vector(xyz: _Matrix) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(xyz)


def _text(text: str) -> bytes:
    content = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">IIIHHII", 0, 1, 12, 0x656E, 0x5553, len(content), 28) + content


def _assembled(tags: dict[bytes, bytes], space: bytes) -> bytes:
    at = 128 + 4 + 12 * len(tags)
    table, body = [], b""
    places: dict[bytes, int] = {}
    for name, content in tags.items():
        if content not in places:  # the three curves share one place
            places[content] = at + len(body)
            body += content + bytes(-len(content) % 4)
        table.append(struct.pack(">4sII", name, places[content], len(content)))
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"", 0x04300000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H4s", 2024, 1, 1, 0, 0, 0, b"acsp")  # a fixed date, for the same bytes every time
    head += bytes(28) + _fixed(_D50) + bytes(48)
    return head + struct.pack(">I", len(tags)) + b"".join(table) + body


_SPACES = {b"RGB ": "RGB", b"GRAY": "grey", b"CMYK": "CMYK", b"Lab ": "LAB"}


def profile_space(icc: bytes) -> str | None:
    """The colour model of a profile: ``RGB``, ``grey``, ``CMYK``, ``LAB`` or ``other``; None if it is not a profile."""
    if len(icc) < 128 or icc[36:40] != b"acsp":
        return None
    return _SPACES.get(icc[16:20], "other")


def to_srgb(image: PILImage.Image, icc: bytes | None, doubt: Callable[[str], None]) -> PILImage.Image:
    """An image of another colour model as RGB, through its profile if it has a suitable one.

    Args:
        image: ``CMYK``, ``LAB`` or ``L``.
        icc: Its profile, if any.
        doubt: Called if the conversion is a guess.
    """
    space = {"L": "grey"}.get(image.mode, image.mode)
    if image.mode == "LAB":
        return _convert(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))
    if icc is not None and profile_space(icc) == space:
        try:
            return _convert(image, ImageCms.ImageCmsProfile(io.BytesIO(icc)))
        except (ImageCms.PyCMSError, OSError, ValueError):
            doubt(f"its {space} profile is damaged; colours are converted by formula")
    elif image.mode == "CMYK":
        doubt("CMYK without a profile is converted by formula")
    return image.convert("RGB")


def _convert(image: PILImage.Image, source: ImageCms.ImageCmsProfile) -> PILImage.Image:
    converted = ImageCms.profileToProfile(
        image,
        source,
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    if converted is None:
        raise ImageCms.PyCMSError("no conversion")
    return converted
