"""The front matter, read back by the Hub's own client."""

from __future__ import annotations

import dataclasses

import pytest
from huggingface_hub import ModelCard

from gansdk.cards.front_matter import KNOWN, front_matter, hub_licence, split
from gansdk.errors import OutputError
from gansdk.evaluation.record import Evaluation
from gansdk.model.facts import Facts


def read(text: str) -> dict:
    return ModelCard(f"---\n{text}\n---\n").data.to_dict()


def test_the_hub_reads_what_it_asks_for(card):
    found = read(front_matter(card))
    assert found["library_name"] == "gansdk"
    assert found["pipeline_tag"] == "image-to-image"
    assert found["license"] == "apache-2.0"
    assert found["tags"] == ["gansdk", "tiny", "superres"]


def test_the_index_holds_what_was_measured_on_test_sets(card):
    results = ModelCard(f"---\n{front_matter(card)}\n---\n").data.eval_results
    assert [(one.dataset_name, one.metric_type, one.metric_value) for one in results] == [
        ("Set5", "psnr-y", 31.2345),
        ("Set5", "ssim-y", 0.8765),
        ("BSD100", "fd-lite0", 612.34),
    ]


def test_figures_on_training_data_are_kept_out_of_the_index(card):
    seen = tuple(one.model_copy(update={"seen": True}) for one in card.evaluation.measurements)
    known = dataclasses.replace(card, evaluation=Evaluation(measurements=seen))
    assert "model-index" not in read(front_matter(known))


def test_a_model_that_was_never_measured_and_has_no_known_task(card):
    config = card.config.model_copy(update={"facts": Facts(), "licence": ""})
    bare = dataclasses.replace(card, config=config, evaluation=Evaluation(), tasks=(), method=None)
    assert read(front_matter(bare)) == {"library_name": "gansdk", "license": "unknown", "tags": ["gansdk", "tiny"]}


def test_an_authors_fields_and_tags_stay_and_ours_are_renewed(card):
    before = {
        "language": "en",
        "license": "mit",
        "license_name": "old",
        "thumbnail": "a.png",
        "tags": ["photography", "gansdk"],
        "model-index": [{"name": "old", "results": []}],
        "widget": [{"text": "x"}],
    }
    found = read(front_matter(card, before))
    assert (found["language"], found["thumbnail"], found["widget"]) == ("en", "a.png", [{"text": "x"}])
    assert found["license"] == "apache-2.0"
    assert "license_name" not in found
    assert found["tags"] == ["photography", "gansdk", "tiny", "superres"]
    assert found["model-index"][0]["name"] == "tiny-x2"
    again = front_matter(card, split(f"---\n{front_matter(card, before)}\n---\n")[0])
    assert again == front_matter(card, before)


def test_what_follows_the_front_matter_is_given_back_as_it_is():
    assert split("---\na: 1\n---\n\n# x\r\n") == ({"a": 1}, "\n# x\r\n")
    assert split("# no front matter\n---\n") == ({}, "# no front matter\n---\n")
    assert split("---\n\n---\ntext") == ({}, "text")


@pytest.mark.parametrize("block", ["a: [", "- just\n- a list", "a: b: c"])
def test_damaged_front_matter_is_one_line(block):
    with pytest.raises(OutputError, match="front matter") as caught:
        split(f"---\n{block}\n---\n")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spdx", "expected"),
    [
        ("Apache-2.0", {"license": "apache-2.0"}),
        ("MIT", {"license": "mit"}),
        ("CC-BY-SA-4.0", {"license": "cc-by-sa-4.0"}),
        ("GPL-3.0-or-later", {"license": "gpl-3.0"}),
        ("LGPL-2.1-only", {"license": "lgpl-2.1"}),
        ("AGPL-3.0-only", {"license": "agpl-3.0"}),
        ("", {"license": "unknown"}),
        ("CC-BY-4.0 AND MIT", {"license": "other", "license_name": "cc-by-4.0-and-mit"}),
        ("LicenseRef-Mine", {"license": "other", "license_name": "licenseref-mine"}),
        ("LGPL-2.0-only", {"license": "other", "license_name": "lgpl-2.0-only"}),
    ],
)
def test_licences_as_the_hub_names_them(spdx, expected):
    assert hub_licence(spdx) == expected
    assert expected["license"] in KNOWN | {"unknown", "other"}
