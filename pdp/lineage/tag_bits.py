"""Tags as bits: a node has a row of words for plain tags, and as many for masked ones.

Each way of an edge is three masks: what it keeps of plain tags, what it keeps of masked ones, and which plain tags it
turns into masked ones.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pdp.lineage.fact import TagRule, Way
from pdp.sensitivity import MASKED, UNCLASSIFIED

WORD = 64
"""Bits of a word."""
Words = NDArray[Any]
"""Rows of unsigned words of 64 bits."""
Ints = NDArray[Any]
"""Numbers of nodes or rows."""


class Code(IntEnum):
    """How an edge is stored. `ENDED` and `REPLACED` are added to the others; such an edge carries nothing."""

    CARRY = 0
    INDIRECT = 1
    MASKED = 2
    STOPPED = 3
    WITHIN = 4
    """Between the nodes of one dataset, or of two that are one: it carries everything, `propagate: false` included."""
    ENDED = 8
    REPLACED = 16


WAYS = {Way.CARRY: Code.CARRY, Way.INDIRECT: Code.INDIRECT, Way.MASKED: Code.MASKED, Way.STOPPED: Code.STOPPED}
WAY_BITS = 7
"""The bits of a code that say what the edge carries while it has not ended."""
CODES = 32
"""Codes that there can be: all below twice `REPLACED`."""


class Tags:
    """The tags that were met, in their order, and how they travel. Bit 0 is `unclassified`."""

    def __init__(self) -> None:
        self.names = [UNCLASSIFIED]
        self.numbers = {UNCLASSIFIED: 0}
        self.rules: dict[str, TagRule] = {}
        self.brought: dict[str, int] = {}
        """How many different tags each identity was the first to say."""

    @property
    def words(self) -> int:
        """The words that plain tags fill."""
        return (len(self.names) + WORD - 1) // WORD

    def number(self, tag: str, by: str) -> int:
        """The bit of a tag, a new one if need be, which this identity brings."""
        found = self.numbers.setdefault(tag, len(self.names))
        if found == len(self.names):
            self.names.append(tag)
            self.brought[by] = self.brought.get(by, 0) + 1
        return found

    def rule(self, tag: str) -> TagRule:
        """How a tag travels. `unclassified` always does, so that a missing tag never means public."""
        rule = self.rules.get(tag.partition("=")[0], TagRule())
        return TagRule(indirect=rule.indirect) if tag == UNCLASSIFIED else rule

    def place(self, tag: str, words: int) -> tuple[int, np.uint64] | None:
        """Row and mask of a tag, which may be a masked one; None for one that was never met."""
        plain = tag.removesuffix(MASKED)
        number = self.numbers.get(plain)
        if number is None:
            return None
        return number // WORD + (words if tag != plain else 0), np.uint64(1 << number % WORD)


def tags_of(names: Sequence[str], values: Sequence[int]) -> list[str]:
    """The tags of a node's words, sorted."""
    words = len(values) // 2
    plain = [names[number] for number in _bits(values[:words])]
    return sorted(plain + [names[number] + MASKED for number in _bits(values[words:])])


def _bits(values: Sequence[int]) -> Iterable[int]:
    for word, value in enumerate(values):
        left = int(value)
        while left:
            yield word * WORD + (left & -left).bit_length() - 1
            left &= left - 1


class Masks:
    """For each code and word: what is kept of plain tags (`plain`), of masked ones (`masked`), and what is `turned`."""

    def __init__(self, tags: Tags) -> None:
        words = tags.words
        everything = np.full(words, ~np.uint64(0))
        travels = _words(tags, lambda rule: rule.propagate)
        indirect = travels & _words(tags, lambda rule: rule.indirect)
        stopped = _words(tags, lambda rule: rule.stops_on_mask)
        ours = np.zeros(words, np.uint64)
        ours[0] = 1
        self.words = words
        self.plain: Words = np.zeros((words, CODES), np.uint64)
        self.masked, self.turned = self.plain.copy(), self.plain.copy()
        rows: Mapping[Code, tuple[Words, Words, Words]] = {
            Code.CARRY: (travels, travels, ours & ~ours),
            Code.INDIRECT: (indirect, indirect, ours & ~ours),
            Code.MASKED: (ours, travels & ~stopped, travels & ~stopped & ~ours),
            Code.STOPPED: (ours, ours & ~ours, ours & ~ours),
            Code.WITHIN: (everything, everything, ours & ~ours),
        }
        for code, (plain, masked, turned) in rows.items():
            self.plain[:, code], self.masked[:, code], self.turned[:, code] = plain, masked, turned

    def carried(self, bits: Words, src: Ints, code: Ints) -> Iterator[tuple[int, Words]]:
        """What edges bring to the rows of their ends; rows to which none of them brings anything are left out."""
        for word in range(self.words):
            plain, masked = bits[word].take(src), bits[self.words + word].take(src)
            turned = plain & self.turned[word].take(code)
            if masked.any():
                turned |= masked & self.masked[word].take(code)
            plain &= self.plain[word].take(code)
            yield word, plain
            if turned.any():
                yield self.words + word, turned


def _words(tags: Tags, holds: Callable[[TagRule], bool]) -> Words:
    words = np.zeros(tags.words, np.uint64)
    for number, tag in enumerate(tags.names):
        if holds(tags.rule(tag)):
            words[number // WORD] |= np.uint64(1 << number % WORD)
    return words
