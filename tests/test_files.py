"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import stat
import subprocess
import sys
import threading

import pytest

from gansdk.errors import OutputError, OutputExistsError
from gansdk.files import remove_leftovers, sha256, whole_file, whole_folder, write_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_only_at_the_end(tmp_path):
    with whole_file(tmp_path / "a") as file:
        file.write(b"one")
        assert not (tmp_path / "a").exists()
    assert (tmp_path / "a").read_bytes() == b"one"
    assert names(tmp_path) == ["a"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    write_whole(tmp_path / "a", "old")
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "a") as file:
        file.write(b"new")
        1 / 0  # noqa: B018
    assert (tmp_path / "a").read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_a_file_that_appeared_meanwhile_is_not_replaced_unless_asked(tmp_path):
    with pytest.raises(OutputExistsError, match="exists already"), whole_file(tmp_path / "a", replace=False) as file:
        file.write(b"mine")
        (tmp_path / "a").write_text("theirs")
    assert (tmp_path / "a").read_text() == "theirs"
    assert names(tmp_path) == ["a"]


def test_only_one_of_many_writers_wins(tmp_path):
    errors = []

    def write(index):
        try:
            with whole_file(tmp_path / "a", replace=False) as file:
                file.write(str(index).encode())
        except OutputExistsError as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 7
    assert names(tmp_path) == ["a"]


def test_permissions_are_those_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_text("x")
    write_whole(tmp_path / "whole", "x")
    assert stat.S_IMODE((tmp_path / "whole").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


@pytest.mark.parametrize("place", ["absent/a", "file/a"])
def test_a_place_that_cannot_be_written_is_one_line(tmp_path, place):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cannot write"), whole_file(tmp_path / place):
        pass


def test_a_killed_process_leaves_no_half_file(tmp_path):
    code = f"""
import sys, time
from pathlib import Path
from gansdk.files import whole_file
with whole_file(Path({str(tmp_path / "a")!r})) as file:
    file.write(b"half"); file.flush(); print("writing", flush=True); time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not (tmp_path / "a").exists()
    assert all(name.startswith(".") for name in names(tmp_path))


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    code = f"""
import resource, signal
from pathlib import Path
from gansdk.files import whole_file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
with whole_file(Path({str(tmp_path / "a")!r})) as file:
    file.write(b"x" * 100_000)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "OutputError: cannot write" in done.stderr
    assert names(tmp_path) == []


def test_a_folder_appears_only_at_the_end_and_replaces_only_if_asked(tmp_path):
    target = tmp_path / "new" / "folder"
    with whole_folder(target) as folder:
        (folder / "x").write_text("1")
        assert not target.exists()
    with pytest.raises(OutputExistsError), whole_folder(target):
        pass
    with whole_folder(target, replace=True) as folder:
        (folder / "y").write_text("2")
    assert names(target) == ["y"]
    with pytest.raises(ZeroDivisionError), whole_folder(target, replace=True) as folder:
        (folder / "z").write_text("3")
        1 / 0  # noqa: B018
    assert names(target) == ["y"]
    assert names(target.parent) == ["folder"]


def test_digest(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a") == "sha256:" + hashlib.sha256(b"abc").hexdigest()


@pytest.mark.parametrize("replace", [True, False])
def test_a_link_stays_and_the_file_that_it_points_at_is_replaced(tmp_path, replace):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere/real")
    if replace:
        write_whole(tmp_path / "elsewhere" / "real", "old")
    with whole_file(tmp_path / "link", replace=replace) as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "elsewhere" / "real").read_text() == "new"
    assert names(tmp_path / "elsewhere") == ["real"]


def test_a_link_to_a_folder_stays_too(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with whole_folder(tmp_path / "link", replace=True) as new:
        write_whole(new / "a", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "a").read_text() == "new"
    assert names(tmp_path) == ["link", "real"]


def test_a_link_to_itself_is_an_error_in_one_line(tmp_path):
    (tmp_path / "a").symlink_to("a")
    with pytest.raises(OutputError, match="Too many levels of symbolic links"):
        write_whole(tmp_path / "a", "new")


def test_what_is_no_file_is_never_replaced(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(tmp_path)  # a socket's address is short
        listening.bind("socket")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "folder").mkdir()
    kinds = {"pipe": "a pipe", "socket": "a socket", "link": "a pipe", "folder": "a folder"}
    for name, kind in kinds.items():
        with pytest.raises(OutputError, match=f"is {kind}, not a file"):
            write_whole(tmp_path / name, "new")
        if name != "folder":
            with pytest.raises(OutputError, match="is not a folder"), whole_folder(tmp_path / name, replace=True):
                pass
    assert names(tmp_path) == sorted(kinds)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_device_is_never_replaced(tmp_path):
    try:
        os.mknod(tmp_path / "null", stat.S_IFCHR | 0o600, os.makedev(1, 3))  # one of our own, lest the real one goes
    except PermissionError:
        pytest.skip("only root makes devices")
    with pytest.raises(OutputError, match=r"is a device, not a file; .* -o -"):
        write_whole(tmp_path / "null", "new")
    assert stat.S_ISCHR((tmp_path / "null").stat().st_mode)


@pytest.mark.parametrize("name", ["界" * 85, "x" * 255, "a" + "é" * 127])
def test_a_name_may_be_as_long_as_the_file_system_takes(tmp_path, name):
    write_whole(tmp_path / name, "new")
    assert names(tmp_path) == [name]
    with pytest.raises(OutputError, match="File name too long; give it a shorter name"):
        write_whole(tmp_path / (name + "x"), "new")


def test_leftovers_of_long_names_are_found_again(tmp_path):
    name = "界" * 84
    with whole_file(tmp_path / name):
        (left,) = names(tmp_path)
        (tmp_path / left.replace(left[-13:-5], "01234567")).write_text("half")
    assert len(names(tmp_path)) == 2
    remove_leftovers(tmp_path, [name])
    assert names(tmp_path) == [name]
