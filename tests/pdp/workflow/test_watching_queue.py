"""WatchQueue: the queue, then each change of it, to nobody but who may see it; a break loses and repeats nothing."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval, ApprovalState
from pdp.v1.request_pb2 import Effect
from pdp.v1.review_pb2 import ListQueueRequest, WatchQueueRequest, WatchQueueResponse
from tests.parts import Placet, asking, exporting, placet, refusal
from tests.pdp.mongo import database, set_back
from tests.pdp.steps import report, revoke, state_of, use
from tests.pdp.wire import refused
from tests.tokens import Metadata, metadata

SOON = 1.0


@pytest.fixture
async def quiet(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server on which only one test asks."""
    async with placet(state, mongod.uri) as running:
        yield running


@dataclass
class Watch:
    """A reader of somebody's queue."""

    server: Placet
    by: Metadata
    token: str = ""
    initial: list[str] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        request = WatchQueueRequest(resume_token=self.token)
        self.call = self.server.reviews.WatchQueue(request, metadata=self.by)
        while (message := await self.next()).HasField("approval"):
            self.initial.append(message.approval.approval_id)
        assert message.resume_token
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.call.cancel()

    async def next(self, seconds: float = 10) -> WatchQueueResponse:
        """The next message, without what reviewers alone see: requesters' approvals are compared with it."""
        async with asyncio.timeout(seconds):
            message: WatchQueueResponse = await self.call.read()
        if message.HasField("approval"):
            message.approval.ClearField("lineage")
        self.token = message.resume_token or self.token
        return message

    async def told(self, count: int) -> list[tuple[str, bool]]:
        found = [await self.next() for _ in range(count)]
        return [(message.approval.approval_id, message.may_review) for message in found]


def watch(server: Placet, name: str, token: str = "") -> Watch:
    return Watch(server, server.metadata(name), token)


async def opened(server: Placet, **members: Any) -> Approval:
    return (await server.authorize(exporting(**members))).approval


async def test_first_the_queue_then_what_enters_changes_in_and_leaves_it(quiet: Placet) -> None:
    first, second = await opened(quiet), await opened(quiet)
    async with watch(quiet, "bob") as bob, watch(quiet, "carol") as carol:
        assert bob.initial == carol.initial == [first.approval_id, second.approval_id], "the nearest deadline first"
        began = time.monotonic()
        third = await opened(quiet)
        for one in (bob, carol):
            entered = await one.next()
            assert (entered.approval, entered.may_review) == (third, True)
        assert time.monotonic() - began < SOON
        reviewed = await quiet.review(third, "bob")
        assert (await carol.next()).approval == reviewed
        assert await bob.told(1) == [(third.approval_id, False)]
        approved = await quiet.review(third, "carol")
        left = await carol.next()
        assert (left.approval, left.may_review) == (approved, False)
        told = await bob.next()
        assert (told.approval, told.may_review) == (approved, False), "what left his queue is still followed"
        revoked = (await revoke(quiet, third, quiet.metadata("carol"))).approval
        for one in (bob, carol):
            told = await one.next()
            assert (told.approval, told.may_review) == (revoked, False)
        fourth = await opened(quiet)
        assert await bob.told(1) == [(fourth.approval_id, True)]


async def test_use_and_outcome_of_what_left_the_queue_are_told_until_its_end(quiet: Placet) -> None:
    request = exporting()
    approval = (await quiet.authorize(request)).approval
    async with watch(quiet, "bob") as bob:
        await quiet.review(approval, "bob")
        await quiet.review(approval, "carol")
        await use(quiet, request, approval)
        states = [state_of((await bob.next()).approval) for _ in range(3)]
        assert states == ["PENDING", "APPROVED", "CONSUMED"]
        await report(quiet, approval)
        another = await opened(quiet)
        assert await bob.told(1) == [(another.approval_id, True)], "after its end there is nothing to follow"


async def test_changes_alone_come_without_the_queue_and_of_everything_that_was_in_it(quiet: Placet) -> None:
    waits, decided = await opened(quiet), await quiet.approved(exporting())
    call = quiet.reviews.WatchQueue(WatchQueueRequest(changes_only=True), metadata=quiet.metadata("bob"))
    begins = await call.read()
    assert begins.resume_token
    assert not begins.HasField("approval")
    page = await quiet.reviews.ListQueue(ListQueueRequest(), metadata=quiet.metadata("bob"))
    assert [one.approval_id for one in page.approvals] == [waits.approval_id]
    reviewed = await quiet.review(waits, "carol")
    revoked = (await revoke(quiet, decided, quiet.metadata("carol"))).approval
    told = [await call.read() for _ in range(2)]
    for one in told:
        one.approval.ClearField("lineage")
    assert [(one.approval, one.may_review) for one in told] == [(reviewed, True), (revoked, False)]
    call.cancel()


async def test_time_that_passes_takes_it_out_of_the_queue(quiet: Placet, mongod: MongodProcess) -> None:
    approval = await opened(quiet)
    async with watch(quiet, "bob") as bob:
        await set_back(mongod, quiet, approval.approval_id, "created_at", hours=5)
        left = await bob.next()
        assert left.approval.state == ApprovalState.APPROVAL_STATE_EXPIRED
        assert (left.approval.approval_id, left.may_review) == (approval.approval_id, False)


async def test_nobody_is_told_of_what_is_not_theirs(quiet: Placet) -> None:
    """A stranger, the requester as reviewer, and a steward who is a principal hear nothing, not even of an end."""
    stranger = metadata(quiet.state, "user:mallory", "reviewer", groups=["others"])
    principal = metadata(quiet.state, "user:alice", "reviewer", groups=["data-stewards"])
    for_alice = await opened(quiet)
    async with Watch(quiet, stranger) as mallory, Watch(quiet, principal) as alice, watch(quiet, "bob") as bob:
        assert mallory.initial == alice.initial == []
        assert bob.initial == [for_alice.approval_id]
        another = await opened(quiet)
        await quiet.review(for_alice, "bob", "DENY")
        assert await bob.told(2) == [(another.approval_id, True), (for_alice.approval_id, False)]
        for one in (mallory, alice, bob):
            with pytest.raises(TimeoutError):
                await one.next(seconds=0.5)
        for token in (mallory.token, alice.token):
            assert not any(text in token for approval in (for_alice, another) for text in _ids(approval))


def _ids(approval: Approval) -> Sequence[str]:
    return approval.approval_id, approval.approval_id[4:], approval.approval_id[-12:]


async def test_what_may_not_be_seen_any_more_leaves_as_an_id_alone(quiet: Placet, mongod: MongodProcess) -> None:
    approval = await opened(quiet)
    async with watch(quiet, "bob") as bob:
        for_others = {"$set": {"requirements.0.groups": ["others"]}, "$inc": {"version": 1}}
        async with database(mongod, quiet) as found:
            await found["approvals"].update_one({"_id": approval.approval_id}, for_others)
        left = await bob.next()
        assert (left.approval, left.may_review) == (Approval(approval_id=approval.approval_id), False)


async def test_watcher_goes_on_behind_its_token_and_misses_and_repeats_nothing(
    quiet: Placet, mongod: MongodProcess
) -> None:
    known, leaves = await opened(quiet), await opened(quiet)
    async with watch(quiet, "bob") as bob:
        assert bob.initial == [known.approval_id, leaves.approval_id]
        read = await opened(quiet)
        assert await bob.told(1) == [(read.approval_id, True)]
    await quiet.review(leaves, "carol", "DENY")
    fresh = await opened(quiet)
    await quiet.review(known, "carol")
    async with placet(quiet.state, mongod.uri, database=quiet.database) as other:
        again = watch(other, "bob", bob.token)
        async with again:
            assert again.initial == [leaves.approval_id, fresh.approval_id, known.approval_id]
            last = await opened(quiet)
            assert await again.told(1) == [(last.approval_id, True)]
    async with watch(quiet, "bob", again.token) as quietly:
        assert quietly.initial == []


async def test_resumed_watcher_hears_nothing_of_strangers_either(quiet: Placet) -> None:
    stranger = metadata(quiet.state, "user:mallory", "reviewer", groups=["others"])
    async with Watch(quiet, stranger) as mallory:
        pass
    await quiet.review(await opened(quiet), "bob", "DENY")
    async with Watch(quiet, stranger, mallory.token) as mallory:
        assert mallory.initial == []


@pytest.mark.parametrize("token", ["x", "0" * 16, "f" * 16, "0" * 17, "\u0660" * 16, '{"$gt": ""}'])
async def test_token_that_is_unknown_or_too_old_says_to_begin_again(server: Placet, token: str) -> None:
    call = server.reviews.WatchQueue(WatchQueueRequest(resume_token=token), metadata=server.metadata("bob"))
    why = await refused(call.read())
    assert (why.code, why.reason) == ("OUT_OF_RANGE", "RESUME_TOKEN_TOO_OLD")


async def test_token_of_long_ago_is_too_old(quiet: Placet) -> None:
    async with watch(quiet, "bob") as bob:
        ago = f"{int(bob.token, 16) - (3601 << 32):016x}"
    call = quiet.reviews.WatchQueue(WatchQueueRequest(resume_token=ago), metadata=quiet.metadata("bob"))
    assert (await refused(call.read())).reason == "RESUME_TOKEN_TOO_OLD"


async def test_slow_reader_gets_the_last_of_each_and_decisions_go_on(quiet: Placet) -> None:
    request = exporting(justification="x" * 2000, context={"sql": "x" * 25_000})
    call = quiet.reviews.WatchQueue(WatchQueueRequest(), metadata=quiet.metadata("bob"))
    assert not (await call.read()).HasField("approval")
    made = []
    for number in range(40):
        request.context.fields["run"].number_value = number
        made.append((await quiet.authorize(request)).approval)
    for approval in made:
        await quiet.review(approval, "carol")
    assert (await quiet.authorize(asking())).effect == Effect.EFFECT_ALLOW
    versions: dict[str, int] = {}
    async with asyncio.timeout(20):
        while len(versions) < 40 or not all(versions.values()):
            message = await call.read()
            versions[message.approval.approval_id] = len(message.approval.reviews)
    call.cancel()
    assert versions == {approval.approval_id: 1 for approval in made}


async def test_token_that_expires_ends_the_watch(server: Placet) -> None:
    claims = {"exp": int(time.time()) - 28, "groups": ["data-stewards"]}  # 30 s of leeway
    call = server.reviews.WatchQueue(
        WatchQueueRequest(), metadata=metadata(server.state, "user:bob", "reviewer", **claims)
    )
    async with asyncio.timeout(5):
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await _drained(call)
    assert refusal(ended.value).code == "UNAUTHENTICATED"


async def _drained(call: Any) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass
