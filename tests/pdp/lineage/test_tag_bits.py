"""Tags as bits."""

import numpy as np
import pytest

from pdp.lineage.fact import TagRule
from pdp.lineage.tag_bits import Code, Masks, Tags, tags_of


def carried(tag: str, code: int, **rules: TagRule) -> list[str]:
    tags = Tags()
    for number in range(70):
        tags.number(f"t{number}", "user:bob")
    tags.number(tag.removesuffix(":masked"), "user:bob")
    tags.rules = rules
    masks, bits = Masks(tags), np.zeros((2 * tags.words, 1), np.uint64)
    place = tags.place(tag, tags.words)
    assert place
    bits[place[0], 0] = place[1]
    arrived = [0] * len(bits)
    for row, words in masks.carried(bits, np.array([0]), np.array([code])):
        arrived[row] = int(words[0])
    return tags_of(tags.names, arrived)


@pytest.mark.parametrize(
    ("tag", "code", "arrives"),
    [
        ("pii", Code.CARRY, ["pii"]),
        ("pii", Code.MASKED, ["pii:masked"]),
        ("pii:masked", Code.MASKED, ["pii:masked"]),
        ("pii:masked", Code.CARRY, ["pii:masked"]),
        ("pii", Code.INDIRECT, []),
        ("pii", Code.STOPPED, []),
        ("pii", Code.WITHIN, ["pii"]),
        ("pii", Code.CARRY | Code.ENDED, []),
        ("pii", Code.WITHIN | Code.REPLACED, []),
        ("far=x", Code.INDIRECT, ["far=x"]),
        ("far:masked", Code.INDIRECT, ["far:masked"]),
        ("still", Code.CARRY, []),
        ("still", Code.WITHIN, ["still"]),
        ("stop", Code.MASKED, []),
        ("stop", Code.CARRY, ["stop"]),
        ("unclassified", Code.MASKED, ["unclassified"]),
        ("unclassified", Code.STOPPED, ["unclassified"]),
        ("unclassified", Code.CARRY, ["unclassified"]),
        ("unclassified", Code.INDIRECT, []),
    ],
)
def test_ways_and_rules_say_what_arrives(tag: str, code: int, arrives: list[str]) -> None:
    rules = {
        "far": TagRule(indirect=True), "still": TagRule(propagate=False), "stop": TagRule(stops_on_mask=True),
        "unclassified": TagRule(propagate=False, stops_on_mask=True),
    }  # fmt: skip
    assert carried(tag, code, **rules) == arrives


def test_tag_that_was_never_met_has_no_place() -> None:
    assert Tags().place("pii", 1) is None
