"""The story of `pdp demo`: it ends where something is not as it should be. The whole of it is told in the README."""

import csv
import json

import pytest

from pdp.cli import story
from tests.cli.terminal import PDP, Terminal


async def test_it_ends_at_the_first_command_that_does_not_end_as_it_should(pdp: Terminal) -> None:
    done = await pdp(command=[PDP[0], "-m", "pdp.cli.story"], PDP_ADDRESS="127.0.0.1:1")
    assert done.status == 1
    assert "$ pdp authorize --as report-bot" in done.out
    assert done.out.count("$ pdp ") == 1
    assert "69" in done.err


def test_demo_tables_join_in_the_pairs_that_a_nested_loop_finds() -> None:
    customers, signups = (story._DATA / f"{name}.csv" for name in ("customers", "signups"))
    left, right = (
        [row["soc_sec_id"] for row in csv.DictReader(file.read_text().splitlines())] for file in (customers, signups)
    )
    found = story._pairs(customers, signups)
    assert found
    assert found == {(i, j) for i in range(len(left)) for j in range(len(right)) if left[i] and left[i] == right[j]}


def test_copy_of_the_log_differs_in_one_byte() -> None:
    log = "".join(json.dumps({"effect": effect}) + "\n" for effect in ("ALLOW", "DENY", "DENY"))
    damaged = story._with_a_flipped_byte(log)
    assert [i for i, (a, b) in enumerate(zip(log, damaged, strict=True)) if a != b] == [log.index("DENY") + 3]


@pytest.mark.parametrize("arguments", [story._READ, story._DROP, story._EXPORT, story._MASK])
async def test_every_command_of_it_is_one_that_a_user_can_type(pdp: Terminal, arguments: list[str]) -> None:
    done = await pdp(*arguments, "--help")
    assert done.status == 0
