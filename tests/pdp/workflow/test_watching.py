"""WaitApproval: at once where the state is another, else at the change or when the time is up."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import grpc
import pytest

from pdp import deadline
from pdp.client import Client
from pdp.client.call_error import CallError
from pdp.process.mongod import MongodProcess
from pdp.server.edge import LIMITS
from pdp.server.running import GRACE_SECONDS
from pdp.v1.approval_pb2 import (
    Approval,
    ApprovalState,
    WaitApprovalRequest,
    WaitApprovalResponse,
)
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.review_pb2 import WatchQueueRequest
from pdp.workflow.watching import MAX_WATCHES
from tests.faults import eventually
from tests.parts import Placet, exporting, placet
from tests.pdp.mongo import set_back
from tests.pdp.wire import raw, refused
from tests.tokens import Metadata, metadata

PENDING, APPROVED, DENIED, EXPIRED = (
    getattr(ApprovalState, f"APPROVAL_STATE_{name}") for name in ("PENDING", "APPROVED", "DENIED", "EXPIRED")
)
SOON = 1.0
"""A step wakes whoever waits within this."""


@pytest.fixture(scope="module")
async def other(server: Placet, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A second server on the same database."""
    async with placet(server.state, mongod.uri, database=server.database) as running:
        yield running


def waiting(
    server: Placet, approval: Approval, by: Metadata, known: ApprovalState = PENDING, seconds: float | None = 30
) -> Awaitable[WaitApprovalResponse]:
    request = WaitApprovalRequest(approval_id=approval.approval_id, known_state=known)
    return server.approvals.WaitApproval(request, metadata=by, timeout=seconds)


async def opened(server: Placet) -> Approval:
    return (await server.authorize(exporting())).approval


async def test_answers_at_once_where_the_state_is_another(server: Placet) -> None:
    approval = await opened(server)
    by = server.metadata("report-bot")
    began = time.monotonic()
    assert (await waiting(server, approval, by, known=APPROVED)).approval.state == PENDING
    await server.review(approval, "bob", "DENY")
    assert (await waiting(server, approval, by)).approval.state == DENIED
    assert (await waiting(server, approval, by, ApprovalState.APPROVAL_STATE_UNSPECIFIED)).approval.state == DENIED
    assert time.monotonic() - began < SOON


async def test_step_on_another_server_wakes_whoever_waits_here(server: Placet, other: Placet) -> None:
    approval = await opened(server)
    calls = [
        asyncio.ensure_future(waiting(server, approval, server.metadata(name)))
        for name in ("report-bot", "alice", "bob", "carol")
    ]
    await other.review(approval, "bob")
    done, _ = await asyncio.wait(calls, timeout=0.5)
    assert not done, "a review that leaves it PENDING is no news"
    stepped = time.monotonic()
    await other.review(approval, "carol")
    answers = await asyncio.gather(*calls)
    assert time.monotonic() - stepped < SOON
    assert {answer.approval.state for answer in answers} == {APPROVED}
    assert [len(answer.approval.reviews) for answer in answers] == [2] * 4


async def test_use_by_another_server_wakes_whoever_knows_it_as_approved(server: Placet, other: Placet) -> None:
    request = exporting()
    approval = await server.approved(request)
    call = asyncio.ensure_future(waiting(server, approval, server.metadata("report-bot"), known=APPROVED))
    used = AuthorizeRequest(approval_id=approval.approval_id)
    used.MergeFrom(request)
    await other.authorize(used)
    assert (await call).approval.state == ApprovalState.APPROVAL_STATE_CONSUMED


async def test_time_that_passes_wakes_although_nobody_wrote_it_down(server: Placet, mongod: MongodProcess) -> None:
    approval = await opened(server)
    await set_back(mongod, server, approval.approval_id, "created_at", hours=3, minutes=59, seconds=59)
    answer = await waiting(server, approval, server.metadata("report-bot"))
    assert answer.approval.state == EXPIRED


@pytest.mark.parametrize("seconds", [0.2, 1.0])
async def test_deadline_of_the_call_ends_the_wait_with_the_state_as_it_is(server: Placet, seconds: float) -> None:
    approval = await opened(server)
    began = time.monotonic()
    answer = await waiting(server, approval, server.metadata("report-bot"), seconds=seconds)
    assert answer.approval.state == PENDING
    assert seconds / 3 < time.monotonic() - began < seconds


async def test_call_without_a_deadline_waits_longer_than_others_may(server: Placet) -> None:
    approval = await opened(server)
    call = asyncio.ensure_future(waiting(server, approval, server.metadata("report-bot"), seconds=None))
    done, _ = await asyncio.wait({call}, timeout=deadline.DEFAULT_SECONDS + 0.5)
    assert not done
    await server.review(approval, "bob", "DENY")
    assert (await call).approval.state == DENIED


async def test_wait_ends_after_60_seconds_and_leaves_time_to_read() -> None:
    assert list(LIMITS) == ["pdp.v1.ApprovalService/WaitApproval"]
    clock = asyncio.get_running_loop().time
    for remaining, least, most in ((None, 59.9, 60), (3600.0, 59.9, 60), (30.0, 29.4, 29.5), (1.0, 0.7, 0.75)):
        deadline.begin(remaining, 61.0)
        assert least < deadline.end(60.0, 0.5) - clock() <= most
    deadline.begin(None)


async def test_nobody_waits_for_what_is_not_theirs_to_see(server: Placet) -> None:
    approval = await opened(server)
    unknown = Approval(approval_id=f"apr_{uuid4().hex}")
    began = time.monotonic()
    for by in (
        metadata(server.state, "user:mallory", "requester", "reviewer", groups=["others"]),
        metadata(server.state, "agent:other", "requester"),
    ):
        why = await refused(waiting(server, approval, by))
        assert (why.code, why.reason) == ("NOT_FOUND", "APPROVAL_NOT_FOUND")
        assert why == await refused(waiting(server, unknown, by))
    assert time.monotonic() - began < SOON


async def test_bad_requests_are_named(server: Placet) -> None:
    by = server.metadata("report-bot")
    approval = await opened(server)
    assert (await refused(waiting(server, Approval(approval_id="apr_x"), by))).fields == ("approval_id",)
    bad = WaitApprovalRequest(approval_id=approval.approval_id).SerializeToString() + b"\x10\x63"  # state 99
    assert (await refused(raw(server, "ApprovalService/WaitApproval", bad))).fields == ("known_state",)


async def test_token_that_expires_ends_the_wait(server: Placet) -> None:
    approval = await opened(server)
    expiring = metadata(server.state, "agent:report-bot", exp=int(time.time()) - 28)  # 30 s of leeway
    began = time.monotonic()
    why = await refused(waiting(server, approval, expiring))
    assert (why.code, why.reason) == ("UNAUTHENTICATED", "UNAUTHENTICATED")
    assert time.monotonic() - began < 3


async def test_500_wait_at_once_and_one_step_answers_them_all(server: Placet, other: Placet) -> None:
    approvals = await asyncio.gather(*(opened(server) for _ in range(5)))
    by = server.metadata("report-bot")
    calls = [asyncio.ensure_future(waiting(server, approvals[number % 5], by, seconds=60)) for number in range(500)]
    done, _ = await asyncio.wait(calls, timeout=3)
    assert not done
    began = time.process_time()
    await asyncio.sleep(1)
    assert time.process_time() - began < 0.3, "they cost nothing while nothing happens"
    await asyncio.gather(*(other.review(approval, "bob", "DENY") for approval in approvals))
    answers = await asyncio.gather(*calls)
    assert {answer.approval.state for answer in answers} == {DENIED}


async def test_client_that_goes_away_frees_what_it_held(server: Placet) -> None:
    approval = await opened(server)
    await waiting(server, approval, server.metadata("alice"), seconds=0.2)
    before = len(asyncio.all_tasks())  # the server's are among them
    async with grpc.aio.insecure_channel(server.address) as channel:
        mine = replace(server, channel=channel)
        waits = [asyncio.ensure_future(waiting(mine, approval, mine.metadata("alice"))) for _ in range(50)]
        bob = mine.metadata("bob")
        watches = [mine.reviews.WatchQueue(WatchQueueRequest(), metadata=bob) for _ in range(MAX_WATCHES)]
        await asyncio.gather(*(watch.read() for watch in watches))
        assert len(asyncio.all_tasks()) >= before + 100 + MAX_WATCHES
        for call in waits:
            call.cancel()

    async def freed() -> bool:
        return len(asyncio.all_tasks()) <= before + 5  # health, sweep and others come and go

    await eventually(freed)


async def test_client_waits_over_many_calls_and_gives_what_is_there_at_the_end(server: Placet) -> None:
    approval = await opened(server)
    token = server.metadata("report-bot")[0][1].removeprefix("Bearer ")
    async with Client(server.address, token) as client:
        began = time.monotonic()
        assert (await client.wait(approval.approval_id, timeout=0)).state == PENDING
        assert (await client.wait(approval.approval_id, timeout=1)).state == PENDING
        assert 0.8 < time.monotonic() - began < 2
        call = asyncio.create_task(client.wait(approval.approval_id, timeout=60))
        await server.review(approval, "bob", "DENY")
        assert (await call).state == DENIED
        with pytest.raises(CallError) as gone:
            await client.wait(f"apr_{uuid4().hex}", timeout=5)
        assert gone.value.reason == "APPROVAL_NOT_FOUND"


async def test_server_that_stops_lets_whoever_waits_go(state: Path, mongod: MongodProcess) -> None:
    async with AsyncExitStack() as life:
        server = await life.enter_async_context(placet(state, mongod.uri))
        async with grpc.aio.insecure_channel(server.address) as channel:
            mine = replace(server, channel=channel)
            approval = await opened(mine)
            wait = asyncio.ensure_future(waiting(mine, approval, mine.metadata("report-bot")))
            watch = mine.reviews.WatchQueue(WatchQueueRequest(), metadata=mine.metadata("bob"))
            told = (await watch.read()).approval
            told.ClearField("lineage")  # reviewers alone see it
            assert told == approval
            assert not (await watch.read()).HasField("approval")
            began = time.monotonic()
            await life.aclose()
            for call in (wait, watch.read()):
                why = await refused(call)
                assert (why.code, why.reason) == ("UNAVAILABLE", "SERVER_STOPS")
            assert time.monotonic() - began < GRACE_SECONDS - 2, "nobody waited for them"
