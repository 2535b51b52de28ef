"""Images in one array, and their labels."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pytest
from PIL import Image as PILImage
from pydantic import Field
from skimage.color import rgb2yuv  # whose Y is luma of BT.601

from gansdk.data.folders import Images, open_images
from gansdk.data.stacked import StackedImages, array_digest, background_of, labels_of, stack_images
from gansdk.errors import InputError, called_from_shell
from gansdk.options import Options


def write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    PILImage.fromarray(pixels).save(path)


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@pytest.fixture
def animals(tmp_path: Path) -> Path:
    root = tmp_path / "animals"
    for index, name in enumerate(["dog/b.png", "cat/deep/a.png", "dog/a.png"]):
        write(root / name, noise(index, 4, 6, 3))
    return root


def grey(count: int = 3, labels: np.ndarray | None = None, classes: tuple[str, ...] = ()) -> StackedImages:
    return StackedImages("dots", noise(0, count, 4, 6, 1), "CC0-1.0", "sha256:0", labels, classes)


def test_sub_folders_are_classes(animals: Path) -> None:
    images = open_images(animals)
    labels = labels_of(images)
    assert labels.classes == ("cat", "dog")
    assert images.names == ("cat/deep/a.png", "dog/a.png", "dog/b.png")
    assert labels.indices.tolist() == [0, 1, 1]
    assert labels.indices.dtype == np.int64


def test_images_beside_the_sub_folders_leave_all_without_labels(animals: Path) -> None:
    write(animals / "stray.png", noise(9, 4, 6, 3))
    with pytest.raises(InputError, match=r"animals has no labels: stray\.png stands in no sub-folder; put"):
        labels_of(open_images(animals))


def test_a_folder_without_sub_folders_has_no_labels(animals: Path) -> None:
    with pytest.raises(InputError, match="dog has no labels; put the images of each class into a sub-folder"):
        labels_of(open_images(animals / "dog"))


def test_a_folder_above_the_classes_is_not_taken_for_one(animals: Path) -> None:
    with pytest.raises(InputError, match=r"has only one class, 'animals'; .* name .*/animals"):
        labels_of(open_images(animals.parent))


def test_whatever_has_no_labels_is_refused() -> None:
    with pytest.raises(InputError, match="dots has no labels"):
        labels_of(grey())
    labels = np.array([1, 0, 1])
    assert labels_of(grey(labels=labels, classes=("a", "b"))).indices is labels


def test_images_of_one_size_become_an_array(animals: Path) -> None:
    images = open_images(animals)
    stacked = stack_images(images)
    assert stacked.images.shape == (3, 4, 6, 3)
    assert stacked.images.dtype == np.uint8
    for index, image in enumerate(stacked.images):
        np.testing.assert_array_equal(image, images[index][1])
    assert (stacked.name, stacked.licence, stacked.digest) == ("animals", "unstated", images.digest)
    assert stacked.classes == ("cat", "dog")
    assert stacked.labels.tolist() == [0, 1, 1]
    assert len(stacked) == 3


def test_colours_become_their_luma_and_grey_is_repeated(animals: Path) -> None:
    colours = stack_images(open_images(animals))
    luma = stack_images(open_images(animals), channels=1)
    assert luma.images.shape == (3, 4, 6, 1)
    np.testing.assert_allclose(luma.images[..., 0], rgb2yuv(colours.images)[..., 0] * 255, atol=0.6)
    np.testing.assert_array_equal(stack_images(colours, channels=1).images, luma.images)
    back = stack_images(luma, channels=3)
    np.testing.assert_array_equal(back.images, np.repeat(luma.images, 3, axis=3))
    np.testing.assert_array_equal(stack_images(back, channels=1).images, luma.images)


def test_what_fits_already_is_not_copied() -> None:
    images = grey()
    assert stack_images(images, size=(4, 6), channels=1) is images


def test_another_size_is_refused_by_name(animals: Path) -> None:
    with pytest.raises(InputError, match=r"animals/cat/deep/a\.png is 6x4 pixels, not 28x28; bring"):
        stack_images(open_images(animals), size=(28, 28))
    with pytest.raises(InputError, match="dots is 6x4 pixels, not 28x28"):
        stack_images(grey(), size=(28, 28))
    write(animals / "dog" / "c.png", noise(5, 6, 4, 3))
    with pytest.raises(InputError, match=r"animals/dog/c\.png is 4x6 pixels, not 6x4"):
        stack_images(open_images(animals))


class Sized(Options):
    steps: int = 1
    height: Annotated[int, Field(ge=4, le=64, multiple_of=2, description="pixels, an even number")] = 28
    width: Annotated[int, Field(ge=4, le=64, multiple_of=2, description="pixels, an even number")] = 28
    channels: Literal[1, 3] = 1


def refused(data, options: Options) -> str:
    with pytest.raises(InputError) as caught:
        stack_images(data, size=(28, 28), channels=1, options=options)
    return caught.value.hint


def test_another_size_names_the_options_that_take_it(animals: Path) -> None:
    asked = "train at their size with options={'height': 4, 'width': 6"
    assert refused(open_images(animals), Sized()) == f"{asked}, 'channels': 3}}, or bring all of them to 28x28"
    assert refused(open_images(animals), Sized(channels=3)) == f"{asked}}}, or bring all of them to 28x28"
    assert refused(grey(), Sized()) == f"{asked}}}, or bring all of them to 28x28"
    with called_from_shell():
        asked = "train at their size with --set height=4 --set width=6"
        assert refused(grey(), Sized()) == f"{asked}, or bring all of them to 28x28"


def test_a_size_that_no_option_takes_names_what_they_take(animals: Path) -> None:
    for path in animals.rglob("*.png"):
        write(path, noise(0, 5, 6, 3))
    hint = "or to another size that can be set: height 4..64 (pixels, an even number) and width 4..64"
    assert hint in refused(open_images(animals), Sized())


def test_options_that_say_no_size_name_no_way(animals: Path) -> None:
    class Plain(Options):
        height: int = 28

    assert refused(open_images(animals), Plain()) == "bring all images to one size first"
    write(animals / "dog" / "c.png", noise(5, 6, 4, 3))  # setting the size of one helps none of the others
    with pytest.raises(InputError, match=r"c\.png is 4x6 pixels, not 6x4; bring all images to one size first"):
        stack_images(open_images(animals), size=(4, 6), options=Sized(height=4, width=6))


def test_more_than_memory_holds_is_refused_before_it_is_read() -> None:
    class Many:
        others = ()
        names = tuple(map(str, range(2**16)))

        def read(self, name: str) -> bytes:
            assert name == "0"
            return image

    image = (Path(__file__).parents[2] / "demos" / "photos" / "chelsea.jpg").read_bytes()
    with pytest.raises(InputError, match=r"many: 65536 images of .* pixels are more than 4 GiB"):
        stack_images(Images("many", Many()))


def test_what_holds_no_images_cannot_be_stacked() -> None:
    class Sounds:
        name, licence, digest = "speech", "MIT", "sha256:0"

        def __len__(self) -> int:
            return 1

    with pytest.raises(InputError, match="speech is not a set of images"):
        stack_images(Sounds())


def test_the_digest_is_of_names_types_shapes_and_values() -> None:
    array = np.array([[1, 2, 300]], np.int16)
    expected = hashlib.sha256(b"a int16 (1, 3)\0" + bytes([1, 0, 2, 0, 44, 1])).hexdigest()
    assert array_digest({"a": array}) == f"sha256:{expected}"
    assert array_digest({"a": array.astype(">i2")}) == f"sha256:{expected}"
    assert array_digest({"a": np.asfortranarray(array)}) == f"sha256:{expected}"
    others = [{"b": array}, {"a": array.T}, {"a": array.astype(np.int32)}, {"a": array + 1}, {"a": array, "b": array}]
    assert len({array_digest(other) for other in others} | {expected}) == 6
    assert array_digest({"a": array, "b": array + 1}) == array_digest({"b": array + 1, "a": array})


@pytest.mark.parametrize(
    ("light", "background"), [(0, "dark"), (1, "dark"), (30, None), (70, None), (99, "light"), (100, "light")]
)
def test_the_ground_is_what_nearly_all_shapes_stand_on(light: int, background: str | None) -> None:
    images = np.zeros((100, 6, 6, 1), np.uint8)
    images[:light] = 255
    images[:, 2:4, 2:4] = 255 - images[:, 2:4, 2:4]
    assert background_of(images) == background


def test_what_is_shown_of_a_set_is_one_line(animals: Path) -> None:
    assert repr(grey()) == f"<StackedImages {grey().name!r}, 3 images 6×4 grey>"
    assert repr(open_images(animals)) == "<Images 'animals', 3 images, 2 classes>"
