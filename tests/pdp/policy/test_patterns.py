"""Patterns that fit more texts than they seem to are found where a fit lets something through."""

import re
from pathlib import Path

import pytest

from pdp.policy.check import checked
from tests import authored
from tests.pdp.policy.test_never import found

_MEND = re.compile(r"write `(.*)`, or, if (?:that is meant|a part is enough), `(.*)`$")
HALF = [
    "^etl|bot$",
    "^etl$|bot",
    "etl|^bot$",
    "(^etl|bot$)",
    "(?i)^etl|bot$",
    "^[|]etl|bot$",
    r"^etl\|x|bot$",
]
WHOLE = [
    "^(etl|bot)$",
    "^(?:etl|bot)$",
    "^etl$|^bot$",
    "^etl-|^bot-",
    "(?:^etl)|(?:bot$)",
    r"\Aetl\z|\Abot\z",
    "^[a|b]$",
    r"^a\|b$",
    r"^\Qa|b\E$",
    "^etl",
    "bot$",
    "^.*bot.*$",
]


def check(
    folder: Path, pattern: str, rule: str = "allow", ask: str = "{}", **files: object
) -> tuple[list[str], list[str]]:
    """What the check refuses, and what it warns of, of a rule that asks whether the pattern fits."""
    body = ask.format(f"regex.match(`{pattern}`, input.subject.id)")
    text = (
        f'package policy\n\n{rule} contains {{"rule": "r", "reason": "x"}} if {{\n\tinput.action.name\n\t{body}\n}}\n'
    )
    refused, warned = checked(authored.OPA, [authored.written(folder, {"p.rego": text, **files})], {})
    return [str(each) for each in refused if each.rule != "unformatted"], warned


@pytest.mark.parametrize("pattern", HALF)
def test_anchor_that_binds_only_one_alternative_is_refused(pattern: str, tmp_path: Path) -> None:
    (refused,), _ = check(tmp_path, pattern)
    sentence = refused.removesuffix(" [half-anchored]")
    for mend in _MEND.search(sentence).groups():  # type: ignore[union-attr]  # a sentence without mends fails, too
        assert check(tmp_path, mend) == ([], [])


@pytest.mark.parametrize("pattern", WHOLE)
def test_pattern_that_says_where_it_ends_is_fine(pattern: str, tmp_path: Path) -> None:
    assert check(tmp_path, pattern) == ([], [])


@pytest.mark.parametrize("pattern", ["etl-[0-9]+", "(?i)etl|bot", "(etl)"])
def test_pattern_without_anchors_is_warned_of(pattern: str, tmp_path: Path) -> None:
    refused, (warned,) = check(tmp_path, pattern)
    assert refused == []
    for mend in _MEND.search(warned.removesuffix(" [unanchored-pattern]")).groups():  # type: ignore[union-attr]
        assert check(tmp_path, mend) == ([], [])


def test_fit_that_restricts_may_be_a_part(tmp_path: Path) -> None:
    assert check(tmp_path, "^etl|bot$", "deny") == ([], [])
    assert check(tmp_path, "secret", "deny") == ([], [])
    assert check(tmp_path, "[^a-z]", ask="not {}") == ([], [])


def test_fit_that_a_rule_denies_lets_through(tmp_path: Path) -> None:
    assert check(tmp_path, "^etl|bot$", "deny", "not {}")[0]
    assert check(tmp_path, "[a-z]+", "deny", "not {}")[1]


def test_patterns_of_data_and_of_helpers_count(tmp_path: Path) -> None:
    helper = "package lib.names\n\nis_known if regex.match(data.pattern, input.subject.id)\n"
    files = {"lib/names.rego": helper, "data.json": {"pattern": "^etl|bot$"}}
    assert set(found(tmp_path / "one", "not data.lib.names.is_known", **files)[0]) == {"half-anchored"}
    listed = "some pattern in data.known\n\tregex.match(pattern, input.subject.id)"
    files = {"data.json": {"known": ["^etl$", "^etl|bot$"]}}
    assert check(tmp_path / "two", "^x$", ask=f"{listed}\n\t{{}}", **files)[0]
