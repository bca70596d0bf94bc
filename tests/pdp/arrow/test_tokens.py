"""The tokens of a batch: as many as there are, wherever they stand, and a digest that fits these very tokens."""

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masker.path import parse, render
from pdp.arrow.tokens import at_path, columns_digest, json_values, records_digest
from pdp.masking.count import length

NAMES = st.sampled_from("ab")
TREE = st.recursive(
    st.none() | st.integers(0, 9) | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=8,
)
STEPS = st.lists(NAMES | st.none(), min_size=1, max_size=3).map(lambda steps: ("a", *steps))


def naive(value: Any, steps: tuple[str | None, ...]) -> int:
    """The leaves at the path, step by step."""
    found = [value]
    for step in steps:
        if step is None:
            found = [item for one in found if isinstance(one, list) for item in one]
        else:
            found = [one[step] for one in found if isinstance(one, dict) and step in one]
    return sum(one is not None and not isinstance(one, (list, dict)) for one in found)


@given(st.lists(st.dictionaries(NAMES, TREE, max_size=2), max_size=3), STEPS)
def test_values_of_documents_are_counted_as_the_slow_twin_counts(documents: list[Any], steps: Any) -> None:
    path = render(steps)
    assert parse(path) == steps
    texts = [json.dumps(document) for document in documents]
    assert json_values(texts, [path]) == sum(naive(document, steps) for document in documents)


def test_text_that_is_no_json_counts_nothing() -> None:
    assert json_values(["{", "", None, "[" * 100_000, "1", "null"], ["a", "a[]"]) == 0


def test_number_of_any_length_hides_no_value() -> None:
    assert json_values([f'{{"x": {"1" * 5000}, "y": 1e999999, "a": "b"}}'], ["a", "x", "y"]) == 3


NESTED = pa.record_batch(
    {
        "id": pa.array(["x", None, "z"]),
        "who": pa.array([{"name": "a", "mails": ["m", None]}, None, {"name": None, "mails": []}]),
        "tags": pa.array([["p", "q"], None, []]),
        "by": pa.array([[("k", "v")], None, [("l", None)]], pa.map_(pa.string(), pa.string())),
    }
)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("id", ["x", None, "z"]),
        ("who.name", ["a", None, None]),
        ("who.mails[]", ["m", None]),
        ("tags[]", ["p", "q"]),
        ("by[].key", ["k", "l"]),
        ("by[].value", ["v", None]),
        ("nowhere", []),
    ],
)
def test_values_at_a_path_are_found_wherever_lists_put_them(path: str, found: list[Any]) -> None:
    array = at_path(NESTED, path)
    assert (array.to_pylist() if array is not None else []) == found
    if path != "nowhere":
        assert length(NESTED, [path]) == sum(value is not None for value in found)


def test_slices_are_counted_as_what_they_are() -> None:
    assert length(NESTED.slice(1), ["id", "tags[]"]) == 1


Change = Callable[[list[str]], list[str]]
CHANGES: dict[str, Change] = {
    "one fewer": lambda texts: texts[:-1],
    "another order": lambda texts: texts[::-1],
    "one more": lambda texts: [*texts, "d"],
    "two joined": lambda texts: [texts[0] + texts[1], *texts[2:]],
    "another": lambda texts: ["A", *texts[1:]],
}


@pytest.mark.parametrize("name", CHANGES)
def test_digest_fits_exactly_these_tokens_in_this_order(name: str) -> None:
    mine = ["a", "b", "c"]
    theirs = CHANGES[name](mine)
    assert columns_digest(pa.record_batch({"t": mine}), ["t"]) != columns_digest(pa.record_batch({"t": theirs}), ["t"])
    assert records_digest(mine) != records_digest(theirs)


def test_digest_is_of_the_columns_that_are_reversed_and_of_their_names() -> None:
    batch = pa.record_batch({"t": ["a"], "u": ["a"]})
    digests = {columns_digest(batch, names) for names in (["t"], ["u"], ["t", "u"], ["u", "t"], [])}
    assert len(digests) == 5
    assert columns_digest(pa.record_batch({"t": ["a"], "u": ["other"]}), ["t"]) == columns_digest(batch, ["t"])
