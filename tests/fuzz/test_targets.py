"""The targets of the fuzzer, on what is valid and on a little that is not. The rest is `make soak`."""

import random

from tests import hostile
from tests.fuzz import targets


def test_seeds_are_read_and_their_changes_are_read_or_refused(rounds: int) -> None:
    chance = random.Random(1)
    for seed in targets.seeds():
        targets.one(seed)
        for _ in range(10 * rounds):
            targets.one(seed[:1] + hostile.mutated(seed[1:], chance))


def test_nothing_is_read_as_nothing() -> None:
    targets.one(b"")
    targets.one(b"\0")
