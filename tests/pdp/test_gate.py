"""So many at a time, callers in turns, and half of it for one of them at most."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from pdp.errors import Overloaded
from pdp.gate import LEAST_TURNS, STANDING_SECONDS, Gate


@dataclass
class Door:
    """A gate with calls that stay inside until they are let go."""

    gate: Gate
    inside: list[str] = field(default_factory=list)
    ends: dict[str, asyncio.Event] = field(default_factory=dict)

    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def call(self, name: str, weight: float = 1.0, seconds: float = 60) -> asyncio.Task[None]:
        """`name` begins with its caller's letter."""

        async def work() -> None:
            async with self.gate.place(name[0], weight, seconds):
                self.inside.append(name)
                await self.ends.setdefault(name, asyncio.Event()).wait()

        self.tasks.append(asyncio.create_task(work()))
        return self.tasks[-1]

    async def calls(self, *names: str) -> list[asyncio.Task[None]]:
        tasks = [self.call(name) for name in names]
        await settled()
        return tasks

    async def leave(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.wait(self.tasks)

    async def end(self, name: str) -> None:
        self.ends[name].set()
        await settled()


async def settled() -> None:
    for _ in range(8):
        await asyncio.sleep(0)


async def test_caller_alone_has_half_of_the_places_and_strangers_the_rest() -> None:
    door = Door(Gate(4, 2))
    await door.calls("a1", "a2", "a3", "a4", "b1", "b2")
    assert door.inside == ["a1", "a2", "b1", "b2"]
    assert len(door.gate) == 2
    await door.leave()


async def test_stranger_has_the_next_place() -> None:
    door = Door(Gate(2, 1))
    await door.calls("a1", "b1", *(f"a{number}" for number in range(2, 9)), "c1")
    await door.end("b1")
    assert door.inside == ["a1", "b1", "c1"]
    await door.end("c1")
    assert door.inside == ["a1", "b1", "c1"]  # its half
    await door.end("a1")
    assert door.inside == ["a1", "b1", "c1", "a2"]
    await door.leave()


@pytest.mark.parametrize("given", [False, True])
async def test_call_that_is_cancelled_gives_its_place_to_the_next(*, given: bool) -> None:
    door = Door(Gate(2, 1))
    await door.calls("a1", "b1")
    [waiting] = await door.calls("b2")
    await door.calls("b3")
    if given:
        door.ends["b1"].set()
        await asyncio.sleep(0)
    waiting.cancel()
    await settled()
    if not given:
        await door.end("b1")
    assert door.inside == ["a1", "b1", "b3"]
    assert not len(door.gate)
    await door.leave()


async def test_call_without_a_place_in_its_time_is_refused() -> None:
    door = Door(Gate(1, 1))
    await door.calls("a1")
    with pytest.raises(Overloaded):
        await door.call("b1", seconds=0.01)
    assert not len(door.gate)
    await door.leave()


async def test_narrow_gate_lets_two_in_of_two_callers_until_it_is_wide() -> None:
    narrow = [False]
    door = Door(Gate(6, 3, 2, lambda: narrow[0]))
    await door.calls("a1", "a2", "a3", "a4", "b1")
    narrow[0] = True
    for name in ("a1", "a2", "a3"):
        await door.end(name)
    assert door.inside == ["a1", "a2", "a3", "b1", "a4"]
    await door.calls("b2", "c1")
    await door.end("b1")
    assert door.inside[5:] == ["b2"]
    narrow[0] = False
    await door.end("b2")
    assert door.inside[6:] == ["c1"]
    await door.leave()


async def test_every_place_is_free_again_in_the_end() -> None:
    gate, most = Gate(6, 3), [0]
    at_once = [0]

    def busy(step: int) -> None:
        at_once[0] += step
        most[0] = max(most[0], at_once[0])

    async def work(caller: str, during: Callable[[int], None]) -> None:
        async with gate.place(caller, 1, 60):
            during(1)
            try:
                await asyncio.sleep(0)
            finally:
                during(-1)

    tasks = [asyncio.create_task(work(caller, busy)) for caller in "abcd" * 50]
    await asyncio.sleep(0)
    for task in tasks[::3]:
        task.cancel()
    await asyncio.wait(tasks)
    assert most == [6]
    assert (gate._held, gate._inside) == (0, {})


async def moving(door: Door, turns: int, seconds: float) -> None:
    """Let callers in and out, so that the gate sees `turns` turns that take `seconds` each."""
    await door.calls("z0", *(f"z{number}" for number in range(1, turns + 1)))
    for number in range(turns):
        await asyncio.sleep(seconds)
        await door.end(f"z{number}")


async def test_call_that_would_have_no_turn_in_its_time_is_refused_at_once() -> None:
    door = Door(Gate(1, 1))
    await moving(door, LEAST_TURNS + 4, 0.01)
    waiting = [door.call(f"a{number}") for number in range(100)]
    await settled()
    late = door.call("a100", seconds=0.3)
    stranger = door.call("b1", seconds=0.3)
    await settled()
    error = late.exception()
    assert isinstance(error, Overloaded)
    assert 0.3 < (error.retry_seconds or 0) < 5
    assert not stranger.done()
    assert not any(task.done() for task in waiting)
    await door.leave()


async def test_queue_that_rests_refuses_what_its_pace_alone_would_take() -> None:
    door = Door(Gate(1, 1))
    await moving(door, LEAST_TURNS + 4, 0.001)
    await door.calls(*(f"a{number}" for number in range(40)))
    soon = door.call("a40", seconds=1.0)
    await settled()
    assert not soon.done()
    door.gate._pace.last -= 2.0  # nothing has moved for two seconds
    late = door.call("a41", seconds=1.0)
    await settled()
    assert isinstance(late.exception(), Overloaded)
    await door.leave()


async def test_burst_may_wait_and_a_queue_that_stands_takes_few_more() -> None:
    door = Door(Gate(1, 1, standing=3))
    await door.calls("a0", *(f"a{number}" for number in range(1, 9)))
    assert not any(task.done() for task in door.tasks)
    door.gate._pace.since -= STANDING_SECONDS
    more, stranger = door.call("a9"), door.call("b1")
    await settled()
    assert isinstance(more.exception(), Overloaded)
    assert not stranger.done()
    await door.leave()
