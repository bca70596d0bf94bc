"""More calls than the server has room for: each is answered whole or refused whole, and what is settled is recorded."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from grpc_status import rpc_status

from pdp.process.mongod import MongodProcess
from pdp.v1.decision_pb2 import BatchAuthorizeRequest, BatchAuthorizeResponse
from tests.parts import Placet, asking, log, placet, refusal

ITEMS = 1000


@pytest.fixture(scope="module")
async def crowded(tmp_path_factory: pytest.TempPathFactory, mongod: MongodProcess) -> AsyncIterator[Placet]:
    folder: Path = tmp_path_factory.mktemp("crowded")
    async with placet(folder, mongod.uri) as running:
        yield running


async def batch(server: Placet, items: int = ITEMS) -> BatchAuthorizeResponse:
    request = BatchAuthorizeRequest(items=[asking()] * items)
    return await server.decisions.BatchAuthorize(request, metadata=server.metadata("report-bot"), timeout=60)


def retry_seconds(error: grpc.aio.AioRpcError) -> float:
    status, info = rpc_status.from_call(error), RetryInfo()
    assert status is not None
    assert any(detail.Unpack(info) for detail in status.details)
    return info.retry_delay.ToTimedelta().total_seconds()


async def test_call_is_answered_whole_or_refused_whole_and_strangers_are_answered(crowded: Placet) -> None:
    calls = [asyncio.create_task(batch(crowded)) for _ in range(10)]
    strangers = [await crowded.authorize(asking(), "dev") for _ in range(5)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    answered = [outcome for outcome in outcomes if isinstance(outcome, BatchAuthorizeResponse)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, grpc.aio.AioRpcError)]
    assert len(answered) + len(refused) == len(calls)
    assert answered
    for error in refused:
        assert (refusal(error).code, refusal(error).reason) == ("RESOURCE_EXHAUSTED", "OVERLOADED")
        assert retry_seconds(error) > 0
    assert all(result.decision.decision_id for answer in answered for result in answer.results)
    assert len(await log(crowded, "decision")) == len(answered) * ITEMS + len(strangers)
