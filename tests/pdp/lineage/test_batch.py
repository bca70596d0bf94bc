"""Several events in one text come out one by one, each as it was written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdp.lineage.batch import NotEvents, events, items

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.lists(VALUES), st.sampled_from(["", " ", "\n", "\r\n\t"]))
def test_items_of_an_array_are_the_texts_between_its_commas(values: list[object], space: str) -> None:
    texts = [json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass") for value in values]
    array = space.encode() + b"[" + space.encode()
    array += (space + "," + space).encode().join(texts) + space.encode() + b"]" + space.encode()
    try:
        array.decode()
    except UnicodeDecodeError:
        with pytest.raises(NotEvents):
            list(items(array))
    else:
        assert list(items(array)) == list(events(array)) == texts


def test_what_a_parser_would_lose_stays() -> None:
    text = b'[{"a": 1, "a": 2}, {"n": 1.0E+2}]'
    assert list(items(text)) == [b'{"a": 1, "a": 2}', b'{"n": 1.0E+2}']


@pytest.mark.parametrize("text", [b'{"a":1}\n{"b":2}\n', b'{"a":1}{"b":2}', b'\xef\xbb\xbf{"a":1}\r\n\r\n{"b":2}'])
def test_lines_are_read_one_after_the_other(text: bytes) -> None:
    assert list(events(text)) == [b'{"a":1}', b'{"b":2}']


def test_one_event_over_several_lines_is_one() -> None:
    assert list(events(b'{\n "a": 1\n}\n')) == [b'{\n "a": 1\n}']
    assert list(events(b" \n")) == []


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[1",
        b"[1,]",
        b"[,1]",
        b"[1 2]",
        b"[1] 2",
        b"[\xff]",
        b"[" * 100_000,
        b"[[" + b"[" * 100_000,
        b"[nope]",
    ],
)
def test_text_that_is_no_array_is_refused(text: bytes) -> None:
    with pytest.raises(NotEvents):
        list(items(text))
