"""What is around the tensors of a network: wrappers, prefixes, other networks."""

from __future__ import annotations

import pytest
import torch

from gansdk.importing.reading import WRAPPERS, Table, find, is_table, parts

ONE, OTHER = {"a.weight": torch.zeros(1)}, {"b.weight": torch.ones(2)}


def places(content) -> list[str]:
    return [table.place for table in find(content)]


def test_a_bare_table_is_itself():
    (table,) = find(ONE)
    assert (table.place, table.tensors, table.left_out) == ("", ONE, ())


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_each_wrapper_is_taken_off(wrapper):
    (table,) = find({wrapper: ONE, "epoch": 3, "optimizer": {"state": {0: {"step": torch.zeros(1)}}}})
    assert (table.place, table.tensors, table.left_out) == (wrapper, ONE, ())


def test_wrappers_have_an_order():
    """The one of the methods page: averaged weights first."""
    assert WRAPPERS == (
        "params_ema",
        "params-ema",
        "g_ema",
        "G_ema",
        "ema_model",
        "model_ema",
        "ema",
        "ema_state_dict",
        "state_dict_ema",
        "params",
        "state_dict",
        "model_state_dict",
        "model",
    )
    everything = {wrapper: {f"{wrapper}.weight": torch.zeros(1)} for wrapper in reversed(WRAPPERS)}
    for wrapper in WRAPPERS:
        (table,) = find(everything)
        assert table.place == wrapper
        assert set(table.left_out) == set(everything) - {wrapper}
        del everything[wrapper]


def test_an_empty_wrapper_is_passed_over():
    assert places({"params_ema": {}, "params": ONE}) == ["params"]
    assert places({"params_ema": None, "params": ONE}) == ["params"]


def test_wrappers_within_wrappers():
    (table,) = find({"model": {"state_dict": ONE, "epoch": 1}})
    assert (table.place, table.tensors) == ("model.state_dict", ONE)


def test_several_networks_are_several_tables():
    tables = find({"net_g": ONE, "net_d": OTHER, "epoch": 3})
    assert [(table.place, table.left_out) for table in tables] == [("net_g", ("net_d",)), ("net_d", ("net_g",))]


def test_a_tensor_called_like_a_wrapper_is_no_wrapper():
    assert places({"model": torch.zeros(1), "params": torch.zeros(1)}) == [""]


@pytest.mark.parametrize("content", [{}, {"epoch": 3}, {"a": [torch.zeros(1)]}, {1: torch.zeros(1)}, {"a": {"b": 1}}])
def test_where_no_table_is_none_is_found(content):
    assert find(content) == []


def test_a_file_that_is_nested_without_end_ends():
    content: dict[str, object] = {"a": torch.zeros(1)}
    for _ in range(50):
        content = {"model": content}
    assert find(content) == []


def test_mappings_that_are_named_over_and_over_are_looked_at_once():
    """A few hundred bytes of pickle can unfold to 1000⁴ mappings."""
    shared: dict[str, object] = dict(ONE)
    for _ in range(4):
        shared = {f"n{index}": shared for index in range(1000)}
    assert len(find(shared)) == 16
    empty: dict[str, object] = {}
    for _ in range(8):
        empty = {f"n{index}": empty for index in range(1000)}
    assert find(empty) == []
    empty["itself"] = empty
    assert find(empty) == []


def test_what_parallel_training_puts_before_keys_is_taken_off_if_all_have_it():
    assert list(find({"module.a": torch.zeros(1), "module.b": torch.zeros(1)})[0].tensors) == ["a", "b"]
    assert list(find({"module.a": torch.zeros(1), "b": torch.zeros(1)})[0].tensors) == ["module.a", "b"]
    assert list(find({"params": {"module.a": torch.zeros(1)}})[0].tensors) == ["a"]


def test_one_name_before_all_keys_comes_off():
    (part,) = parts(Table("state_dict", {"net.a.weight": torch.zeros(1), "net.b.weight": torch.zeros(1)}))
    assert (part.place, list(part.tensors), part.left_out) == ("state_dict.net", ["a.weight", "b.weight"], ())


@pytest.mark.parametrize("name", ["generator", "netG", "G", "net_g"])
def test_of_several_networks_in_one_table_the_generator_is_taken(name):
    tensors = {f"{name}.module.a": torch.zeros(1), "discriminator.a": torch.zeros(1), "vgg.a": torch.zeros(1)}
    (part,) = parts(Table("", tensors))
    assert (part.place, list(part.tensors), part.left_out) == (name, ["a"], ("discriminator", "vgg"))


def test_parts_of_one_network_are_not_taken_for_networks():
    """Half of a larger network may look like one that is known; it must not be imported as that."""
    assert parts(Table("", {"first.body.0.weight": torch.zeros(1), "second.body.0.weight": torch.zeros(1)})) == []
    assert parts(Table("", {"generator.a": torch.zeros(1), "scale": torch.zeros(1)})) == []


def test_a_table_is_names_of_tensors_and_nothing_else():
    assert is_table(ONE)
    assert not is_table({})
    assert not is_table({**ONE, "epoch": 3})
