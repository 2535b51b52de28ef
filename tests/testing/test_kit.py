"""What the kit makes of checks: order, skips, expected failures, crashes."""

from __future__ import annotations

import dataclasses
import sys

import pytest
import sketch
import sketches
import torch
from dists import HOOKS, write_distribution
from exemplars import Change
from safetensors.torch import save_file

from gansdk import Direction, write_directions
from gansdk.errors import UnknownNameError
from gansdk.files import sha256
from gansdk.model.config import read_config
from gansdk.models.catalog import Catalog
from gansdk.plugins.registry import discover
from gansdk.settings import Settings
from gansdk.testing import all_checks, kit_for
from gansdk.testing.kit import Kit
from gansdk.testing.targets import ModelUnderTest


def outcomes(results):
    return {result.check.id: result.outcome for result in results}


def only(kit, *ids):
    """The kit with these checks alone, for speed."""
    kit._checks = tuple(check for check in kit._checks if check.id in ids)
    return kit


@pytest.fixture
def catalog(tmp_path):
    return lambda: Catalog(discover(), Settings(tmp_path / "settings.json"))


LATENT_ONLY = {
    "categories-as-weights": "its generator does not start from a latent",
    "variables-reach-the-image": "its generator does not start from a latent",
    "encoded-variables": "it has no encoder",
    "verdicts-and-logits": "it has neither a discriminator nor a classifier",
}
"""Why they do not apply to the exemplar."""


def unlike(outcome, results):
    return {result.check.id: result.message for result in results if result.outcome != outcome}


def test_the_exemplar_passes_every_check_that_applies(kit_of):
    results = list(kit_of())
    skipped = {(result.check.id, result.message) for result in results if result.outcome != "passed"}
    assert skipped == {*LATENT_ONLY.items(), ("many-equal-one", "it computes one item at a time")}
    assert {result.outcome for result in results} == {"passed", "skipped"}
    assert {result.check for result in results} == set(all_checks())


def test_a_model_with_a_latent_and_an_encoder_passes_every_check_that_applies(tmp_path):
    results = list(sketches.kit(tmp_path / "model"))
    assert unlike("passed", results) == {
        "verdicts-and-logits": LATENT_ONLY["verdicts-and-logits"],
        **dict.fromkeys(
            ("any-size", "receptive-field", "tiled-equals-whole", "safe-precisions"),
            "its generator does not start from an image",
        ),
    }
    assert {result.outcome for result in results} == {"passed", "skipped"}
    assert LATENT_ONLY.keys() <= {result.check.id for result in results}


def test_checks_are_explained_ordered_and_need_checks_of_their_own_kind():
    kinds = {check.id: check.kind for check in all_checks()}
    assert len(kinds) == len(all_checks())
    seen = set()
    for check in all_checks():
        assert check.title
        assert check.why.endswith((".", ")"))
        assert set(check.needs) <= seen
        assert {kinds[one] for one in check.needs} <= {check.kind}
        seen.add(check.id)


def test_what_needs_a_check_that_fails_is_skipped_with_the_reason(kit_of):
    kit = only(
        kit_of(Change("model.py", ".clamp(0, 1)", "[..., 1:]")), *(c.id for c in all_checks() if c.kind == "model")
    )
    results = {result.check.id: result for result in kit}
    assert results["output-shape"].outcome == "failed"
    assert (
        results["output-shape"].message
        == "from (2, 3, 16, 20) it makes (2, 3, 32, 39), and its facts say (2, 3, 32, 40)"
    )
    for id_ in ("receptive-field", "tiled-equals-whole"):
        assert (results[id_].outcome, results[id_].message) == ("skipped", "needs output-shape, which failed")


def test_a_check_runs_after_those_that_it_needs_whoever_asks_first(kit_of):
    kit = kit_of(Change("pretrained/exemplar-x2/config.json", '"width": 16', '"width": 8'))
    (last, target) = next(pair for pair in kit.pairs() if pair[0].id == "tiled-equals-whole")
    assert kit.run(last, target).message == "needs loads-strictly, which failed"


def test_an_expected_failure_says_why_and_is_none_any_more_when_it_passes(kit_of):
    expected = {"output-range@builtin:exemplar-x2": "issue 12", "batch-of-n": "issue 13"}
    kit = kit_of(Change("model.py", ".clamp(0, 1)", ""), expected_failures=expected)
    results = {r.check.id: r for r in only(kit, *(c.id for c in all_checks() if c.kind == "model"))}
    assert results["output-range"].outcome == "expected"
    assert results["output-range"].message.startswith("issue 12 (from noise it makes values from -0.")
    assert results["batch-of-n"].outcome == "failed"
    assert results["batch-of-n"].message == "it passes, and was expected to fail: issue 13"


@pytest.mark.parametrize(
    ("key", "near"),
    [("output-rnge", "output-range"), ("output-range@builtin:exemplar-x3", "output-range@builtin:exemplar-x2")],
)
def test_an_expected_failure_of_no_check_is_refused(kit_of, key, near):
    with pytest.raises(UnknownNameError, match=f"no check '{key}'; did you mean {near}"):
        kit_of(expected_failures={key: "?"})


def test_a_crash_is_a_failure_in_one_line_and_keeps_its_traceback(kit_of):
    kit = only(kit_of(Change("model.py", 'source["image"]', '{}["image"]')), "loads-strictly", "eval-mode")
    eval_mode = {result.check.id: result for result in kit}["eval-mode"]
    assert (eval_mode.outcome, eval_mode.message) == ("failed", "KeyError: 'image'")
    assert isinstance(eval_mode.error, KeyError)


def test_an_input_that_no_facts_declare_is_named(kit_of):
    kit = only(kit_of(Change("model.py", 'source["image"]', 'source["photo"]')), "loads-strictly", "eval-mode")
    message = {result.check.id: result for result in kit}["eval-mode"].message
    assert message == "its generator asks for 'photo', which its facts do not declare"


def test_checks_leave_random_numbers_and_standard_output_alone(kit_of, capsys):
    kit = only(
        kit_of(
            Change("model.py", "        features = features +", "        print('hello')\n        features = features +")
        ),
        "loads-strictly",
        "eval-mode",
    )
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    capsys.readouterr()
    assert outcomes(kit)["eval-mode"] == "passed"
    assert torch.equal(torch.rand(1), expected)
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "hello\n")


def test_what_a_plugin_lacks_is_skipped_visibly(tmp_path, monkeypatch, catalog):
    code = HOOKS + "@hookimpl\ndef gansdk_methods():\n    return [method('bare')]\n"
    write_distribution(tmp_path / "site", "plug-bare", code)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    skipped = [result for result in kit_for("plug-bare", catalog()) if result.outcome == "skipped"]
    reasons = {(result.check.kind, result.target, result.message) for result in skipped}
    assert reasons == {
        ("task", "plug-bare", "it brings no task"),
        ("model", "bare", "it brings no model"),
        ("recipe", "bare", "it has no way to train"),
    }


def test_a_method_without_models_is_checked_by_what_its_configs_leave_as_tiny_models(kit_of):
    bare = Change("__init__.py", '    models=(MODEL,),\n    defaults={"superres": "exemplar-x2"},\n', "")
    kit = only(kit_of(bare), *(check.id for check in all_checks() if check.kind == "model"))
    results = list(kit)
    assert {result.target for result in results} == {"exemplar/usual"}
    assert unlike("passed", results) == LATENT_ONLY


def test_a_plugin_that_does_not_work_is_one_failure(tmp_path, monkeypatch, catalog):
    write_distribution(tmp_path / "site", "plug-broken", "import a_module_that_nobody_has\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    kit = kit_for("Plug.Broken", catalog())
    results = {
        result.check.id: result for result in only(kit, "names-are-clear", "plugin-works", "imports-light", "eval-mode")
    }
    assert results["plugin-works"].message == "ModuleNotFoundError: No module named 'a_module_that_nobody_has'"
    assert (results["imports-light"].message, results["eval-mode"].message) == (
        "needs plugin-works, which failed",
        "the plugin does not work",
    )


def test_a_model_is_checked_alone(kit_of, catalog):
    kit_of()
    kit = kit_for("builtin:exemplar-x2", catalog())
    assert {check.kind for check, _ in kit.pairs()} == {"model"}
    assert unlike("passed", kit) == LATENT_ONLY


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("exemplar", "did you mean gansdk-plugin-exemplar?"),
        ("exemplar-x2", "did you mean builtin:exemplar-x2?"),
        ("gansdk-plugin-exempler", "did you mean gansdk-plugin-exemplar"),
        ("nothing-of-the-kind", "see `gansdk plugins` and `gansdk models`"),
    ],
)
def test_a_name_that_is_neither_is_answered_with_what_was_meant(kit_of, catalog, what, said):
    kit_of()
    with pytest.raises(UnknownNameError) as error:
        kit_for(what, catalog())
    assert said in error.value.hint


def test_vectors_that_are_not_those_of_the_facts_are_seen(tmp_path):
    sketch.write(tmp_path / "model")
    write_directions(tmp_path / "model", [Direction(name="tilt", unit="of ten degrees")], {"tilt": {"style": [0, 1.0]}})

    def checked():
        (result,) = only(Kit([ModelUnderTest("sketch", sketch.METHOD, tmp_path / "model")]), "loads-strictly")
        return result

    assert checked().outcome == "passed"
    save_file({"tilt/style": torch.ones(3)}, tmp_path / "model" / "directions.safetensors")
    config = read_config(tmp_path / "model")
    digest = {"directions.safetensors": sha256(tmp_path / "model" / "directions.safetensors")}
    changed = config.model_copy(update={"files": {**config.files, **digest}})
    (tmp_path / "model" / "config.json").write_text(changed.to_json())
    assert checked().outcome == "failed"
    assert "tilt" in checked().message


def test_an_empty_kit_has_nothing_to_say():
    assert list(Kit([])) == []
    with pytest.raises(UnknownNameError):
        Kit([], {"any-size": "?"})


def test_a_weight_of_zero_is_checked_as_one(kit_of):
    """A config that switches a term off still declares where it would go."""
    kit = kit_of(Change("__init__.py", '"width": 64}', '"width": 64, "discrimination": 0.0}'))
    assert set(outcomes(only(kit, *(c.id for c in all_checks() if c.kind == "recipe"))).values()) == {"passed"}


def test_a_player_who_rests_in_most_steps_is_waited_for(kit_of):
    rarely = Change(
        "recipe.py",
        "        with train.turn(self.discriminator) as turn:\n",
        "        if train.step % 4:\n            return\n        with train.turn(self.discriminator) as turn:\n",
    )
    assert set(outcomes(only(kit_of(rarely), *(c.id for c in all_checks() if c.kind == "recipe"))).values()) == {
        "passed"
    }


def test_results_are_records(kit_of):
    kit = only(kit_of(Change("METADATA", "torch>=2.4", "torch==2.4.1")), "dependencies-fit")
    (result,) = kit
    record = dataclasses.replace(result, seconds=0.1234567).as_record()
    assert record == {
        "check": "dependencies-fit",
        "kind": "plugin",
        "target": "gansdk-plugin-exemplar",
        "outcome": "failed",
        "message": "it pins torch to ==2.4.1",
        "title": result.check.title,
        "why": result.check.why,
        "seconds": 0.123,
    }
