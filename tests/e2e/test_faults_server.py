"""The server killed between compare-and-set and record, and at random."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import grpc
import pytest
from pymongo import AsyncMongoClient

from pdp.audit.record import Kind
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import ApprovalState
from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse
from pdp.v1.request_pb2 import Effect
from tests.faults import Ledger, Log, Served, eventually, failing, reviewed, served, stream, verified_log
from tests.parts import Placet, exporting, refusal


@dataclass
class Died:
    """What was under way when a server died, and the server that came after it on the same database."""

    server: Served
    opened: AuthorizeRequest
    review: AuthorizeResponse
    retried: AuthorizeRequest
    forgotten: AuthorizeRequest
    contested: AuthorizeRequest
    stored: dict[str, dict[str, object]]
    """The approvals as stored, by the request id that opened them."""


@pytest.fixture(scope="module", params=["never-arrives", "arrives-late"])
async def died(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, state: Path, mongod: MongodProcess
) -> AsyncIterator[Died]:
    """An opening, a review and three uses reach their approvals; then, before their records are confirmed, SIGKILL."""
    folder, fate = tmp_path_factory.mktemp("died"), request.param
    opened, review, retried, forgotten, contested = (exporting(requestId=uuid4().hex) for _ in range(5))
    fault = {"errorCode": 50} if fate == "never-arrives" else {"blockConnection": True, "blockTimeMS": 2500}
    async with served(folder, state, mongod.uri) as server:
        asked = await server.authorize(review)
        for used in (retried, forgotten, contested):
            await server.approved(used)
        async with failing(mongod.uri, f"{server.database}.batches", **fault), AsyncMongoClient(mongod.uri) as client:
            calls = [
                *(server.authorize(one, timeout=10) for one in (opened, retried, forgotten, contested)),
                server.review(asked.approval, "bob"),
            ]
            tasks = [asyncio.create_task(_unanswered(call)) for call in calls]
            approvals = client[server.database]["approvals"]
            wanted = {"$or": [{"state": "CONSUMED"}, {"request_ids": opened.request_id}, {"reviews.0": {"$exists": 1}}]}
            await eventually(lambda: _are(approvals, {**wanted, "outbox.0": {"$exists": True}}, 5), seconds=1)
            await server.kill()
            assert all(await asyncio.gather(*tasks))
            stored = {document["request_ids"][0]: document async for document in approvals.find()}
    async with served(folder, state, mongod.uri, database=server.database) as again:
        yield Died(again, opened, asked, retried, forgotten, contested, stored)


async def test_another_attempt_hears_of_a_use_only_once_it_is_recorded(died: Died) -> None:
    """It asks before any sweep delivers the record."""
    other = AuthorizeRequest()
    other.CopyFrom(died.contested)
    other.attempt_id = "another"
    answer = await died.server.authorize(other)
    assert answer.reasons[0].rule == "pdp.approval_consumed"
    log = await verified_log(died.server)
    used = died.stored[other.request_id]
    (consumed,) = log.of(Kind.APPROVAL_CONSUMED, str(used["_id"]))
    assert log.payloads[consumed]["decision_id"] == used["used_by"]["decision_id"]


async def test_the_same_attempt_finishes_an_unanswered_use(died: Died) -> None:
    answer = await died.server.authorize(died.retried)
    assert answer.effect == Effect.EFFECT_ALLOW
    assert answer.decision_id == died.stored[died.retried.request_id]["used_by"]["decision_id"]
    repeated = await died.server.authorize(died.retried)
    assert (repeated.decision_id, repeated.grant) == (answer.decision_id, answer.grant)
    log = await verified_log(died.server)
    log.used_once(answer)


async def test_a_sweep_delivers_the_record_of_a_use_that_nobody_repeats(died: Died) -> None:
    approval = died.stored[died.forgotten.request_id]
    log = await _log_with(died.server, Kind.APPROVAL_CONSUMED, str(approval["_id"]))
    (consumed,) = log.of(Kind.APPROVAL_CONSUMED, str(approval["_id"]))
    assert log.payloads[consumed]["decision_id"] == approval["used_by"]["decision_id"]
    assert "rec_" + approval["used_by"]["decision_id"][4:] in log.records


async def test_the_same_request_id_finishes_an_unanswered_opening(died: Died) -> None:
    answer = await died.server.authorize(died.opened)
    assert answer.effect == Effect.EFFECT_NEEDS_APPROVAL
    approval = died.stored[died.opened.request_id]
    assert answer.approval.approval_id == approval["_id"]
    log = await verified_log(died.server)
    assert len(log.of(Kind.APPROVAL_CREATED, answer.approval.approval_id)) == 1
    assert "rec_" + str(approval["decision_id"])[4:] in log.records


async def test_an_unanswered_review_counts_once(died: Died) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as again:
        await died.server.review(died.review.approval, "bob")
    assert refusal(again.value).reason == "ALREADY_REVIEWED"
    approved = await died.server.review(died.review.approval, "carol")
    assert approved.state == ApprovalState.APPROVAL_STATE_APPROVED
    log = await verified_log(died.server)
    reviews = log.of(Kind.APPROVAL_REVIEWED, approved.approval_id)
    assert sorted(log.payloads[one]["reviewer"] for one in reviews) == ["user:bob", "user:carol"]


async def test_a_server_killed_at_random_under_a_stream_loses_nothing(
    tmp_path: Path, state: Path, mongod: MongodProcess, rounds: int
) -> None:
    ledger, database = Ledger(), f"t{uuid4().hex[:16]}"
    under_way: list[AuthorizeRequest] = []
    finished: list[AuthorizeResponse] = []
    for _ in range(rounds):
        async with served(tmp_path, state, mongod.uri, database=database) as server:
            finished += [await _finish(server, ledger, one) for one in under_way]
            under_way = [exporting(requestId=uuid4().hex) for _ in range(4)]
            async with stream(server, ledger):
                tasks = [asyncio.create_task(_as_far_as_it_goes(server, ledger, one)) for one in under_way]
                await asyncio.sleep(random.uniform(0.02, 0.25))  # somewhere between the first question and the last use
                await server.kill()
            await asyncio.gather(*tasks)
    async with served(tmp_path, state, mongod.uri, database=database) as server:
        finished += [await _finish(server, ledger, one) for one in under_way]
        log = await verified_log(server)
    log.accounts_for(ledger)
    for one in finished:
        log.used_once(one)


async def _unanswered(call: "asyncio.Future[object]") -> bool:
    with suppress(grpc.aio.AioRpcError):
        await call
        return False
    return True


async def _are(approvals: object, condition: dict[str, object], count: int) -> bool:
    return await approvals.count_documents(condition) == count


async def _log_with(server: Placet, kind: Kind, approval_id: str) -> Log:
    async def look() -> Log | None:
        log = await verified_log(server)
        return log if log.of(kind, approval_id) else None

    return await eventually(look, seconds=12)


async def _as_far_as_it_goes(server: Placet, ledger: Ledger, request: AuthorizeRequest) -> None:
    """A journey on a server that will die."""
    with suppress(grpc.aio.AioRpcError):
        asked = (await ledger.ask(server, request)).answer
        for reviewer in ("bob", "carol") if asked else ():
            await server.review(asked.approval, reviewer)
        await ledger.ask(server, request)


async def _finish(server: Placet, ledger: Ledger, request: AuthorizeRequest) -> AuthorizeResponse:
    """Whatever became of it: the same request id, and who has not yet reviewed."""
    answer = await ledger.answered(server, request)
    for reviewer in ("bob", "carol") if answer.effect == Effect.EFFECT_NEEDS_APPROVAL else ():
        await eventually(lambda by=reviewer: reviewed(server, answer, by))
    return await ledger.answered(server, request)
