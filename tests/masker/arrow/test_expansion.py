"""Bytes of an array with all that it points to written out: as the slow twin counts them, and with nothing written."""

from typing import Any

import pyarrow as pa
import pytest

from masker.arrow.expansion import expanded_bytes, parts

TEXT = "x" * 1000
TEXTS = [TEXT, None, "", TEXT]


def naive(value: Any) -> int:
    """A byte for each value, and the bytes of its text."""
    if isinstance(value, (list, tuple)):
        return 1 + sum(map(naive, value))
    if isinstance(value, dict):
        return 1 + sum(map(naive, value.values()))
    return 1 + len(value) if isinstance(value, (str, bytes)) else 1


def coded(values: Any, *places: int | None) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(places, pa.int8()), values)


LISTS = pa.array([[TEXT, "a"], None, [], ["b"]])
PLAIN = {
    "text": pa.array(TEXTS),
    "large": pa.array(TEXTS, pa.large_string()),
    "views": pa.array(TEXTS, pa.string_view()),
    "bool": pa.array([True, None]),
    "null": pa.nulls(5),
    "lists": LISTS,
    "structs": pa.array([{"a": TEXT, "b": True}, {"a": "", "b": None}]),
}
CODED = {
    "text": coded(pa.array(TEXTS), 0, 1, None, 3, 3, 2),
    "views": coded(pa.array(TEXTS, pa.string_view()), 0, 0, 0, None),
    "lists": coded(LISTS, 0, 0, 1, 3),
    "fixed lists": coded(pa.array([[TEXT, "a"], ["b", ""]], pa.list_(pa.string(), 2)), 0, 0, 1),
    "structs": coded(PLAIN["structs"], 0, 0, 1),
    "codes": coded(coded(pa.array(TEXTS), 0, 2), 0, 1, 0),
    "numbers": coded(pa.array([1, 2], pa.int8()), 0, 1, 1, None),
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_arrays_count_what_they_hold(name: str) -> None:
    assert expanded_bytes(PLAIN[name]) == sum(map(naive, PLAIN[name].to_pylist()))


@pytest.mark.parametrize("name", CODED)
def test_entry_of_a_dictionary_counts_wherever_it_stands_and_once_more(name: str) -> None:
    array = CODED[name]
    assert expanded_bytes(array) == sum(map(naive, array.to_pylist())) + expanded_bytes(array.dictionary)


def test_numbers_count_their_width_and_runs_the_longest_value() -> None:
    assert expanded_bytes(pa.array([1, None, 3])) == 24
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([1000], pa.int32()), pa.array([TEXT]))
    assert expanded_bytes(runs) >= 1000 * 1000


def test_list_views_share_their_items() -> None:
    places, sizes = pa.array([0] * 5, pa.int32()), pa.array([1] * 5, pa.int32())
    shared = pa.ListViewArray.from_arrays(places, sizes, pa.array([TEXT]))
    assert expanded_bytes(shared) == 5 * (2 + len(TEXT)) + expanded_bytes(shared.values)


def test_of_a_slice_only_its_own_items_count() -> None:
    assert expanded_bytes(LISTS.slice(3), is_slice=True) == naive(["b"])
    assert expanded_bytes(LISTS.slice(1), is_slice=True) == sum(map(naive, LISTS.slice(1).to_pylist()))
    assert expanded_bytes(pa.array(TEXTS).slice(1, 2), is_slice=True) == 2


@pytest.mark.parametrize("index", [-1, 2, 127])
def test_places_outside_count_as_nothing(index: int) -> None:
    array = pa.DictionaryArray.from_arrays(pa.array([index], pa.int8()), pa.array(["a", TEXT]), safe=False)
    assert expanded_bytes(array) == 1 + expanded_bytes(array.dictionary)


def test_parts_are_the_arrays_directly_below() -> None:
    assert [len(part) for part in parts(PLAIN["structs"])] == [2, 2]
    assert [part.to_pylist() for part in parts(pa.array([[("k", "v")]], pa.map_(pa.string(), pa.string())))] == [
        ["k"],
        ["v"],
    ]
    assert parts(pa.array([1])) == []
