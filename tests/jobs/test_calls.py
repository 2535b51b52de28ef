"""A call as a user types it."""

from __future__ import annotations

import painter

from gansdk.jobs.calls import Call
from gansdk.tasks.generate import GENERATE
from gansdk.tasks.superres import SUPERRES


def test_options_of_all_groups_have_their_place():
    call = Call(SUPERRES, ("a b.jpg",), {"tile": 64, "strict": True, "device": "cpu", "quality": 90}, "x.jpg")
    assert call.command("org") == (
        "gansdk run superres 'a b.jpg' --model org --tile 64 --strict --device cpu --quality 90 -o x.jpg"
    )
    assert call.python("org") == (
        'result = gansdk.pipeline("superres", model="org", device="cpu")("a b.jpg", tile=64, strict=True)\n'
        'result.save("x.jpg", quality=90)'
    )


def test_a_slot_that_may_be_left_out_is_an_option():
    call = Call(painter.FILL, ("p.jpg", "m.png", "c.txt"), {"mask_invert": False})
    assert call.command("m") == "gansdk run fill p.jpg m.png --model m --caption c.txt --no-mask-invert"
    assert '("p.jpg", "m.png", caption="c.txt", mask_invert=False)' in call.python("m")
    assert "caption" not in Call(painter.FILL, ("p.jpg", "m.png", ""), {}).command("m")


def test_a_mapping_is_repeated():
    call = Call(GENERATE, (), {"set": {"class": "three", "style.0": 1}, "n": 4})
    assert call.command("m") == "gansdk run generate --model m --set class=three --set style.0=1 -n 4"
    assert call.python("m").endswith('result.save("result.png")')
