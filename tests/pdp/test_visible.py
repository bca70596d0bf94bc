"""Text from elsewhere for people's eyes: what could deceive them is made visible."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdp.visible import noted, printable, quoted, visible, wrapped
from tests.cli.terminal import is_harmless

DECEIVERS = {
    "escape sequence": "\x1b[2J\x1b]52;c;ZXZpbA==\x07",
    "hyperlink": "\x1b]8;;http://evil\x1b\\here\x1b]8;;\x1b\\",
    "8-bit control": "\x9b31m",
    "carriage return": "harmless\rdangerous",
    "line feed": "one\ntwo",
    "line separators": "a\u2028b\u2029c\x85d",
    "null": "a\0b",
    "bidi override": "\u202egnp.exe\u202c",
    "bidi isolate": "\u2066a\u2069\u200f\u061c",
    "zero width": "pay\u200bpal\u200d\u2060\ufeff",
    "tag characters": "\U000e0073\U000e0061\U000e007f",
    "variation selectors": "a\ufe0f\U000e0101\u180b",
    "soft hyphen": "a\u00adb",
    "fillers and blanks": "\u3164\u115f\u2800\uffa0\u034f",
    "spaces that are none": "a\u00a0b\u2003c\u3000d",
    "private use and unassigned": "\ue000\U0010ffff\u0378",
    "piled-up marks": "a" + "\u0301" * 50,
}


@pytest.mark.parametrize("text", DECEIVERS.values(), ids=DECEIVERS.keys())
def test_deceiving_characters_are_made_visible(text: str) -> None:
    shown = visible(text)
    assert is_harmless(shown)
    assert "\\u{" in shown


def test_ordinary_text_of_any_language_stays_as_it_is() -> None:
    for text in ("customers", "Übung für Zoë", "顧客の表", "таблица", "ข้อมูล", "100 % of it: a/b <c> #1"):
        assert visible(text) == text


def test_what_looks_hidden_is_told_from_what_is_hidden() -> None:
    assert visible("\u202e") != visible("\\u{202e}")
    assert quoted('a"b') == r'"a\"b"'
    assert quoted('a\\"b') == r'"a\\\"b"'


def test_decomposed_text_is_told_from_composed() -> None:
    assert visible("e\u0301") == "e\\u{301}"
    assert visible("\u00e9") == "\u00e9"


def test_characters_that_look_like_others_are_named() -> None:
    assert noted("p\u0430ypal") == "p\u0430ypal  (not ASCII: \u0430 U+0430)"
    assert noted("paypal") == "paypal"
    assert noted("".join(map(chr, range(0x4E00, 0x4E20)))).endswith(" and 24 more)")


def test_own_sentences_keep_their_lines_and_backslashes() -> None:
    assert printable("C:\\x\ny\x1b[0m") == "C:\\x\ny\\u{1b}[0m"


@given(text=st.text(max_size=300), columns=st.integers(0, 60))
def test_wrapping_loses_nothing_and_marks_every_break(text: str, columns: int) -> None:
    lines = wrapped(visible(text), columns).split("\n")
    assert lines[0] + "".join(line.removeprefix("    ... ") for line in lines[1:]) == visible(text)
    assert all(line.startswith("    ... ") for line in lines[1:])
    assert all(len(line) <= max(columns, 16) for line in lines)


def test_wide_characters_take_two_columns() -> None:
    assert wrapped("顧" * 10, 16) == "顧" * 8 + "\n    ... " + "顧" * 2
