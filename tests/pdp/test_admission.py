"""Calls come in whole or are refused whole; one caller leaves room for others, and a refused one is told its turn."""

import asyncio

import pytest

from pdp import deadline
from pdp.admission import (
    LARGE_PLACES,
    LATEST_SECONDS,
    LEAST,
    PLACES,
    ROOM,
    SMALL,
    SMALL_BYTES,
    SPREAD,
    STANDING,
    Admission,
)
from pdp.errors import Overloaded
from pdp.gate import STANDING_SECONDS
from pdp.limits_settings import CallerLimits
from pdp.shedding import CallerOverLimit


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
    for number, seconds in enumerate(crowd.refusals):
        turn = min(0.35 + number * 0.25, LATEST_SECONDS)
        assert turn * (1 - SPREAD) - 0.1 <= seconds <= turn + 0.1
    assert max(crowd.refusals) <= LATEST_SECONDS
    late = crowd.refusals[-20:]
    assert max(late) - min(late) > SPREAD * LATEST_SECONDS / 4  # they do not all come together
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


async def begun(admission: Admission, caller: str, questions: int) -> asyncio.Task[None]:
    """A call that is inside until it is cancelled, or has failed."""

    async def stay() -> None:
        deadline.begin(60, 60)
        admission.require(caller)
        async with admission.admitted(caller, questions, paid=1):
            await asyncio.sleep(60)

    task = asyncio.create_task(stay())
    await asyncio.sleep(0)
    return task


async def ended(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_caller_over_its_rate_is_refused_before_its_message_is_read_and_others_are_not() -> None:
    admission = Admission(CallerLimits(items_a_second=5, burst=10))
    first = [await begun(admission, "noisy", 5), await begun(admission, "noisy", 5)]
    with pytest.raises(CallerOverLimit) as refused:
        admission.require("noisy")
    assert (refused.value.code, refused.value.reason) == ("RESOURCE_EXHAUSTED", "CALLER_OVER_LIMIT")
    assert refused.value.retry_seconds == pytest.approx(0.22, abs=0.05)  # one item at five a second, and the spread
    stranger = await begun(admission, "stranger", 10)
    assert [task.done() for task in (*first, stranger)] == [False] * 3
    await ended(*first, stranger)


async def test_batch_costs_its_items_and_one_that_is_larger_than_the_burst_comes_in_alone() -> None:
    admission = Admission(CallerLimits(items_a_second=100, burst=10))
    large = await begun(admission, "etl", 1000)
    assert not large.done()
    with pytest.raises(CallerOverLimit) as refused:
        admission.require("etl")
    assert refused.value.retry_seconds == pytest.approx(10.9, abs=1.2)  # 990 below zero, at 100 a second
    await ended(large)


async def test_caller_has_so_many_items_in_flight_and_a_wait_for_people_is_none_of_them() -> None:
    admission = Admission(CallerLimits(items_in_flight=100))
    inside = await begun(admission, "a", 100)
    over = await begun(admission, "a", 1)
    assert isinstance(over.exception(), CallerOverLimit)
    admission.require("a", has_room_of_its_own=True)
    await ended(inside)
    large = await begun(admission, "a", 1000)
    assert not large.done()
    await ended(large)


async def test_stream_waits_for_its_callers_limits_and_is_not_refused() -> None:
    admission = Admission(CallerLimits(items_a_second=200, burst=10))
    began = asyncio.get_running_loop().time()
    for _ in range(4):
        await admission.wait("s", 10)
        async with admission.admitted("s", 10, paid=10):
            pass
    assert 0.1 < asyncio.get_running_loop().time() - began < 2


async def test_call_is_refused_before_its_message_where_there_is_no_room() -> None:
    crowd = Crowd()
    await crowd.call("noisy", 1024, 4)
    with pytest.raises(Overloaded):
        crowd.admission.require("noisy")
    crowd.admission.require("noisy", has_room_of_its_own=True)
    crowd.admission.require("stranger")
    shed = crowd.admission.shedding
    shed.see(Overloaded(""))
    named = shed.taken()
    assert named is not None
    assert named.callers == {"noisy": 1}
    await crowd.leave()


async def test_queue_of_small_calls_that_stands_takes_few_more_and_a_stranger_comes_in() -> None:
    crowd = Crowd()
    await crowd.call("noisy", 1, PLACES // 2 + STANDING + 1)
    assert not crowd.refusals
    crowd.admission._small._pace.since -= STANDING_SECONDS
    assert await crowd.call("noisy", 1, 10) == 0
    assert all(0 < seconds <= LATEST_SECONDS for seconds in crowd.refusals)
    assert await crowd.call("stranger", 1) == 1
    await crowd.leave()


async def test_caller_that_has_gone_is_forgotten_once_its_rate_is_full_again() -> None:
    admission = Admission(CallerLimits(items_a_second=20, burst=2))
    for number in range(50):
        await ended(await begun(admission, f"c{number}", 2))
    assert len(admission._callers) == 50
    await asyncio.sleep(0.15)
    admission._sweep_at = 0.0
    admission.require("another")
    assert set(admission._callers) == {"another"}


async def waits(crowd: Crowd, caller: str, questions: int, begun: list[str]) -> None:
    async with crowd.admission.admitted_in_turn(caller, questions, 0, lambda: begun.append(caller)):
        await asyncio.sleep(60)


async def test_message_of_a_stream_waits_for_its_room_and_callers_take_turns() -> None:
    crowd, begun = Crowd(), list[str]()
    held = await crowd.call("other", 1000, 100) + await crowd.call("third", 1000, 100)
    assert held
    streams = [asyncio.create_task(waits(crowd, name, 1000, begun)) for name in ["noisy"] * 50 + ["stranger"]]
    await asyncio.sleep(0.01)
    before = len(begun)
    assert "stranger" not in begun[:before] or begun.index("stranger") <= 2
    for task in crowd.tasks[:200]:
        task.cancel()
    await asyncio.sleep(0.01)
    assert len(begun) > before
    assert "stranger" in begun[: before + 3]
    for task in streams:
        task.cancel()
    await asyncio.wait(streams)
    await crowd.leave()
    assert crowd.admission._questions == 0


async def test_message_that_is_cancelled_while_it_gets_its_room_gives_it_back() -> None:
    crowd, begun = Crowd(), list[str]()
    await crowd.call("a", 1000, 100)
    for name in "bcdefgh":
        await crowd.call(name, 1000, 100)
    waiting = asyncio.create_task(waits(crowd, "stream", 1000, begun))
    await asyncio.sleep(0)
    for task in crowd.tasks:
        task.cancel()
    for _ in range(3):
        waiting.cancel()
        await asyncio.sleep(0)
    await asyncio.wait([waiting, *crowd.tasks])
    assert crowd.admission._questions == 0
