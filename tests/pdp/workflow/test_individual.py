"""What policy marks `individual` is read one by one: the server holds a person to a pace, whatever the client says."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from grpc_status import rpc_status

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval, Verdict
from pdp.v1.review_pb2 import ReviewRequest
from tests.known import UNSEEN
from tests.parts import Placet, asking, placet, refusal
from tests.pdp.mongo import database
from tests.pdp.steps import state_of, verdict
from tests.pdp.wire import refused
from tests.tokens import metadata

RULES = """package policy

needs_approval contains object.union(
	{"rule": "one.by.one", "reason": "read it", "reviewers": {"groups": ["readers"]}},
	object.get(input, ["context", "asked"], {}),
) if input.action.name == "share"

needs_approval contains {
	"rule": "plain",
	"reason": "read it",
	"reviewers": {"groups": ["readers"]},
} if input.action.name == "copy"
"""
DATA = {
    "groups": {"readers": ["user:bob", "user:carol", "user:rob"]},
    "identities": {"agent:report-bot": {"owners": ["user:alice"]}, "user:bob": {"same_as": ["user:rob"]}},
}


@pytest.fixture
async def pair(tmp_path: Path, state: Path, mongod: MongodProcess) -> AsyncIterator[tuple[Placet, Placet]]:
    folder = tmp_path / "individual"
    folder.mkdir()
    (folder / "rules.rego").write_text(RULES)
    (folder / "data.json").write_text(json.dumps(DATA))
    async with (
        placet(state, mongod.uri, policy=[folder]) as one,
        placet(state, mongod.uri, policy=[folder], database=one.database) as other,
    ):
        yield one, other


async def opened(server: Placet, action: str = "share", **asked: Any) -> Approval:
    context = {"run": uuid4().hex, "asked": {"individual": True, **asked}}
    return (await server.authorize(asking(action, context=context))).approval


async def wait_of(server: Placet, approval: Approval, by: str) -> float:
    """The seconds after which a refused review is accepted."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await server.review(approval, by)
    assert (refusal(caught.value).code, refusal(caught.value).reason) == ("RESOURCE_EXHAUSTED", "REVIEW_TOO_SOON")
    status, retry = rpc_status.from_call(caught.value), RetryInfo()
    assert status is not None
    (detail,) = (one for one in status.details if one.Is(RetryInfo.DESCRIPTOR))
    detail.Unpack(retry)
    return retry.retry_delay.ToMilliseconds() / 1000


async def moved_back(mongod: MongodProcess, server: Placet, person: str, seconds: float) -> None:
    async with database(mongod, server) as found:
        one = await found["individual_reviews"].find_one({"_id": person}) or {}
        earlier = {"$set": {"at": one["at"] - timedelta(seconds=seconds)}}
        await found["individual_reviews"].update_one({"_id": person}, earlier)


async def test_person_approves_one_in_ten_seconds(pair: tuple[Placet, Placet], mongod: MongodProcess) -> None:
    server = pair[0]
    first, second = await opened(server), await opened(server)
    assert state_of(await server.review(first, "bob")) == "APPROVED"
    assert await wait_of(server, second, "bob") == 10
    await moved_back(mongod, server, "user:bob", 5)
    assert await wait_of(pair[1], second, "bob") == 10
    await moved_back(mongod, server, "user:bob", 5)
    assert state_of(await server.review(second, "bob")) == "APPROVED"
    assert state_of(await server.review(await opened(server), "carol")) == "APPROVED", "another person"


async def test_pace_is_of_the_person_and_as_the_policy_says(pair: tuple[Placet, Placet], mongod: MongodProcess) -> None:
    server = pair[0]
    first, second, hourly = await opened(server), await opened(server), await opened(server, individual_every="1h")
    assert hourly.requirements[0].individual_every.ToMilliseconds() == 3_600_000
    await server.review(first, "bob")
    as_rob = metadata(server.state, "user:rob", "reviewer")
    assert (await refused(verdict(server, second, "APPROVE", as_rob))).reason == "REVIEW_TOO_SOON"
    await moved_back(mongod, server, "user:bob", 60)
    assert await wait_of(server, hourly, "bob") == 3600
    assert state_of(await server.review(second, "bob")) == "APPROVED"
    assert state_of(await server.review(await opened(server, "copy"), "bob")) == "APPROVED", "not individual"


async def test_no_comes_at_any_time_and_counts(pair: tuple[Placet, Placet]) -> None:
    server = pair[0]
    first, second, third, fourth = [await opened(server) for _ in range(4)]
    await server.review(first, "bob")
    assert state_of(await server.review(second, "bob", "DENY")) == "DENIED"
    assert state_of(await server.review(third, "carol", "DENY")) == "DENIED"
    assert await wait_of(server, fourth, "carol") == 10
    assert state_of(await server.review(first, "carol", "DENY")) == "REVOKED"


async def test_of_two_at_once_on_two_servers_one_counts(
    pair: tuple[Placet, Placet], mongod: MongodProcess, rounds: int
) -> None:
    for _ in range(10 * rounds):
        approvals = [await opened(pair[0]) for _ in range(4)]
        reviews = [pair[at % 2].review(one, "bob") for at, one in enumerate(approvals)]
        answers = await asyncio.gather(*reviews, return_exceptions=True)
        refusals = [refusal(one).reason for one in answers if isinstance(one, grpc.aio.AioRpcError)]
        assert refusals == ["REVIEW_TOO_SOON"] * 3
        await moved_back(mongod, pair[0], "user:bob", 11)


async def test_refused_review_is_no_turn(pair: tuple[Placet, Placet]) -> None:
    server = pair[0]
    first, second = await opened(server), await opened(server)
    for displayed in ({"expected_digest": "x"}, {"expected_version": 7}):
        good = {"expected_digest": first.request_digest, "expected_version": first.version, "expected_lineage": UNSEEN}
        request = ReviewRequest(approval_id=first.approval_id, verdict=Verdict.VERDICT_APPROVE, **{**good, **displayed})
        await refused(server.reviews.Review(request, metadata=server.metadata("bob")))
    assert state_of(await server.review(second, "bob")) == "APPROVED"


async def test_review_that_another_outran_is_no_turn(pair: tuple[Placet, Placet], rounds: int) -> None:
    for _ in range(5 * rounds):
        approval = await opened(pair[0], count=2)
        people = [f"user:p{uuid4().hex[:8]}" for _ in range(4)]
        by = [metadata(pair[0].state, name, "reviewer", groups=["readers"]) for name in people]
        calls = [verdict(pair[at % 2], approval, "APPROVE", one) for at, one in enumerate(by)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        for one, answer in zip(by, answers, strict=True):
            if isinstance(answer, grpc.aio.AioRpcError):
                assert state_of((await verdict(pair[0], await opened(pair[0]), "APPROVE", one)).approval) == "APPROVED"
