"""What an entry of a chunk counts: at least what a plan reverses, and just that where metadata names the paths."""

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.arrow.documents import MAX_JSON_BYTES, named_paths, reversed_values
from pdp.errors import ValueRefused

PATHS = {"a": "token", "b[]": "fpe", "c.d": "token", "e": "clear", "f": "redact"}
LEAF = st.none() | st.integers(0, 9) | st.text(max_size=3)
DOCUMENT = st.fixed_dictionaries(
    {},
    optional={
        "a": LEAF,
        "b": st.lists(LEAF, max_size=3),
        "c": st.fixed_dictionaries({}, optional={"d": LEAF}),
        "e": LEAF,
        "f": LEAF,
    },
)


def batch(texts: Any, paths: object = None, kind: Any = None) -> pa.RecordBatch:
    metadata = None if paths is None else {"placet.mask": "json", "placet.paths": paths}
    array = pa.array(texts, kind or pa.string())
    return pa.record_batch([array], schema=pa.schema([pa.field("doc", array.type, metadata=metadata)]))


def named(**paths: str) -> str:
    return json.dumps({path: {"mask": mask, "domain": ""} for path, mask in (paths or PATHS).items()})


def leaves(*values: Any) -> int:
    return sum(value is not None for value in values)


@settings(deadline=None)
@given(st.lists(DOCUMENT, max_size=4), st.sampled_from([pa.string(), pa.dictionary(pa.int8(), pa.string())]))
def test_values_at_the_paths_that_can_be_reversed_count(documents: list[Any], kind: Any) -> None:
    texts = [*map(json.dumps, documents), None]
    masked = sum(leaves(one.get("a"), one.get("c", {}).get("d"), *one.get("b", [])) for one in documents)
    assert reversed_values(batch(texts, named(), kind), ["doc"]) == masked
    every = [
        leaves(*(one.get(name) for name in "aef"), one.get("c", {}).get("d"), *one.get("b", [])) for one in documents
    ]
    assert reversed_values(batch(texts, None, kind), ["doc"]) == sum(max(count, 1) for count in every)


@pytest.mark.parametrize("paths", [None, named()])
@pytest.mark.parametrize("text", ["tok_1", "7", "", "{", '{"a":', "[" * 100_000, " {x}", "é"])
def test_text_that_is_no_json_counts_one(text: str, paths: str | None) -> None:
    assert reversed_values(batch([text, None], paths), ["doc"]) == 1


def test_number_of_any_length_and_any_depth_hides_nothing() -> None:
    text = f'{{"a":"x","e":{"1" * 5000},"f":{"[" * 200}1{"]" * 200}}}'
    assert reversed_values(batch([text], named()), ["doc"]) == 1
    assert reversed_values(batch([text]), ["doc"]) == 2


def test_other_columns_count_their_values() -> None:
    made = pa.record_batch({"n": [1, None], "who": [{"t": "x"}, {"t": '{"a":1,"b":2}'}]})
    assert reversed_values(made, ["n", "who.t", "nowhere"]) == 1 + 3


@pytest.mark.parametrize(
    "paths", ["", "{", "[]", '{"a":1}', '{"a":{}}', '{"a":{"mask":[]}}', '{"a":{"mask":"x"}}', "[" * 9999]
)
def test_metadata_that_is_broken_names_no_paths(paths: str) -> None:
    made = batch(['{"a":1,"b":2}'], paths)
    assert named_paths(made.schema, "doc") is None
    assert reversed_values(made, ["doc"]) == 2


def test_paths_that_can_be_reversed_are_named() -> None:
    assert named_paths(batch([], named()).schema, "doc") == {"a", "b[]", "c.d"}
    assert named_paths(batch([]).schema, "doc") is named_paths(batch([]).schema, "other") is None


def test_json_that_views_repeat_is_bounded() -> None:
    text = json.dumps({"a": "x" * (MAX_JSON_BYTES // 8)})
    with pytest.raises(ValueRefused, match="MiB of JSON"):
        reversed_values(batch([text] * 9, named(), pa.string_view()), ["doc"])
    assert reversed_values(batch(["x" * MAX_JSON_BYTES] * 2), ["doc"]) == 2
