"""Calls come in whole or are refused whole; one caller leaves room for others, and a refused one is told its turn."""

import asyncio

import pytest

from pdp import deadline
from pdp.admission import LARGE_PLACES, LATEST_SECONDS, LEAST, ROOM, SMALL, SMALL_BYTES, Admission
from pdp.errors import Overloaded


class Crowd:
    """Calls that are inside, or wait for a place, until the test ends."""

    def __init__(self) -> None:
        self.admission = Admission()
        self.tasks: list[asyncio.Task[None]] = []
        self.refusals: list[float] = []

    async def call(self, caller: str, questions: int, times: int = 1, seconds: float = 60) -> int:
        """How many of the calls are in."""
        before = len(self.refusals)
        for _ in range(times):
            self.tasks.append(asyncio.create_task(self._stay(caller, questions, seconds)))
        for _ in range(4):
            await asyncio.sleep(0)
        return times - (len(self.refusals) - before)

    async def _stay(self, caller: str, questions: int, seconds: float) -> None:
        deadline.begin(seconds, seconds)
        try:
            async with self.admission.admitted(caller, questions):
                await asyncio.sleep(seconds)
        except Overloaded as error:
            self.refusals.append(error.retry_seconds or 0.0)

    async def leave(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.wait(self.tasks)


async def test_one_caller_takes_half_of_the_room_at_most_and_strangers_come_in() -> None:
    crowd = Crowd()
    assert await crowd.call("noisy", 1000, 100) == ROOM // 2 // 1000
    assert await crowd.call("stranger", 1)
    assert await crowd.call("other", 1000)
    assert crowd.admission.refused == 100 - ROOM // 2 // 1000
    await crowd.leave()
    assert crowd.admission._questions == 0


async def test_small_call_of_a_caller_with_nothing_here_comes_in_beside_any_number_of_noisy_ones() -> None:
    crowd = Crowd()
    for number in range(30):
        await crowd.call(f"noisy-{number}", 1000, 3)
        await crowd.call(f"noisy-{number}", 1, 1000)
    assert await crowd.call("stranger", 1) == 1
    assert await crowd.call("stranger", 1, 2000) < 2000
    await crowd.leave()


async def test_what_is_admitted_is_bounded() -> None:
    crowd = Crowd()
    admitted = 0
    for number in range(ROOM):
        admitted += await crowd.call(f"c{number}", SMALL)
    assert admitted * SMALL <= ROOM + 1024
    await crowd.leave()


async def test_refused_calls_are_told_turns_one_behind_the_other_within_a_bound() -> None:
    crowd = Crowd()
    await crowd.call("noisy", 1000, 60)
    assert crowd.refusals == sorted(crowd.refusals)
    assert crowd.refusals[0] == pytest.approx(0.35, abs=0.1)
    assert crowd.refusals[1] - crowd.refusals[0] == pytest.approx(0.25, abs=0.1)
    assert max(crowd.refusals) <= LATEST_SECONDS
    await crowd.leave()


async def test_caller_whose_calls_take_most_of_their_time_has_less_room() -> None:
    crowd = Crowd()
    for _ in range(12):
        for task in crowd.tasks:
            task.cancel()
        await crowd.call("slow", 1000, 4, seconds=0.03)
        await asyncio.wait(crowd.tasks)
    await crowd.call("slow", 1000, 1)
    assert await crowd.call("slow", 1, 10) <= LEAST
    assert await crowd.call("slow", 1000) == 0
    assert await crowd.call("quick", 1000, 3) == 3
    await crowd.leave()


@pytest.mark.parametrize(("questions", "size"), [(1000, 0), (1, SMALL_BYTES + 1)])
async def test_only_so_many_large_calls_are_worked_on_and_small_ones_go_by(questions: int, size: int) -> None:
    admission, inside = Admission(), list[str]()

    async def work(caller: str, questions: int, size: int) -> None:
        deadline.begin(60, 60)
        async with admission.admitted(caller, questions, size):
            inside.append(caller)
            await asyncio.sleep(60)

    tasks = [asyncio.create_task(work("noisy", questions, size)) for _ in range(4)]
    await asyncio.sleep(0)
    tasks.append(asyncio.create_task(work("stranger", 1, SMALL_BYTES)))
    await asyncio.sleep(0)
    assert inside == ["noisy"] * (LARGE_PLACES // 2) + ["stranger"]
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_refusals_are_counted_and_their_number_is_logged_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    crowd = Crowd()
    await crowd.call("noisy", 1000, 50)
    assert crowd.admission.refused == 46
    assert [record.getMessage() for record in caplog.records] == ["calls refused as there was no room for them: 1"]
    await crowd.leave()
