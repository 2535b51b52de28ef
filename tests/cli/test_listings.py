"""``tasks``, ``models``, ``plugins``, ``alias``, ``default``, ``doctor`` and help, through the installed command."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys

import pytest
import tiny
from command import PROGRAM
from dists import BROKEN, HOOKS, write_distribution

LISTINGS = ["tasks", "models", "models list", "plugins", "plugins list", "alias", "alias list"]


def test_bare_is_help_and_ends_well(gansdk):
    done = gansdk()
    assert (done.code, done.err) == (0, "")
    for word in ("run", "models", "train", "--json", "--offline"):
        assert word in done.out
    assert gansdk("--help").out == done.out


def test_the_version_is_printed_without_looking_at_plugins(gansdk, tmp_path):
    write_distribution(tmp_path / "plugins", "loud", "import sys; print('imported', file=sys.stderr)\n")
    loud = dataclasses.replace(gansdk, path=(tmp_path / "plugins",))
    assert "imported" in loud("tasks").err
    done = loud("--version")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("gansdk 0.")
    assert "imported" not in loud("--help").err
    assert list(loud("--version", "--json").records[0]) == ["gansdk"]


@pytest.mark.parametrize("command", LISTINGS)
def test_every_listing_is_json_lines_with_a_flag_before_or_after(with_kinds, command):
    if command.startswith("alias"):
        assert with_kinds("alias", "set", "sr", "builtin:tiny-x2").code == 0
    after, before = with_kinds(*command.split(), "--json"), with_kinds("--json", *command.split())
    assert after.code == 0
    assert after.records
    assert after.out == before.out
    words = with_kinds(*command.split())
    assert (words.code, words.err) == (0, "")
    assert len(words.out.splitlines()) == len(after.records) + 1


def test_listings_say_what_is_there(with_kinds):
    kinds = {record["task"]: record for record in with_kinds("tasks", "--json").records}["kinds"]
    assert (kinds["outputs"], kinds["plugin"], kinds["inputs"]) == ({"record": "record"}, "gansdk-plugin-kinds", [])
    models = {record["ref"]: record for record in with_kinds("models", "--json").records}
    tiny_model = models["builtin:tiny-x2"]
    assert tiny_model["tasks"] == ["kinds", "superres"]
    assert (tiny_model["method"], tiny_model["licence"]) == ("tiny", "CC0-1.0")
    assert tiny_model["bytes"] > 1000


def test_a_model_shows_all_that_it_declares(with_kinds, model):
    (record,) = with_kinds("models", "show", "./model", "--json").records
    assert record["facts"] == tiny.FACTS.model_dump(mode="json")
    no_latent = "its generator does not start from a latent"
    assert record["tasks"] == [
        {"task": "encode", "applies": False, "reason": "it has no encoder"},
        {"task": "generate", "applies": False, "reason": no_latent},
        {"task": "kinds", "applies": True, "reason": ""},
        {"task": "restore", "applies": False, "reason": "its generator gives a larger image"},
        {"task": "superres", "applies": True, "reason": ""},
        {"task": "traverse", "applies": False, "reason": no_latent},
    ]
    properties = record["options"]["kinds"]["call"]["properties"]
    assert (properties["count"]["minimum"], properties["count"]["maximum"]) == (1, 10)
    assert record["options"]["kinds"]["load"]["properties"]["device"]["default"] == "auto"
    assert set(record["options"]["superres"]) == {"call", "load", "read", "write"}
    (file,) = record["files"]
    assert file["bytes"] == (model / "model.safetensors").stat().st_size
    words = with_kinds("models", "show", "./model").out
    assert "kinds: yes" in words
    assert "receptive_field: 4" in words


def test_a_model_is_shown_without_its_plugin_and_says_what_it_cannot_do(gansdk, tmp_path):
    tiny.write(tmp_path / "work" / "model", facts=tiny.FACTS.model_copy(update={"generator": None}))
    (record,) = gansdk("models", "show", "./model", "--json").records
    assert record["installed"] is False
    assert {"task": "superres", "applies": False, "reason": "it has no generator"} in record["tasks"]
    assert "superres: no, it has no generator" in gansdk("models", "show", "./model").out


@pytest.mark.parametrize("name", BROKEN)
def test_a_plugin_that_fails_leaves_the_command_alive_and_is_named_with_the_reason(gansdk, tmp_path, name):
    code, said = BROKEN[name]
    write_distribution(tmp_path / "plugins", f"plug-{name}", code)
    broken = dataclasses.replace(gansdk, path=(tmp_path / "plugins",))
    tasks = broken("tasks", "--json")
    assert tasks.code == 0
    assert "superres" in [record["task"] for record in tasks.records]
    states = {record["plugin"]: record for record in broken("plugins", "--json").records}
    assert states[f"plug-{name}"]["state"] == "broken"
    assert said in states[f"plug-{name}"]["reason"]
    assert states["gansdk"]["state"] == "ok"


def test_a_plugin_in_conflict_and_a_traceback_for_who_asks(gansdk, tmp_path):
    code = HOOKS + "@hookimpl\ndef gansdk_tasks():\n    return [task('superres')]\n"
    write_distribution(tmp_path / "plugins", "plug", code)
    taken = dataclasses.replace(gansdk, path=(tmp_path / "plugins",))
    done = taken("plugins")
    assert (done.code, done.err) == (0, "")
    (line,) = [line for line in done.out.splitlines() if line.startswith("plug ")]
    assert "conflict" in line
    assert "task 'superres' is brought by gansdk already" in line
    assert "NameTakenError" in taken("plugins", "--verbose").err
    assert taken("doctor").code == 1


def test_aliases_are_set_used_and_removed(with_kinds, model):
    assert with_kinds("alias").err.startswith("no aliases")
    assert with_kinds("alias", "set", "mine", "./model").code == 0
    (record,) = with_kinds("alias", "--json").records
    assert record == {"alias": "mine", "ref": str(model)}
    assert with_kinds("models", "show", "mine", "--json").records[0]["folder"] == str(model)
    assert (
        with_kinds("alias", "set", "other", "min").error
        == "gansdk: there is no model or alias 'min'; did you mean mine?"
    )
    assert with_kinds("alias", "remove", "min").code == 2
    with_kinds("default", "kinds", "mine")
    assert "your default for kinds" in with_kinds("alias", "remove", "mine").err
    assert with_kinds("alias", "--json").out == ""


def test_an_alias_of_the_hub_is_a_name_that_needs_no_network(with_kinds, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    done = with_kinds.spawn("alias", "set", "sr", "hub:org/srgan@v1")
    assert (done.code, done.error) == (0, "sr is hub:org/srgan@v1 now")
    assert with_kinds("alias", "--json").records == [{"alias": "sr", "ref": "hub:org/srgan@v1"}]
    assert with_kinds.spawn("alias", "set", "pinned", "sr", "--pin").code == 1
    assert "names a file, not a model" in with_kinds("alias", "set", "file", "hub:org/srgan:w.pth").error
    assert with_kinds("alias", "set", "none", "./nowhere").code == 1
    assert [record["alias"] for record in with_kinds("alias", "--json").records] == ["sr"]


def test_how_to_undo_a_default_is_said(with_kinds, model):
    done = with_kinds("default", "kinds", "builtin:tiny-x2")
    assert done.error == "kinds takes builtin:tiny-x2 now; undo it with `gansdk default kinds --unset`"
    done = with_kinds("default", "kinds", "./model")
    assert done.error == f"kinds takes {model} now; undo it with `gansdk default kinds builtin:tiny-x2`"


def test_a_default_is_set_shown_and_forgotten(with_kinds, model):
    assert with_kinds("default", "kinds", "./model").code == 0
    assert with_kinds("default", "kinds", "--json").records[0] == {
        "task": "kinds",
        "ref": str(model),
        "why": "your default",
    }
    model.rename(model.with_name("gone"))
    gone = with_kinds("default", "kinds")
    assert gone.code == 2
    assert gone.error.endswith("gansdk default kinds --unset")
    assert with_kinds("tasks").code == 0
    assert with_kinds("doctor").code == 1
    assert with_kinds("default", "kinds", "--unset").code == 0
    assert with_kinds("default", "kinds", "--json").records[0]["ref"] != str(model)
    assert with_kinds("default", "kind", "builtin:tiny-x2").code == 2
    assert with_kinds("default", "kinds", "builtin:tiny-x2", "--unset").code == 2


def test_a_default_must_fit_its_task(with_kinds, tmp_path):
    tiny.write(tmp_path / "work" / "model", facts=tiny.FACTS.model_copy(update={"generator": None}))
    done = with_kinds("default", "kinds", "./model")
    assert (done.code, done.out) == (2, "")
    assert "cannot do kinds: it has no generator" in done.error


def test_damaged_settings_are_named_by_what_needs_them_alone(gansdk):
    (gansdk.home / "config").mkdir(parents=True)
    (gansdk.home / "config" / "settings.json").write_text("{")
    assert gansdk("plugins").code == 0
    assert gansdk("models").code == 0
    done = gansdk("alias")
    assert done.code == 1
    assert "settings.json cannot be read as JSON" in done.error
    assert gansdk("doctor").code == 1


def test_doctor_says_what_is_here(gansdk):
    done = gansdk("doctor", "--json")
    found = {record["what"]: record for record in done.records}
    assert found["gansdk"]["state"] == "ok"
    assert "fp32" in found["device cpu"]["found"]
    assert str(gansdk.home) in found["config folder"]["found"]
    assert done.code == (1 if any(record["state"] != "ok" for record in done.records) else 0)


@pytest.mark.parametrize(
    "command",
    ["--help", "models", "tasks", "plugins", "run superres --help", "run kinds --help", "models show builtin:tiny-x2"],
)
def test_listings_import_neither_torch_nor_gradio(with_kinds, command):
    code = (
        f"import sys; from gansdk.cli import main; code = main({command.split()!r})\n"
        "print(code, [m for m in ('torch', 'gradio', 'torchvision', 'rich') if m in sys.modules], file=sys.stderr)"
    )
    line = [str(PROGRAM.with_name("python")), "-c", code]
    done = subprocess.run(line, capture_output=True, text=True, env=with_kinds.environment, check=False)
    assert done.stderr.splitlines()[-1] == "0 []"


def test_a_reader_who_has_seen_enough_ends_it_silently(with_kinds):
    command = f"'{PROGRAM}' models show builtin:tiny-x2 --json | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env=with_kinds.environment, check=False
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_the_reference_page_is_what_the_commands_say():
    from pathlib import Path

    script = Path(__file__).parents[2] / "scripts" / "cli_reference.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("verb", ["run", "map"])
def test_a_group_that_is_imported_late_is_listed_as_it_calls_itself(gansdk, verb):
    listed = next(line for line in gansdk("--help").out.splitlines() if line.startswith(f"  {verb} "))
    assert listed.split(maxsplit=1)[1] in gansdk(verb, "--help").out


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no text exist there alone")
def test_a_name_that_is_no_text_is_printed_all_the_same(with_kinds, tmp_path):
    strange = os.fsdecode(b"m\xfcnze")
    tiny.write(tmp_path / "work" / strange)
    (record,) = with_kinds("models", "show", f"./{strange}", "--json").records
    assert record["folder"] == strange
    assert "m\\udcfcnze" in with_kinds("models", "show", f"./{strange}").out


def test_the_list_of_commands_needs_no_option_classes(tmp_path):
    """They cost more than all else at the start; what is made of them is made when it is asked for."""
    code = (
        "import sys; from gansdk.cli import main; sys.argv = ['gansdk', '--help']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([name for name in ('pydantic', 'numpy', 'gansdk.plugins') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "bench" in done.stdout
    assert done.stderr == "[]\n"


def test_what_is_set_and_taken_away_is_told_in_json_too(with_kinds):
    lines = {
        "alias set sr builtin:tiny-x2": {"alias": "sr", "ref": "builtin:tiny-x2"},
        "default superres sr": {"task": "superres", "ref": "sr"},
        "default superres --unset": {"task": "superres", "ref": None},
        "default superres --unset ": {"task": "superres", "ref": None},
        "alias remove sr": {"alias": "sr", "ref": None},
    }
    for line, record in lines.items():
        done = with_kinds(*line.split(), "--json")
        assert (done.code, done.records, done.err) == (0, [record], "")
