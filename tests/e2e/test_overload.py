"""More calls than the server has room for: each is answered or refused whole, in time; none is allowed without OPA."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from grpc_status import rpc_status

from pdp.process.mongod import MongodProcess
from pdp.v1.decision_pb2 import BatchAuthorizeRequest, BatchAuthorizeResponse
from tests.faults import Ledger, served, slow, stopped, verified_log
from tests.parts import Placet, asking, log, placet, refusal

ITEMS = 1000
CROWD = 400
"""Single calls at one time: three times as many as are worked on."""
SECONDS = 4.0
"""Their time."""
LATE = 2.0
"""Seconds that a call may take longer where other tests have the processors."""
IN_TIME = {"OVERLOADED", "ENGINE_UNAVAILABLE", "STORE_UNAVAILABLE", "OUT_OF_TIME", ""}
"""Why a call of a crowd gets no answer; gRPC itself gives no reason where the time is over."""


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


async def crowd(server: Placet, ledger: Ledger) -> None:
    """A crowd asks at one time, and each call has its reply in its time."""
    before = len(ledger.replies)
    await asyncio.gather(*(ledger.ask(server, asking(), seconds=SECONDS) for _ in range(CROWD)))
    replies = ledger.replies[before:]
    assert len(replies) == CROWD
    assert max(reply.took for reply in replies) < SECONDS + LATE
    assert {reply.refusal.reason for reply in replies if reply.refusal} <= IN_TIME


async def test_crowd_is_answered_or_refused_in_time_while_mongodb_is_slow_and_while_opa_is_stopped(
    tmp_path: Path, state: Path, mongod: MongodProcess
) -> None:
    ledger = Ledger()
    async with served(tmp_path, state, mongod.uri, seconds=120) as server:
        await ledger.answered(server, asking())
        async with slow(mongod.uri, 20):
            await crowd(server, ledger)
        assert ledger.answers
        before = len(ledger.replies)
        async with stopped(server.opa):
            await crowd(server, ledger)
        assert not [reply for reply in ledger.replies[before:] if reply.answer], "allowed without OPA"
        answered = len(ledger.answers)
        await ledger.answered(server, asking())
        await crowd(server, ledger)
        assert len(ledger.answers) > answered + 1
        log_of = await verified_log(server)
    log_of.accounts_for(ledger)
