import signal
import threading

import pytest

from gansdk.training.interruption import put_off


def test_ctrl_c_waits_for_the_end_of_the_block():
    notes, reached = [], False
    with pytest.raises(KeyboardInterrupt), put_off(notes.append) as interruption:
        assert not interruption
        signal.raise_signal(signal.SIGINT)
        assert interruption
        reached = True
    assert reached
    assert notes == ["stopping after this step; what is done will be saved"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_stops_at_once():
    reached = False
    with pytest.raises(KeyboardInterrupt), put_off(lambda _: None):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        reached = True
    assert not reached


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
