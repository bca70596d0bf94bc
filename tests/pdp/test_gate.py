"""So many at a time, callers in turns, and half of it for one of them at most."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from pdp.errors import Overloaded
from pdp.gate import Gate


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
