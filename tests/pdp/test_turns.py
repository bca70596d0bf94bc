"""Large calls work piece by piece on the loop, and small ones come between."""

import asyncio
from itertools import pairwise

from pdp.turns import PIECE, Turns


async def large(turns: Turns, caller: str, items: int, did: list[str]) -> None:
    for index in range(items):
        did.append(caller)
        await turns.behind(index, caller)


async def test_small_call_gets_a_round_of_the_loop_between_two_pieces_of_any_number_of_calls() -> None:
    turns, did, rounds = Turns(), list[str](), list[int]()
    calls = [asyncio.create_task(large(turns, "noisy", 10 * PIECE, did)) for _ in range(5)]
    for _ in range(30):
        await asyncio.sleep(0)
        rounds.append(len(did))
    grown = [later - earlier for earlier, later in pairwise(rounds)]
    assert max(grown) == PIECE
    await asyncio.gather(*calls)
    assert len(did) == 5 * 10 * PIECE


async def test_stranger_has_its_turn_before_the_noisy_callers_second_next() -> None:
    turns, did = Turns(), list[str]()
    calls = [asyncio.create_task(large(turns, "noisy", 10 * PIECE, did)) for _ in range(5)]
    for _ in range(9):
        await asyncio.sleep(0)
    before = len(did)
    await large(turns, "stranger", PIECE + 1, did)
    since = did[before:]
    assert since.count("stranger") == PIECE + 1
    assert since.count("noisy") <= 2 * PIECE
    await asyncio.gather(*calls)


async def test_call_that_is_cancelled_leaves_the_turns_to_the_others() -> None:
    turns, did = Turns(), list[str]()
    calls = [asyncio.create_task(large(turns, name, 4 * PIECE, did)) for name in "abc"]
    await asyncio.sleep(0)
    calls[1].cancel()
    await asyncio.wait(calls)
    assert (did.count("a"), did.count("b"), did.count("c")) == (4 * PIECE, PIECE, 4 * PIECE)
    await turns.turn("later")
