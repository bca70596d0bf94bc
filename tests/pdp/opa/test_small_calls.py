"""Small calls beside large ones: neither waits for the other longer than it must."""

import asyncio
from dataclasses import replace
from typing import Any

from pdp.admission import SMALL
from pdp.opa.batching import MAX_ITEMS, MAX_OUTSTANDING, PACE_SECONDS, SMALL_OUTSTANDING, Batcher
from pdp.opa.estimate import is_small
from pdp.opa.queries import About
from tests.pdp.opa.test_batching import Simulator, all_of, good, named, until


async def test_question_of_a_small_call_has_a_query_of_its_own_beside_full_ones() -> None:
    engine = Simulator(waits=asyncio.Event())
    batcher = Batcher(engine)
    noisy = [asyncio.create_task(batcher.ask(good(name, 5 * MAX_ITEMS))) for name in "ab"]
    await until(lambda: len(engine.queries) == MAX_OUTSTANDING)
    small = asyncio.create_task(batcher.ask(good("stranger", SMALL)))
    await until(lambda: len(engine.queries) == SMALL_OUTSTANDING)
    assert all(question.startswith(b"stranger") for question in engine.queries[-1])
    further = asyncio.create_task(batcher.ask(good("other")))
    await asyncio.sleep(2 * PACE_SECONDS)
    assert len(engine.queries) == SMALL_OUTSTANDING
    assert engine.waits is not None
    engine.waits.set()
    await all_of(small, further, *noisy)
    assert sum(engine.sizes()) == 10 * MAX_ITEMS + SMALL + 1
    assert engine.most_at_once == SMALL_OUTSTANDING


async def test_lone_small_call_beside_a_large_one_waits_for_no_pace_and_for_none_of_its_questions() -> None:
    engine = Simulator(waits=asyncio.Event())
    batcher = Batcher(engine)
    noisy = asyncio.create_task(batcher.ask(good("noisy", 9 * MAX_ITEMS)))
    await until(lambda: engine.queries)
    asked = asyncio.get_running_loop().time()
    small = asyncio.create_task(batcher.ask(good("stranger")))
    await until(lambda: [b"stranger-0"] in engine.queries)
    assert engine.began[engine.queries.index([b"stranger-0"])] - asked < PACE_SECONDS / 2
    assert engine.waits is not None
    engine.waits.set()
    await all_of(small, noisy)


async def test_small_calls_without_end_do_not_keep_a_large_one_from_its_answers() -> None:
    batcher, stops = Batcher(Simulator()), asyncio.Event()

    async def strangers(name: str) -> list[Any]:
        while not stops.is_set():
            await batcher.ask(good(name))
        return []

    crowd = [asyncio.create_task(strangers(f"stranger-{number}")) for number in range(8)]
    await all_of(batcher.ask(good("noisy", 9 * MAX_ITEMS)))
    stops.set()
    await all_of(*crowd)


def test_what_takes_opa_long_is_no_small_call_however_few_its_questions_are() -> None:
    [plain], [wide] = good("a"), named("a", b"x" * 40_000)
    assert is_small([plain] * SMALL)
    assert not is_small([plain] * (SMALL + 1))
    assert is_small([wide])
    assert not is_small([replace(wide, about=About.MASKS)])
