"""What a call may wait for."""

import asyncio

from pdp import deadline


async def test_call_without_a_deadline_gets_2_seconds_and_none_more_than_10() -> None:
    loop = asyncio.get_running_loop()
    for remaining, seconds in ((None, 2.0), (60.0, 10.0), (0.5, 0.5)):
        deadline.begin(remaining)
        async with deadline.within(3600) as limit:
            ends = limit.when()
        assert ends is not None
        assert seconds - 0.1 < ends - loop.time() <= seconds - deadline.MARGIN_SECONDS


async def test_wait_ends_at_its_own_limit_where_that_is_sooner() -> None:
    deadline.begin(5.0)
    async with deadline.within(0.25) as limit:
        ends = limit.when()
    assert ends is not None
    assert ends - asyncio.get_running_loop().time() <= 0.25
