"""Texts that no caller sends as they are written are found."""

import unicodedata
from pathlib import Path

import pytest

from tests.pdp.policy.test_never import found

ASKS = {
    "one of data": "input.subject.id in data.odd",
    "each of data": "some each in data.odd\n\tinput.subject.id == each",
    "any of data": "data.odd[_] == input.subject.id",
    "a name in data": "data.why[input.subject.id]",
    "a text of data": "input.subject.id == data.one",
    "a text of the rule": 'input.subject.id == "{}"',
    "one of the rule": 'input.subject.id in {{"{}", "eve"}}',
}


@pytest.mark.parametrize("text", ["bot ", " bot"])
@pytest.mark.parametrize("body", ASKS.values(), ids=ASKS.keys())
def test_text_that_nobody_sends_is_refused(body: str, text: str, tmp_path: Path) -> None:
    data = {"odd": ["eve", text], "why": {text: "left"}, "one": text, "unread": ["odd", "why", "one"]}
    assert set(found(tmp_path, body.format(text), **{"data.json": data})[0]) == {"odd-text"}


def test_text_in_another_unicode_form_is_refused(tmp_path: Path) -> None:
    data = {"odd": ["eve", unicodedata.normalize("NFD", "jos\u00e9")]}
    assert found(tmp_path, "input.subject.id in data.odd", **{"data.json": data})[0] == ["hidden-characters"]


@pytest.mark.parametrize("body", ["input.subject.id in data.known", "count(data.odd) > 1", 'input.subject.id == ""'])
def test_text_that_is_not_compared_or_as_it_is_sent_is_fine(body: str, tmp_path: Path) -> None:
    data = {"odd": ["eve ", "bot"], "known": ["jos\u00e9", "a b"], "unread": ["odd", "known"]}
    assert found(tmp_path, body, **{"data.json": data}) == ([], [])


def test_part_of_a_text_may_have_blanks(tmp_path: Path) -> None:
    body = 'some part in split(input.subject.id, ",")\n\tpart in data.odd'
    assert found(tmp_path, body, **{"data.json": {"odd": [" bot"]}}) == ([], [])


def test_text_in_two_cases_is_warned_of(tmp_path: Path) -> None:
    data = {"data.json": {"blocked": ["Bot", "bot"]}}
    refused, (warned,) = found(tmp_path, "input.subject.id in data.blocked", **data)
    assert refused == []
    assert "`lower(input.subject.id)`" in warned
    mended = {"data.json": {"blocked": ["bot"]}}
    assert found(tmp_path, "lower(input.subject.id) in data.blocked", **mended) == ([], [])
