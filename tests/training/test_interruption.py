import signal
import threading

import adversary
import pytest
from trainings import METHODS, Notes, assert_same_run, state, stop_at, train

from gansdk.training import trainer
from gansdk.training.callbacks import put_off

STOPPING = "stopping after this step; what is done will be saved (Ctrl-C again stops at once, unsaved)"


def test_ctrl_c_waits_for_the_end_of_the_block():
    notes, reached = Notes(), False
    with pytest.raises(KeyboardInterrupt), put_off(notes.append) as interruption:
        assert not interruption
        signal.raise_signal(signal.SIGINT)
        assert interruption
        reached = True
    assert reached
    assert notes == [STOPPING]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_stops_at_once():
    notes, reached = Notes(), False
    with pytest.raises(KeyboardInterrupt), put_off(notes.append):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        reached = True
    assert not reached
    assert notes == [STOPPING, "stopped at once; what is left is the checkpoint before"]


def test_a_signal_that_was_ignored_before_stays_ignored():
    """A shell ignores Ctrl-C for what it runs in the background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with put_off(lambda _: None) as interruption:
            signal.raise_signal(signal.SIGINT)
            assert not interruption
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_sigterm_takes_its_usual_effect_afterwards():
    received = []
    before = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    try:
        with put_off(lambda _: None) as interruption:
            signal.raise_signal(signal.SIGTERM)
            assert interruption.signal == signal.SIGTERM
            assert not received
        assert received == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_an_error_in_the_block_goes_before_the_signal():
    with pytest.raises(ZeroDivisionError), put_off(lambda _: None):
        signal.raise_signal(signal.SIGINT)
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_are_left_alone():
    seen = []

    def work():
        with put_off(lambda _: None) as interruption:
            seen.append(bool(interruption))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]


def test_ctrl_c_in_the_middle_of_a_step_saves_the_whole_step(tmp_path, photos):
    notes = Notes()
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", photos, method=adversary.method("Interrupted"), note=notes.append)
    assert state(tmp_path / "run")[1]["step"] == 3
    assert notes == [STOPPING]
    trainer.resume(tmp_path / "run", methods=METHODS)
    train(tmp_path / "whole", photos)
    assert_same_run(tmp_path / "whole", tmp_path / "run")


def test_sigterm_saves_too_and_then_takes_its_usual_effect(tmp_path, photos):
    received = []
    before = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    try:
        method = adversary.method("Terminated")
        finished = train(tmp_path / "run", photos, method=method, tests={"held-out": photos})
    finally:
        signal.signal(signal.SIGTERM, before)
    assert received == [signal.SIGTERM]
    assert (finished.steps, finished.evaluation) == (3, None)
    assert state(tmp_path / "run")[1]["step"] == 3


def test_sheets_of_steps_that_were_lost_go_when_the_run_goes_on(tmp_path, photos):
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", photos, progress=stop_at(3))
    (tmp_path / "run" / "samples" / "000000005.png").write_bytes(b"of a step that no checkpoint has")
    trainer.resume(tmp_path / "run", methods=METHODS, steps=4)
    assert [path.name for path in sorted((tmp_path / "run" / "samples").iterdir())] == [
        "000000002.png",
        "000000004.png",
    ]
