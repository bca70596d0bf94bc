"""A server whose `[limits]` bound each caller: what is over them is refused on both faces, and summed up in the log."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from pdp.limits_settings import CallerLimits
from pdp.process.mongod import MongodProcess
from pdp.v1.decision_pb2 import BatchAuthorizeRequest
from tests.parts import Placet, asking, log, placet, refusal
from tests.web import evaluate, question

BURST = 30


@pytest.fixture(scope="module")
async def limited(tmp_path_factory: pytest.TempPathFactory, mongod: MongodProcess) -> AsyncIterator[Placet]:
    folder: Path = tmp_path_factory.mktemp("limited")
    async with placet(folder, mongod.uri, limits=CallerLimits(items_a_second=0.5, burst=BURST)) as running:
        yield running


async def test_caller_over_its_limits_is_told_when_to_come_and_others_are_answered(limited: Placet) -> None:
    request = BatchAuthorizeRequest(items=[asking()] * BURST)
    answered = await limited.decisions.BatchAuthorize(request, metadata=limited.metadata("report-bot"), timeout=30)
    assert len(answered.results) == BURST
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await limited.authorize(asking())
    assert (refusal(refused.value).code, refusal(refused.value).reason) == ("RESOURCE_EXHAUSTED", "CALLER_OVER_LIMIT")
    over = await evaluate(limited, question())
    assert (over.status, over.json["reason"]) == (429, "CALLER_OVER_LIMIT")
    assert 1 <= int(over.headers["Retry-After"]) <= 3
    await limited.authorize(asking(), "dev")

    async with asyncio.timeout(20):
        while not (sums := await log(limited, "calls.refused")):
            await asyncio.sleep(0.1)
    refusals = [held for _, held in sums]
    assert sum(held["refused"]["CALLER_OVER_LIMIT"] for held in refusals) == 2
    assert {name for held in refusals for name in held["callers"]} == {"agent:report-bot"}
    assert all(record["kind"] == "calls.refused" and "effect" not in record for record, _ in sums)
    assert len(await log(limited, "decision")) == BURST + 1, "what was refused is no decision"
