import datetime as dt

import pytest

from masker import parameter
from masker.declaration import rule_spec

TAKEN = [
    ("partial", "keep_first", 0, 0),
    ("partial", "keep_last", 64, 64),
    ("partial", "character", "#", "#"),
    ("redact", "text", "", ""),
    ("redact", "text", "é" * 50, "é" * 50),
    ("generalize", "edges", [1, 2.5], (1, 2.5)),
    ("generalize", "step", 0.5, 0.5),
    ("generalize", "least", -5, -5),
    ("generalize", "at", "1970-01-03", 2),
    ("generalize", "cap", 150, 150),
    ("generalize", "format", "%Y%m%d", "%Y%m%d"),
    ("generalize", "format", "number", "number"),
]
WRONG = [
    ("partial", "keep_first", -1),
    ("partial", "keep_first", 65),
    ("partial", "keep_first", True),
    ("partial", "keep_first", 1.0),
    ("partial", "character", "é"),
    ("partial", "character", "##"),
    ("redact", "text", "é" * 51),
    ("redact", "text", "\ud800"),
    ("generalize", "edges", []),
    ("generalize", "edges", [1, 1]),
    ("generalize", "edges", ["1", "2"]),
    ("generalize", "step", 0),
    ("generalize", "step", -1),
    ("generalize", "least", 1 << 53),
    ("generalize", "least", float("nan")),
    ("generalize", "at", "2024-02-30"),
    ("generalize", "at", "20240228"),
    ("generalize", "cap", 0),
    ("generalize", "format", "%Y-%m"),
    ("generalize", "to", "decade"),
    ("json", "paths", {}),
    ("json", "paths", {1: {"mask": "clear"}}),
]


@pytest.mark.parametrize(("mask", "name", "given", "kept"), TAKEN, ids=str)
def test_a_check_returns_the_value_to_keep(mask, name, given, kept):
    check, _ = parameter.FREE[mask][name]
    assert check(given) == kept
    assert type(check(given)) is type(kept)


@pytest.mark.parametrize(("mask", "name", "given"), WRONG, ids=str)
def test_a_check_returns_none_for_a_wrong_value(mask, name, given):
    check, _ = parameter.FREE[mask][name]
    assert check(given) is None


def test_alphabets_are_distinct_nfc_code_points():
    check, default = parameter.DOMAIN["fpe"]["alphabet"]
    assert default is parameter.WRONG
    assert check("0123") == check(["0", "1", "2", "3"]) == ("0", "1", "2", "3")
    assert [check(each) for each in ("0", "00", ["01"], "0\u212b", "0\ud800", 5, "")] == [None] * 7
    most = [chr(0x20000 + number) for number in range(1 << 16)]
    assert check(most[:100]) == tuple(most[:100])
    assert check([*most, "a"]) is None


def test_separators_hold_neither_letters_nor_digits():
    check, default = parameter.DOMAIN["fpe"]["separators"]
    assert default == (" ", "-")
    assert check("") == ()
    assert check(" ./") == (" ", ".", "/")
    assert check("a") is check("1") is check("é") is None


@pytest.mark.parametrize(
    "name", [name for name, (_, default) in parameter.DOMAIN["fpe"].items() if default is not None]
)
def test_every_default_passes_its_own_check(name):
    check, default = parameter.DOMAIN["fpe"][name]
    assert default is parameter.WRONG or check(default) == default


def test_a_date_is_kept_as_days_since_1970():
    made = rule_spec({"mask": "generalize", "to": "age", "at": "2024-05-16"}, {})
    assert made["at"] == (dt.date(2024, 5, 16) - dt.date(1970, 1, 1)).days
    assert made["cap"] == 90
