"""restore on every kind of image: the same size, cleaned."""

from __future__ import annotations

import numpy as np
import pytest
import tiny

from gansdk import Facts, Image, ImageGeneratorFacts, ImageOutput, ImageSource, Model
from gansdk.models.context import Context
from gansdk.tasks import restore, superres

FACTS = Facts(generator=ImageGeneratorFacts(source=ImageSource(), output=ImageOutput(scale=1), receptive_field=0))


class Inverting:
    """Cleans by inversion, so that every expected value is known."""

    def generate(self, source):
        return 1 - source["image"]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_kind_size_bits_alpha_and_metadata_stay(channels, dtype):
    top = np.iinfo(dtype).max
    numbers = np.random.default_rng(2).integers(1, top, (70, 50, channels), dtype=dtype)
    photo = Image.from_array(numbers).replace(icc=b"icc", text={"Copyright": "me"}, dpi=(300.0, 300.0))
    options = restore.RestoreOptions(tile=16)
    result = restore.run(Model(FACTS, generator=Inverting()), {"photo": photo}, options, Context())
    assert np.array_equal(result.pixels, top - photo.pixels)
    assert result.alpha is photo.alpha
    assert (result.icc, result.text, result.dpi) == (photo.icc, photo.text, photo.dpi)


def test_each_model_of_images_fits_one_of_two_tasks():
    assert (restore.unsupported_reason(FACTS), superres.unsupported_reason(FACTS)) == (
        None,
        "its generator gives no larger image",
    )
    assert (restore.unsupported_reason(tiny.FACTS), superres.unsupported_reason(tiny.FACTS)) == (
        "its generator gives a larger image",
        None,
    )
    assert restore.unsupported_reason(Facts()) == "it has no generator"
