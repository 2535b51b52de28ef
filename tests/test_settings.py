"""Aliases and defaults in one file that several processes edit."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gansdk.errors import RefError, SettingsError, UnknownNameError
from gansdk.settings import Settings, folders


@pytest.fixture
def settings(tmp_path):
    return Settings(tmp_path / "config" / "settings.json")


def test_a_file_that_does_not_exist_is_empty_and_is_not_made_by_looking(settings):
    assert settings.aliases() == {}
    assert settings.defaults() == {}
    assert not settings.unset_default("superres")
    assert not settings.file.parent.exists()


def test_aliases_and_defaults_stand_side_by_side(settings):
    settings.set_alias("sr", "builtin:srresnet-x4")
    settings.set_default("superres", "sr")
    again = Settings(settings.file)
    assert again.aliases() == {"sr": "builtin:srresnet-x4"}
    assert again.defaults() == {"superres": "sr"}
    again.set_alias("sr", "./other")
    again.remove_alias("sr")
    assert settings.aliases() == {}
    assert settings.unset_default("superres")
    assert settings.defaults() == {}


def test_a_name_or_ref_that_is_none_changes_nothing(settings):
    with pytest.raises(RefError):
        settings.set_alias("a/b", "builtin:x")
    with pytest.raises(RefError):
        settings.set_alias("a", "")
    with pytest.raises(RefError):
        settings.set_default("superres", "hub:x")
    settings.set_alias("portraits", "./a")
    with pytest.raises(UnknownNameError, match="did you mean portraits"):
        settings.remove_alias("portrait")
    assert settings.aliases() == {"portraits": "./a"}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "\xff", '{"aliases": 5}', '{"alias": {}}', '{"gansdk": 2}', "[" * 100_000, '{"aliases": {"a": 1}}'],
)
def test_a_damaged_file_is_named_and_stays_as_it_is(settings, text):
    settings.file.parent.mkdir()
    settings.file.write_bytes(text.encode("latin-1"))
    for call in (settings.aliases, settings.defaults, lambda: settings.set_alias("a", "./b")):
        with pytest.raises(SettingsError, match=r"settings\.json") as error:
            call()
        assert "remove it" in error.value.hint
        assert len(str(error.value)) < 500
    assert settings.file.read_bytes() == text.encode("latin-1")


def test_a_folder_that_cannot_be_made_is_an_error_with_a_way_out(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="GANSDK_HOME"):
        Settings(tmp_path / "file" / "settings.json").set_alias("a", "./b")


def test_processes_that_edit_at_once_lose_nothing(settings):
    code = (
        "import sys; from pathlib import Path; from gansdk.settings import Settings\n"
        "for i in range(10): Settings(Path(sys.argv[1])).set_alias(f'{sys.argv[2]}{i}', './x')"
    )
    lines = [[sys.executable, "-c", code, str(settings.file), who] for who in "abc"]
    running = [subprocess.Popen(line) for line in lines]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert sorted(settings.aliases()) == sorted(f"{who}{i}" for who in "abc" for i in range(10))


def test_one_variable_moves_both_folders(tmp_path):
    moved = folders({"GANSDK_HOME": str(tmp_path)})
    assert moved.config.parent == moved.cache.parent == tmp_path
    own = folders({})
    assert own.config != own.cache
    assert "gansdk" in str(own.config)
    assert own.cache.is_absolute()
