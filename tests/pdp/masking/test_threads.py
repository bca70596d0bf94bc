"""Masking in threads: callers take turns, small pieces do not wait for large ones, and the loop stays free."""

import asyncio
import threading
from collections.abc import Callable

from pdp.masking.threads import FEW_COLUMNS, SMALL_BYTES, VERY_FEW_BYTES, VERY_FEW_COLUMNS, Threads

LARGE = 4 * 1024 * 1024


class Held:
    """Pieces of work that note who began, and end when they are let go."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.goes_on = threading.Semaphore(0)
        self.inside = self.most = 0
        self._lock = threading.Lock()

    def piece(self, name: str) -> Callable[[], str]:
        def work() -> str:
            with self._lock:
                self.began.append(name)
                self.inside += 1
                self.most = max(self.most, self.inside)
            assert self.goes_on.acquire(timeout=30)
            with self._lock:
                self.inside -= 1
            return name

        return work


async def until(held: Held, count: int) -> None:
    async with asyncio.timeout(30):
        while len(held.began) < count:
            await asyncio.sleep(0)


async def test_strangers_piece_is_next_whatever_a_noisy_caller_has_waiting() -> None:
    threads, held = Threads(2), Held()
    noisy = [asyncio.create_task(threads.run("noisy", held.piece(f"n{number}"), LARGE)) for number in range(96)]
    await until(held, 2)
    stranger = asyncio.create_task(threads.run("stranger", held.piece("s"), LARGE))
    await asyncio.sleep(0)
    held.goes_on.release(2)
    await until(held, 4)
    assert sorted(held.began) == ["n0", "n1", "n2", "s"]
    held.goes_on.release(100)
    assert len(await asyncio.gather(*noisy, stranger)) == 97
    assert held.most == 2


async def test_large_pieces_leave_a_processor_free_while_small_calls_come() -> None:
    small = [True]
    threads, held = Threads(2, has_small_calls=lambda: small[0]), Held()
    noisy = [asyncio.create_task(threads.run("noisy", held.piece(f"n{number}"), LARGE)) for number in range(6)]
    await until(held, 1)
    held.goes_on.release(1)
    await until(held, 2)
    assert held.most == 1
    small[0] = False
    held.goes_on.release(1)
    await until(held, 4)
    held.goes_on.release(6)
    await asyncio.gather(*noisy)
    assert held.most == 2


async def test_small_piece_does_not_wait_for_large_ones() -> None:
    threads, held = Threads(2), Held()
    noisy = [asyncio.create_task(threads.run("noisy", held.piece("n"), LARGE)) for _ in range(10)]
    await until(held, 2)
    assert await threads.run("stranger", lambda: "done", SMALL_BYTES) == "done"
    held.goes_on.release(10)
    await asyncio.gather(*noisy)


async def test_wide_tables_are_planned_one_at_a_time_and_others_go_by() -> None:
    threads, held = Threads(2), Held()
    noisy = [asyncio.create_task(threads.plan("noisy", held.piece(f"n{number}"), 2000)) for number in range(16)]
    await until(held, 1)
    stranger = asyncio.create_task(threads.plan("stranger", held.piece("s"), 2000))
    assert await threads.plan("stranger", lambda: "done", FEW_COLUMNS) == "done"
    held.goes_on.release(2)
    await until(held, 3)
    assert sorted(held.began) == ["n0", "n1", "s"]
    held.goes_on.release(20)
    await asyncio.gather(*noisy, stranger)
    assert held.most == 1


async def test_very_little_is_done_on_the_loop_in_its_callers_turn() -> None:
    threads, order, here = Threads(1), list[str](), threading.get_ident()

    def noted(name: str) -> Callable[[], bool]:
        def work() -> bool:
            order.append(name)
            return threading.get_ident() == here

        return work

    noisy = [threads.read("noisy", noted("n"), VERY_FEW_BYTES) for _ in range(5)]
    small = [threads.plan("stranger", noted("s"), VERY_FEW_COLUMNS)]
    assert all(await asyncio.gather(*noisy, *small))
    assert order.index("s") <= 1
    assert not any(
        [
            await threads.read("a", noted("bytes"), VERY_FEW_BYTES + 1),
            await threads.plan("a", noted("columns"), VERY_FEW_COLUMNS + 1),
        ]
    )


async def test_place_is_held_until_the_thread_is_done_with_it() -> None:
    threads, held = Threads(1), Held()
    cancelled = asyncio.create_task(threads.run("a", held.piece("a"), LARGE))
    await until(held, 1)
    cancelled.cancel()
    behind = asyncio.create_task(threads.run("b", held.piece("b"), LARGE))
    await asyncio.wait({cancelled})
    assert held.began == ["a"]
    held.goes_on.release(2)
    assert await behind == "b"
    assert held.most == 1


async def test_threads_leave_the_event_loop_free() -> None:
    threads, loop = Threads(), asyncio.get_running_loop()
    free = asyncio.Event()

    def work() -> str:
        asyncio.run_coroutine_threadsafe(_set(free), loop).result(10)
        return "done"

    assert await threads.of("a")(work) == "done"
    assert free.is_set()


async def _set(event: asyncio.Event) -> None:
    event.set()
