"""JSON records from lines and arrays, as they are written."""

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masker.arrow.documents import LINES_BYTES, elements
from masker.arrow.json_lines import lines
from masker.errors import FileRefused

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def opened(text: str | bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(text if isinstance(text, bytes) else text.encode()))


def all_of(batches: Any) -> list[str]:
    return [str(record) for batch in batches for record in batch]


@given(st.lists(JSON, max_size=5), st.sampled_from([None, 1]))
def test_elements_are_those_of_the_array(records: list[Any], indent: int | None) -> None:
    assert [json.loads(each) for each in all_of(elements(opened(json.dumps(records, indent=indent))))] == records


@given(st.lists(JSON, max_size=5))
def test_lines_are_the_records(records: list[Any]) -> None:
    text = "".join(json.dumps(record) + "\n\n" for record in records)
    assert [json.loads(each) for each in all_of(lines(opened(text)))] == records


def test_record_longer_than_a_batch_is_whole() -> None:
    records = ["x" * (3 * LINES_BYTES), 1, "y"]
    assert [json.loads(each) for each in all_of(elements(opened(json.dumps(records))))] == records


@pytest.mark.parametrize(
    ("read", "text", "says"),
    [
        (elements, '{"a": 1}', "the file is not a JSON array"),
        (elements, "[1, 2", "row 1 (rows count from 0) is not JSON, or the array is not whole"),
        (elements, "[1 2]", "row 1 (rows count from 0) is not JSON, or the array is not whole"),
        (elements, "[1] [2]", "text follows the array"),
        (elements, b'["\xff"]', "the text is not UTF-8"),
        (lines, "[\n1,\n2]\n", "the file is one JSON array"),
        (lines, '{\n"a": 1}\n', "a record takes several lines"),
        (lines, '{"a":1}\r{"a":2}\r', "lines end in CR alone"),
        (lines, b'{"a":1}\n{"a":"\xff"}\n', "from row 1 (rows count from 0) the text is not UTF-8"),
    ],
)
def test_what_is_wrong_is_one_sentence(read: Any, text: str | bytes, says: str) -> None:
    with pytest.raises(FileRefused) as refused:
        all_of(read(opened(text)))
    assert says in str(refused.value)
