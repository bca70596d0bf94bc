"""Streams that work ahead: in order, never too far, and nothing goes on when nobody takes any more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from pdp.arrow.pipeline import mapped

WIDTH = 3


async def numbers(count: int, seen: list[int] | None = None) -> AsyncIterator[int]:
    for number in range(count):
        if seen is not None:
            seen.append(number)
        yield number


async def test_results_come_in_order_whoever_is_done_first() -> None:
    async def later_is_faster(number: int) -> int:
        for _ in range(20 - number):
            await asyncio.sleep(0)
        return number * number

    made = [each async for each in mapped(numbers(20), later_is_faster, WIDTH)]
    assert made == [number * number for number in range(20)]


@pytest.mark.parametrize("width", [1, WIDTH])
async def test_so_many_are_begun_and_no_more(width: int) -> None:
    begun: list[int] = []

    async def action(number: int) -> int:
        begun.append(number)
        return number

    taken = 0
    async for _ in mapped(numbers(20), action, width):
        taken += 1
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(begun) == min(20, taken + width)
    assert taken == 20


async def test_a_result_does_not_wait_for_the_next_item() -> None:
    more = asyncio.Event()

    async def source() -> AsyncIterator[int]:
        yield 1
        await more.wait()
        yield 2

    async def action(number: int) -> int:
        return number

    async with asyncio.timeout(5), aclosing(mapped(source(), action, WIDTH)) as results:
        assert await anext(results) == 1
        more.set()
        assert await anext(results) == 2


async def test_the_first_error_in_order_ends_it_and_the_others_are_cancelled() -> None:
    cancelled: list[int] = []

    async def action(number: int) -> int:
        if number == 1:
            await asyncio.sleep(0)
            raise ValueError(str(number))
        if number > 1:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.append(number)
                raise
        return number

    results = mapped(numbers(20), action, WIDTH)
    assert await anext(results) == 0
    with pytest.raises(ValueError, match="1"):
        await anext(results)
    await asyncio.sleep(0)
    assert cancelled
    assert max(cancelled) <= 1 + WIDTH


async def test_an_error_of_the_source_comes_after_its_items() -> None:
    async def source() -> AsyncIterator[int]:
        yield 1
        raise ValueError("source")

    async def action(number: int) -> int:
        return number

    results = mapped(source(), action, WIDTH)
    assert await anext(results) == 1
    with pytest.raises(ValueError, match="source"):
        await anext(results)
