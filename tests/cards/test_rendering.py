"""Cards as a whole: figures from records alone, an author's words kept, the same text each time."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex

import pytest

from gansdk.cards.rendering import read_card, render
from gansdk.errors import InputError, OutputError
from gansdk.evaluation.record import Estimate, Evaluation, Replicate
from gansdk.model.config import Attributions, Origin
from gansdk.options import Options
from gansdk.plugins.declarations import Config


class RecipeOptions(Options):
    steps: int = 1000
    loss: str = "l1"
    start: str = "none"


def region(text: str, name: str) -> str:
    found = re.search(f"<!-- gansdk:begin {name} -->\n(.*)<!-- gansdk:end {name} -->", text, re.DOTALL)
    return found.group(1) if found else ""


def test_the_same_records_give_the_same_text(card):
    text = render(card)
    assert text == render(card)
    assert render(card, text) == text
    assert re.findall("gansdk:begin ([a-z]+)", text) == [
        "title",
        "images",
        "run",
        "results",
        "ablation",
        "training",
        "failures",
        "limits",
        "reproducing",
    ]


def test_figures_have_an_interval_a_baseline_and_references(card):
    rows = [line for line in region(render(card), "results").splitlines() if line.startswith("| ")]
    assert rows[0] == "| data | metric | **this model** | 95 % | baseline | difference (95 %) | bicubic | floor |"
    assert rows[2] == "| Set5 | psnr-y ↑ [dB] | **31.23** | 30.11 … 32.22 |  |  | 28.80 |  |"
    assert rows[3] == "| Set5 | ssim-y ↑ | **0.877** |  | 0.900 | −0.023 (−0.030 … −0.010) |  |  |"
    assert rows[4] == "| BSD100 | fd-lite0 ↓ | **612** |  |  |  | 745 | 265 |"
    assert "Baseline: none: it is a test." in region(render(card), "results")


def test_other_seeds_are_a_mean_and_a_deviation(card):
    ours = card.evaluation.measurements[0]  # 31.23 dB
    others = tuple(
        Replicate(seed=seed, measurements=(ours.model_copy(update={"value": value}),))
        for seed, value in ((7, 30.23), (8, 32.23))
    )
    card = dataclasses.replace(card, evaluation=card.evaluation.model_copy(update={"replicates": others}))
    rows = [line for line in region(render(card), "results").splitlines() if line.startswith("| ")]
    assert "| 95 % | mean ± sd of 3 seeds | baseline |" in rows[0]
    assert "| 30.11 … 32.22 | 31.23 ± 1.00 |" in rows[2]
    assert "the others are 7, 8, trained and measured in the same way" in region(render(card), "results")
    text = region(render(card), "reproducing")
    assert "--replicate seed-7/ --replicate seed-8/" in text
    assert "\n    --seed 7 -o seed-7\n    --seed 8 -o seed-8\n" in text


def test_every_figure_changes_with_the_record(card):
    changed = Evaluation(
        measurements=tuple(one.model_copy(update={"value": one.value + 1}) for one in card.evaluation.measurements)
    )
    before = render(card)
    after = render(dataclasses.replace(card, evaluation=changed))
    for old, new in (("31.23", "32.23"), ("612", "613"), ("26.25", "27.25"), ("31.2345", "32.2345")):
        assert old in before
        assert old not in after
        assert new in after


def test_where_it_fails_is_said_from_figures(card):
    text = region(render(card), "failures")
    assert "| kind of image | psnr-y: this model | bicubic |" in text
    assert "| inputs from JPEG files of quality 40 | 26.25 | 27.50 |" in text
    assert "By psnr-y it is worse than bicubic enlargement on: inputs from JPEG files of quality 40." in text


def test_rows_of_the_ablation_say_in_what_they_differ(card):
    text = region(render(card), "ablation")
    assert "| vgg | 7 | content=vgg | 701 |" in text
    assert "| pixel | 7 | content=pixel | 800 |" in text


def test_whose_works_it_was_trained_on(card):
    text = region(render(card), "training")
    assert "**photos**: 2 items, CC-BY-4.0; sha256:000" in text
    assert "| one.jpg | Jo \\| Doe &lt;jo@example.org> | CC-BY-4.0 | there |" in text


def test_a_model_with_two_checkpoints_is_shown_with_both(card):
    config = card.config.model_copy(update={"checkpoints": {"0": "initial.safetensors", "1": "model.safetensors"}})
    text = render(dataclasses.replace(card, config=config))
    assert "From left to right: input, bicubic, before, after, truth." in region(text, "images")
    assert "`--network-interpolation 0` is before" in region(text, "run")
    assert "| data | metric | **after** | 95 % | before |" in region(text, "results")


def test_an_imported_model_says_where_it_comes_from(card):
    origin = Origin(file="RRDB.pth", digest="sha256:" + "1" * 64, layout="RRDBNet of ESRGAN", importer="srgan")
    config = card.config.model_copy(update={"origin": origin, "trained": None})
    text = render(dataclasses.replace(card, config=config))
    assert "These weights were trained and published by others (RRDBNet of ESRGAN)" in region(text, "training")
    assert "gansdk train" not in text
    lines = region(text, "reproducing").splitlines()
    assert "    gansdk import RRDB.pth --licence Apache-2.0 -o model" in lines
    assert "    gansdk eval model/ --data Set5=FOLDER-OR-ZIP --data BSD100=FOLDER-OR-ZIP --baseline baseline/" in lines
    assert "It is **tiny**" in render(card)
    assert "It is **tiny**" not in text


def test_a_model_that_was_never_measured_says_so(card):
    bare = dataclasses.replace(card, evaluation=Evaluation(), images=())
    text = render(bare)
    assert "Not measured on a test set yet" in region(text, "results")
    assert region(text, "failures") == region(text, "images") == region(text, "ablation") == ""


def test_the_training_command_gives_the_recorded_options(card):
    """Today's config chooses 2,000 steps and l2: what differs from the record is named, what does not is not."""
    config = Config("a:b", f"{__name__}:RecipeOptions", values={"steps": 2000, "loss": "l2"})
    method = dataclasses.replace(card.method, configs={"small": config})
    options = {"steps": 70, "loss": "l2", "start": "builtin:other"}
    trained = card.config.trained.model_copy(update={"options": options, "precision": "bf16", "threads": 1})
    changed = card.config.model_copy(update={"trained": trained})
    text = region(render(dataclasses.replace(card, config=changed, method=method)), "reproducing")
    words = shlex.split(text.split("\n    ")[1])
    assert words[:5] == ["gansdk", "train", "tiny", "--config", "small"]
    sets = [words[at + 1] for at, word in enumerate(words) if word == "--set"]
    assert sets == ["steps=70", "start=builtin:other"]
    assert words[words.index("--seed") + 1] == "3"
    assert words[words.index("--precision") + 1] == "bf16"
    assert words[words.index("--threads") + 1] == "1"
    assert "Trained in 1 h 10 min, 70 steps, one seed, with gansdk 0.1.0, torch 2.4." in text


def test_the_command_of_an_ablation_says_so(card):
    own = (("generator", "information"), ("generator", "gan"))

    def is_ablation(ablated_terms):
        config = Config("a:b", f"{__name__}:RecipeOptions", ablated_terms=own)
        trained = card.config.trained.model_copy(update={"ablated_terms": ablated_terms})
        changed = card.config.model_copy(update={"trained": trained})
        method = dataclasses.replace(card.method, configs={"small": config})
        text = region(render(dataclasses.replace(card, config=changed, method=method)), "reproducing")
        return "--ablate" in shlex.split(text.split("\n    ")[1])

    assert is_ablation(tuple(sorted(own)))
    assert not is_ablation(())
    assert not is_ablation(own[:1])


def test_what_a_model_is_compared_with_is_trained_by_its_command_changed(card):
    config = Config("a:b", f"{__name__}:RecipeOptions", ablated_terms=(("generator", "information"),))
    measured = tuple(one.model_copy(update={"baseline": Estimate(value=1.0)}) for one in card.evaluation.measurements)
    evaluation = card.evaluation.model_copy(update={"baseline": "another training", "measurements": measured})
    method = dataclasses.replace(card.method, configs={"small": config})
    text = region(render(dataclasses.replace(card, evaluation=evaluation, method=method)), "reproducing")
    changed = [
        shlex.split(line)
        for line in text.partition("with these options changed:")[2].splitlines()
        if line.startswith("    ")
    ]
    rows = [
        (row.name, [f"steps={row.steps}", *(f"{name}={value}" for name, value in row.options.items())])
        for row in evaluation.ablation
    ]
    assert rows
    assert changed[0] == ["--ablate", "-o", "baseline"]
    assert [(words[-1], [word for word in words[:-2] if word != "--set"]) for words in changed[1:]] == rows
    assert f"--ablation {rows[0][0]}={rows[0][0]}/" in text


def test_without_its_plugin_every_option_is_named(card):
    text = region(render(dataclasses.replace(card, method=None)), "reproducing")
    assert "--set steps=70 --set loss=l1" in text


def test_an_authors_sections_and_fields_survive(card):
    text = render(card).replace("library_name", "language: en\nlibrary_name")
    text = text.replace("<!-- gansdk:begin run -->", "## My own words\n\nKeep me.\n\n<!-- gansdk:begin run -->")
    text += "\n## Thanks\n\nTo all.\n"
    newer = dataclasses.replace(card, evaluation=Evaluation(measurements=card.evaluation.measurements[:1]))
    found = render(newer, text)
    assert "## My own words\n\nKeep me.\n\n<!-- gansdk:begin run -->" in found
    assert found.endswith("\n## Thanks\n\nTo all.\n")
    assert "language: en" in found
    assert "612" not in found


def test_somebody_elses_card_is_refused(card):
    with pytest.raises(OutputError, match="was not made by gansdk"):
        render(card, "---\nlicense: mit\n---\n\n# Mine\n")


def test_line_ends_of_a_file_are_kept(tmp_path):
    (tmp_path / "README.md").write_bytes(b"a\r\nb\n")
    assert read_card(tmp_path / "README.md") == "a\r\nb\n"
    assert read_card(tmp_path / "none.md") is None
    (tmp_path / "bad.md").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(InputError, match="cannot be read as text"):
        read_card(tmp_path / "bad.md")


HOSTILE = "``` x | <b>[a](http://b)\n<!-- gansdk:end title -->\n# big `code`"
"""Would begin code, end a cell, make HTML or a link, end a region and make a heading."""


def test_words_of_a_stranger_are_words_and_nothing_else(card):
    evaluation = json.loads(card.evaluation.model_dump_json().replace("Set5", "@").replace("vgg", "@"))
    evaluation["baseline"] = "@"
    config = card.config.model_dump(mode="json")
    config |= {"summary": "@", "licence": "@", "method": "tiny"}
    config["trained"] |= {"commit": "@", "versions": {"@": "@"}, "dependencies": {"@": "@"}}
    config["trained"]["data"][0] |= {"name": "@", "licence": "@", "digest": "@"}
    works = {"@": [{"item": "@", "licence": "@", "author": "@", "source": "@"}]}
    text = render(
        dataclasses.replace(
            card,
            config=type(card.config).model_validate(hostile(config)),
            evaluation=Evaluation.model_validate(hostile(evaluation)),
            attributions=Attributions.model_validate({"data": hostile(works)}),
            method=None,
        )
    )
    begun, ended = (re.findall(f"^<!-- gansdk:{kind} ([a-z]+) -->$", text, re.MULTILINE) for kind in ("begin", "end"))
    assert begun == ended == list(dict.fromkeys(begun))
    assert [line for line in text.splitlines() if line.startswith("```")] == ["```python", "```"]
    body = text.partition("\n---\n")[2]
    theirs = [line for line in body.splitlines() if "http://b" in line and not line.startswith("    ")]
    assert len(theirs) > 10
    for line in theirs:
        bare = re.sub("<summary>|</summary>|`[^`]*<b>[^`]*`|\\\\.", "", line)  # ours, a word in backquotes, escapes
        assert not re.search(r"[<`\[\]]", bare.replace("[dB]", "")), line
    tables = [lines.split("\n") for lines in re.findall(r"(?:^\|.*\n?)+", body, re.MULTILINE)]
    assert len(tables) >= 5
    for lines in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines if line}) == 1


def hostile(value):
    if isinstance(value, dict):
        return {hostile(key): hostile(item) for key, item in value.items()}
    if isinstance(value, list):
        return [hostile(item) for item in value]
    return value.replace("@", HOSTILE) if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("summary", "line"), [("# a", "\\# a."), ("1. a", "1\\. a."), ("- a", "\\- a."), ("~~~", "\\~~~.")]
)
def test_a_summary_begins_no_heading_list_or_code(card, summary, line):
    config = card.config.model_copy(update={"summary": summary})
    assert region(render(dataclasses.replace(card, config=config)), "title").splitlines()[2] == line
