import threading

import pytest
import torch

from gansdk.models.runtime import plain_arithmetic

CUDA = torch.device("cuda")


def settings():
    cudnn = torch.backends.cudnn
    return cudnn.enabled, cudnn.deterministic, cudnn.allow_tf32


def test_within_the_block_cudnn_is_exact_and_repeats_itself_and_afterwards_it_is_as_it_was():
    before = settings()
    with plain_arithmetic(CUDA):
        assert settings() == (before[0], True, False)
    assert settings() == before


def test_what_the_user_chose_comes_back_after_an_error_too():
    with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=True):
        before = settings()
        with pytest.raises(ValueError, match="on the way"), plain_arithmetic(CUDA):
            raise ValueError("on the way")
        assert settings() == before


def test_of_two_threads_the_last_one_out_restores():
    before, is_inside, may_leave, seen = settings(), threading.Event(), threading.Event(), []

    def other():
        with plain_arithmetic(CUDA):
            is_inside.set()
            may_leave.wait(10)
            seen.append(settings())

    thread = threading.Thread(target=other)
    with plain_arithmetic(CUDA):
        thread.start()
        assert is_inside.wait(10)
    may_leave.set()
    thread.join()
    assert seen == [(before[0], True, False)]
    assert settings() == before


def test_without_a_gpu_nothing_is_touched():
    before = settings()
    with plain_arithmetic(torch.device("cpu")):
        assert settings() == before
