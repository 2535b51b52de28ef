import numpy as np
import pytest

from gansdk.media.gallery import Gallery, zoom_for

WORDS = ["ankle boot", "bag", "T-shirt/top", "coat"]


def strip_above(labels, side=28):
    """The band of texts above a grid of black images, and the distance from one image to the next."""
    columns = len(labels)
    grid = Gallery(np.zeros((columns, side, side, 1), np.uint8), columns, column_labels=labels).grid().pixels[:, :, 0]
    height = int(np.argmax(grid[:, 0] == 0))
    starts = np.flatnonzero((grid[-1, 1:] == 0) & (grid[-1, :-1] == 255)) + 1
    return grid[:height], starts


@pytest.mark.parametrize("labels", [WORDS, ["a text that is longer than any image is wide"] * 3])
def test_texts_above_neighbours_do_not_touch(labels):
    strip, starts = strip_above(labels)
    assert len(starts) == len(labels) - 1
    for start in starts:
        assert (strip[:, start - 4 : start] == 255).all()
        assert (strip[:, start : start + 10] < 128).any()


def test_images_grow_for_words_up_to_twice_and_not_for_a_title():
    assert zoom_for(["-2", "0", "2"], 28, 2) == 2
    assert zoom_for(WORDS, 28, 2) == 3
    assert zoom_for(["a text that is longer than any image is wide"] * 3, 28, 2) == 4
    assert zoom_for(["a title over all columns of a row", "", ""], 28, 2) == 2
    assert zoom_for([], 28, 2) == 2
