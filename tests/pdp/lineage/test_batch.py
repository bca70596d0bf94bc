"""Several events in one text come out one by one, each as it was written."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.lineage.batch import MAX_CHARACTERS, PART, NotEvents, events, items

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)


@settings(deadline=None)
@given(st.lists(VALUES, max_size=5), st.sampled_from(["", " ", "\n", "\r\n\t"]), st.integers(1, 9))
def test_items_of_an_array_are_the_texts_between_its_commas(values: list[object], space: str, size: int) -> None:
    texts = [json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass") for value in values]
    array = space.encode() + b"[" + space.encode()
    array += (space + "," + space).encode().join(texts) + space.encode() + b"]" + space.encode()
    try:
        array.decode()
    except UnicodeDecodeError:
        with pytest.raises(NotEvents):
            list(items(array))
    else:
        assert list(items(array)) == list(events([array])) == texts
        assert list(events(array[place : place + size] for place in range(0, len(array), size))) == texts


def test_what_a_parser_would_lose_stays() -> None:
    text = b'[{"a": 1, "a": 2}, {"n": 1.0E+2}]'
    assert list(items(text)) == [b'{"a": 1, "a": 2}', b'{"n": 1.0E+2}']


@pytest.mark.parametrize("text", [b'{"a":1}\n{"b":2}\n', b'{"a":1}{"b":2}', b'\xef\xbb\xbf{"a":1}\r\n\r\n{"b":2}'])
def test_lines_are_read_one_after_the_other(text: bytes) -> None:
    assert list(events([text])) == [b'{"a":1}', b'{"b":2}']


def test_one_event_over_several_lines_is_one() -> None:
    assert list(events([b'{\n "a": 1\n}\n'])) == [b'{\n "a": 1\n}']
    assert list(events([b" \n"])) == []


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


def test_text_is_let_go_as_it_is_read() -> None:
    given = 0

    def parts() -> Iterator[bytes]:
        nonlocal given
        while True:
            given += 1
            yield b'{"a":1}\n' * 100

    found = events(parts())
    assert [next(found) for _ in range(1000)] == [b'{"a":1}'] * 1000
    assert given < 2 * PART / 800


def test_event_that_never_ends_stops_at_the_size_of_an_event() -> None:
    given = 0

    def parts() -> Iterator[bytes]:
        nonlocal given
        yield b'{"a":1} {"b":"'
        while True:
            given += 1
            yield b"x" * PART

    found = events(parts())
    assert next(found) == b'{"a":1}'
    with pytest.raises(NotEvents, match="character 9 is not JSON, nested too deep, or more than an event may be"):
        next(found)
    assert given * PART <= 2 * MAX_CHARACTERS + 2 * PART


def test_places_are_those_of_the_whole_text() -> None:
    text = b"\xef\xbb\xbf" + '{"ä":1}\n'.encode() * 20_000
    for size in (7, PART, len(text)):
        parts = [text[place : place + size] for place in range(0, len(text), size)]
        with pytest.raises(NotEvents, match=f"character {8 * 20_000 + 1} is not JSON"):
            list(events([*parts, b"nope"]))
        with pytest.raises(NotEvents, match=f"byte {len(text) + 2} is not UTF-8"):
            list(events([*parts, b"{\xff"]))
