"""``gansdk card`` through the installed command."""

from __future__ import annotations

import tiny
from huggingface_hub import ModelCard

from gansdk.evaluation.record import Evaluation, Measurement


def measured() -> Evaluation:
    one = Measurement(metric="psnr-y", data="Set5", protocol={}, unit="dB", value=29.876)
    return Evaluation(measurements=(one,), baseline="none")


def test_a_model_of_ones_own_gets_a_card_that_keeps_its_authors_words(with_kinds, tmp_path):
    folder = tmp_path / "work" / "mine"
    tiny.write(folder, evaluation=measured(), licence="MIT")
    done = with_kinds("card", "./mine")
    assert (done.code, done.out) == (0, "")
    assert "mine/README.md is written; card-strip.webp, card-trials.webp beside it" in done.err
    text = (folder / "README.md").read_text("utf-8")
    assert "# mine" in text
    assert "**29.88**" in text
    assert ModelCard(text).data.license == "mit"
    assert (folder / "card-strip.webp").read_bytes()[:4] == b"RIFF"
    (folder / "README.md").write_text(text + "\n## Mine\n", "utf-8")
    again = with_kinds("card", "./mine", "--no-images", "--json")
    assert again.records == [{"card": "mine/README.md", "images": []}]
    assert (folder / "README.md").read_text("utf-8") == text + "\n## Mine\n"


def test_the_card_of_a_built_in_model_is_printed_or_goes_where_it_is_asked_for(with_kinds):
    printed = with_kinds("card", "builtin:tiny-x2")
    assert printed.code == 0
    assert printed.out.startswith("---\nlibrary_name: gansdk\n")
    assert "Not measured on a test set yet" in printed.out
    done = with_kinds("card", "builtin:tiny-x2", "-o", "CARD.md", "--no-images")
    assert "never measured: gansdk eval builtin:tiny-x2" in done.err
    assert (with_kinds.cwd / "CARD.md").read_text("utf-8").rstrip() == printed.out.rstrip()


def test_what_is_wrong_is_one_line_and_nothing_is_written_over(with_kinds, model):
    (with_kinds.cwd / "mine.md").write_text("# Mine\n")
    for target, code, said in (
        ("mine.md", 1, "was not made by gansdk"),
        ("nowhere/README.md", 1, "there is no folder nowhere"),
        ("model", 2, "model is a folder"),
    ):
        done = with_kinds("card", "./model", "-o", target)
        assert (done.code, done.out) == (code, "")
        assert said in done.error
    assert (with_kinds.cwd / "mine.md").read_text() == "# Mine\n"
