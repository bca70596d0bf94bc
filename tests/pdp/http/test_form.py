"""Forms, queries and cookies are read strictly."""

import pytest

from pdp.errors import InvalidRequest
from pdp.http import form


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"", []),
        (b"a=1&b=2", [("a", "1"), ("b", "2")]),
        (b"a=%C3%A9+x", [("a", "é x")]),
        (b"a", [("a", "")]),
        (b"a=b=c", [("a", "b=c")]),
        (b"a=1&a=2", [("a", "1"), ("a", "2")]),
    ],
)
def test_fields_come_in_their_order(text: bytes, found: list[tuple[str, str]]) -> None:
    assert list(form.pairs(text, "body")) == found


@pytest.mark.parametrize(
    ("text", "named"),
    [(b"a=%ff", "a"), (b"a=%", "a"), (b"a=%zz", "a"), (b"a=\xe9", "a"), (b"%ff=1", "body"), (b"&" * 1000, "body")],
)
def test_bad_field_is_named(text: bytes, named: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        form.pairs(text, "body")
    assert [path for path, _ in caught.value.violations] == [named]


def test_field_stands_once() -> None:
    with pytest.raises(InvalidRequest, match="a: stands twice"):
        form.once([("a", "1"), ("b", "1"), ("a", "1")])


def test_fields_are_exactly_those_of_the_form() -> None:
    with pytest.raises(InvalidRequest) as caught:
        form.exactly({"a": "", "c": ""}, ["a", "b"])
    assert [path for path, _ in caught.value.violations] == ["b", "c"]


def test_words_are_kept_as_far_as_they_can_be_read() -> None:
    assert form.words(b"reason=a+%ff&other=1&x", ["reason", "x"]) == {"reason": "a \ufffd", "x": ""}


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ([], {}),
        (["a=1; b=2"], {"a": "1", "b": "2"}),
        (["a=1", "b=2"], {"a": "1", "b": "2"}),
        (["a=1; a=2; b=3"], {"b": "3"}),
        (["a=1", "a=1"], {}),
        (["a; =1; ;"], {"": "1"}),
    ],
)
def test_cookie_that_stands_twice_is_none(sent: list[str], found: dict[str, str]) -> None:
    assert form.cookies(sent) == found
