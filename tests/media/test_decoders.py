import threading
import warnings

from gansdk.media.decoders import captured_warnings


def test_a_block_hears_its_own_warnings_and_gives_them_back_to_nobody():
    with warnings.catch_warnings(record=True) as outside:
        with captured_warnings() as texts:
            warnings.warn("first \n line.", UserWarning, stacklevel=1)
            warnings.warn("old", DeprecationWarning, stacklevel=1)
        assert texts == ["first line"]
    assert outside == []


def test_what_another_thread_warns_of_meanwhile_is_not_its_own():
    def compute():
        warnings.warn("about the network", UserWarning, stacklevel=1)

    with warnings.catch_warnings(record=True) as outside:
        warnings.simplefilter("always")
        with captured_warnings() as texts:
            thread = threading.Thread(target=compute)
            thread.start()
            thread.join()
    assert texts == []
    assert [str(one.message) for one in outside] == ["about the network"]


def test_filters_and_handlers_are_as_they_were():
    before = (list(warnings.filters), warnings.showwarning)
    with captured_warnings():
        pass
    assert (warnings.filters, warnings.showwarning) == before
