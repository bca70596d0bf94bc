"""What a call may wait for."""

import asyncio

import pytest

from pdp import deadline
from pdp.deadline import OutOfTime, Stage
from pdp.errors import StoreUnavailable


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


async def test_rpc_may_have_a_default_of_its_own() -> None:
    deadline.begin(None, None, deadline.default("pdp.v1.MaskService/Mask"))
    assert 9.9 < deadline.left() <= 10.0
    deadline.begin(None, None, deadline.default("pdp.v1.DecisionService/Authorize"))
    assert 1.9 < deadline.left() <= 2.0


async def spent(stage: Stage, seconds: float) -> None:
    with deadline.spent_on(stage):
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with pytest.raises(TimeoutError):
            await deadline.settled(future, seconds)


async def test_wait_that_had_no_time_left_is_not_blamed() -> None:
    own = StoreUnavailable("MongoDB did not confirm")
    deadline.begin(0.3)
    await spent(Stage.MASKING, 60)
    with deadline.spent_on(Stage.RECORD):
        found = deadline.missed(own)
    assert isinstance(found, OutOfTime)
    assert (found.metadata, found.retry_seconds) == ({"stage": "masking"}, None)
    assert "the call had 0.3 s, and masking took 0.2" in found.sentence


async def test_wait_that_took_most_of_the_time_is_named_itself() -> None:
    own = StoreUnavailable("MongoDB did not confirm")
    deadline.begin(0.3)
    await spent(Stage.MASKING, 0.05)
    with deadline.spent_on(Stage.RECORD):
        await spent(Stage.RECORD, 60)
        assert deadline.missed(own) is own


async def test_wait_with_time_of_its_own_is_named_itself() -> None:
    own = StoreUnavailable("MongoDB did not confirm")
    assert deadline.missed(own) is own, "of work that has no call"
    deadline.begin(5.0)
    await spent(Stage.MASKING, 0.1)
    with deadline.spent_on(Stage.RECORD):
        assert deadline.missed(own) is own


async def test_inner_stage_counts_for_itself_alone() -> None:
    deadline.begin(0.4)
    with deadline.spent_on(Stage.STORE):
        await spent(Stage.POLICY, 60)
    with pytest.raises(OutOfTime) as found:
        deadline.require(0.01)
    assert found.value.metadata == {"stage": "policy"}


def test_retry_is_advised_where_the_next_try_may_take_less() -> None:
    advised = {stage.value for stage in Stage if OutOfTime(stage, 1.0, 2.0).retry_seconds is not None}
    assert advised == {"turn", "policy", "store", "record"}


async def test_call_of_many_short_waits_ends_at_its_end() -> None:
    async def long() -> None:
        async with deadline.whole():
            while True:
                await asyncio.sleep(0)

    deadline.begin(0.1)
    began = asyncio.get_running_loop().time()
    with pytest.raises(OutOfTime):
        await long()
    assert asyncio.get_running_loop().time() - began < 1.0


async def test_timeout_of_another_kind_is_not_the_calls_end() -> None:
    deadline.begin(5.0)
    with pytest.raises(TimeoutError):
        async with deadline.whole():
            raise TimeoutError
