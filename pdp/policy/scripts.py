"""Which word mixes scripts, by the level "highly restrictive" of UTS 39. scripts.txt says where its table is from."""

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

_TABLE = Path(__file__).parent / "scripts.txt"
_WRITINGS = {
    "Hani": {"Hanb", "Jpan", "Kore"},
    "Hira": {"Jpan"},
    "Kana": {"Jpan"},
    "Hang": {"Kore"},
    "Bopo": {"Hanb"},
}
"""The writing systems of more scripts than one, by script: Han with Bopomofo, Japanese, Korean."""
_BESIDE_LATIN = {"Hanb", "Jpan", "Kore"}
"""What one word may mix with Latin."""


class _Ranges(NamedTuple):
    starts: list[int]
    ends: list[int]
    scripts: list[frozenset[str]]


@cache
def _ranges() -> _Ranges:
    lines = [line.split() for line in _TABLE.read_text().splitlines() if not line.startswith("#")]
    found = [(*_bounds(part), frozenset(scripts.split("+"))) for scripts, *parts in lines for part in parts]
    found.sort(key=lambda each: each[0])
    return _Ranges([low for low, _, _ in found], [high for _, high, _ in found], [own for _, _, own in found])


def _bounds(part: str) -> tuple[int, int]:
    low, _, high = part.partition("-")
    return int(low, 16), int(high or low, 16)


def scripts(character: str) -> frozenset[str]:
    """The scripts in which a character occurs, by their ISO 15924 codes; empty if it goes with every one."""
    table, code = _ranges(), ord(character)
    index = bisect_right(table.starts, code) - 1
    return table.scripts[index] if index >= 0 and code <= table.ends[index] else frozenset()


def mixed(text: str) -> str:
    """The first word of a text that mixes scripts; empty if none does."""
    if text.isascii():
        return ""
    return next((word for word in _words(text) if not _is_of_one_writing(word)), "")


def _words(text: str) -> Iterator[str]:
    for is_word, characters in groupby(text, _is_of_a_word):
        if is_word:
            yield "".join(characters)


def _is_of_a_word(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LMN" or category == "Cf"


def _is_of_one_writing(word: str) -> bool:
    found = [own for character in word if (own := scripts(character))]
    beside = [_writings(own) for own in found if "Latn" not in own]
    whole = [_writings(own) for own in found]
    return not found or bool(frozenset.intersection(*whole)) or bool(_common(beside) & _BESIDE_LATIN)


def _common(found: list[frozenset[str]]) -> frozenset[str]:
    return frozenset.intersection(*found) if found else frozenset(_BESIDE_LATIN)


def _writings(own: frozenset[str]) -> frozenset[str]:
    return own.union(*(_WRITINGS.get(script, set()) for script in own))
