"""Outboxes reach the log before anything follows, and are emptied afterwards."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pdp.approval import Approval, Outcome, OutcomeState, State, Use
from pdp.audit import event
from pdp.audit.record import Kind, entry
from pdp.errors import StoreUnavailable
from pdp.recording.delivery import Delivery
from pdp.recording.writer import Writer
from pdp.store.approvals import Approvals
from pdp.store.batches import Batches
from pdp.store.database import Database
from pdp.store.writers import Writers
from tests.pdp.chain import KEY, recorded, stored, writing
from tests.pdp.specimens import BOT, REQUEST, SEALER, STEWARDS, T0, opening, review, sealed, signed, verdict

ASKED = event.approval_created(opening(), BOT, REQUEST, verdict())
OUTCOME = Outcome(OutcomeState.SUCCEEDED, "", T0, late=False)


@pytest.fixture
def approvals(database: Database) -> Approvals:
    return Approvals(database, SEALER)


@pytest.fixture
async def delivery(database: Database, approvals: Approvals) -> AsyncIterator[Delivery]:
    async with writing(database) as writer:
        yield Delivery(approvals, Batches(database), writer, SEALER)


async def opened(approvals: Approvals) -> Approval:
    """A new approval whose record is in its outbox alone."""
    made = await approvals.open(sealed(opening(requirements=(replace(STEWARDS, count=1),))), "", [ASKED])
    assert made is not None
    return made


async def approved(approvals: Approvals) -> Approval:
    held = await opened(approvals)
    given = signed(held, review())
    reviewed = event.approval_reviewed(held, given, State.APPROVED, "r1")
    made = await approvals.review(held, given, State.APPROVED, [reviewed])
    assert made is not None
    return made


async def outbox(approvals: Approvals, approval: Approval) -> tuple[Any, ...]:
    found = await approvals.get(approval.id)
    assert found is not None
    return tuple(posted.entry for posted in found.approval.outbox)


async def test_outbox_is_in_the_log_when_deliver_returns_and_empty_later(
    database: Database, approvals: Approvals, delivery: Delivery
) -> None:
    made = await opened(approvals)
    await delivery.deliver(made)
    assert await recorded(database) == [(Kind.APPROVAL_CREATED, made.id)]
    await delivery.settled()
    assert await outbox(approvals, made) == ()


async def test_fresh_step_is_written_once_beside_one_who_delivers_it(
    database: Database, approvals: Approvals, delivery: Delivery
) -> None:
    first, second = await opened(approvals), entry(Kind.SERVER_STARTED)
    await asyncio.gather(delivery.deliver(first), delivery.write([first], [ASKED, second]), delivery.deliver(first))
    written = [bytes(record) for batch in await stored(database) for record in batch.records]
    assert sorted(written) == sorted([ASKED.record, second.record])


async def test_delivered_twice_it_is_one_record_of_the_same_bytes(
    database: Database, approvals: Approvals, delivery: Delivery
) -> None:
    made = await opened(approvals)
    await asyncio.gather(delivery.deliver(made), delivery.deliver(made))
    await delivery.deliver(made)  # as somebody read it before its outbox was emptied
    batches = await stored(database)
    written = [bytes(record) for batch in batches for record in batch.records]
    assert written == [ASKED.record]
    assert await recorded(database) == [(Kind.APPROVAL_CREATED, made.id)]


async def test_empty_outbox_writes_nothing(database: Database, approvals: Approvals, delivery: Delivery) -> None:
    made = await approvals.open(opening(), "")
    assert made is not None
    await delivery.deliver(made)
    assert await recorded(database) == []


async def test_outbox_of_a_newer_step_is_not_emptied_by_an_older_delivery(
    approvals: Approvals, delivery: Delivery
) -> None:
    made = await opened(approvals)
    closed = event.approval_closed(made, State.CANCELLED)
    await approvals.close(made, State.CANCELLED, "me", "", [closed])
    await delivery.deliver(made)
    await delivery.settled()
    assert await outbox(approvals, made) == (closed,)


@pytest.mark.parametrize("step", ["close", "expire", "report"])
async def test_what_was_not_delivered_is_in_the_log_before_the_next_step(
    database: Database, approvals: Approvals, delivery: Delivery, step: str
) -> None:
    made = await approved(approvals)
    if step == "close":
        after = await delivery.close(made, State.REVOKED, "user:bob", "changed my mind")
    elif step == "expire":
        old = {"$set": {"created_at": T0, "approved_at": T0}}
        await database.database["approvals"].update_one({"_id": made.id}, old)
        found = await approvals.get(made.id)
        assert found is not None
        await delivery.expire(found)
        after = (await approvals.of_its_caller(made.caller, made.id)).approval
    else:
        consumed = event.approval_consumed(made, "dec_1", "", "r1")
        used = await approvals.consume(made, Use("dec_1", ""), [consumed])
        assert used is not None
        after = await delivery.report(used, BOT, OUTCOME)
    last = Kind.OUTCOME if step == "report" else Kind.APPROVAL_CLOSED
    first = Kind.APPROVAL_CONSUMED if step == "report" else Kind.APPROVAL_REVIEWED
    assert [kind for kind, _ in await recorded(database)] == [first, last]
    assert after is not None
    assert after.state is {"close": State.REVOKED, "expire": State.EXPIRED, "report": State.CONSUMED}[step]


async def test_step_that_somebody_else_took_writes_nothing_of_its_own(
    database: Database, approvals: Approvals, delivery: Delivery
) -> None:
    stale = await opened(approvals)
    assert await delivery.close(stale, State.CANCELLED, "me", "") is not None
    assert await delivery.close(stale, State.CANCELLED, "me", "") is None
    kinds = [kind for kind, _ in await recorded(database)]
    assert kinds.count(Kind.APPROVAL_CLOSED) == 1


async def test_approval_whose_time_is_not_over_does_not_expire(
    database: Database, approvals: Approvals, delivery: Delivery
) -> None:
    made = await opened(approvals)
    found = await approvals.get(made.id)
    assert found is not None
    await delivery.expire(found)
    assert (await approvals.of_its_caller(made.caller, made.id)).state is State.PENDING
    assert [kind for kind, _ in await recorded(database)] == [Kind.APPROVAL_CREATED]


async def test_where_the_log_takes_nothing_no_step_is_taken(database: Database, approvals: Approvals) -> None:
    silent = Writer(Batches(database), Writers(database), KEY, "dev")  # it does not run
    made = await opened(approvals)
    with pytest.raises(StoreUnavailable):
        await Delivery(approvals, Batches(database), silent, SEALER).close(made, State.CANCELLED, "me", "")
    found = await approvals.get(made.id)
    assert found is not None
    assert (found.state, [posted.entry for posted in found.approval.outbox]) == (State.PENDING, [ASKED])
    assert [one.approval.id for one in await approvals.undelivered(timedelta(0), 10)] == [made.id]


async def test_of_two_processes_at_once_one_writes_the_record(database: Database, approvals: Approvals) -> None:
    step, batches = await opened(approvals), Batches(database)
    others = [entry(Kind.SERVER_STARTED) for _ in range(2)]
    async with writing(database) as first, writing(database) as second:
        processes = [Delivery(approvals, batches, writer, SEALER) for writer in (first, second)]
        await asyncio.gather(*(one.write([step], [ASKED, own]) for one, own in zip(processes, others, strict=True)))
    written = [bytes(record) for batch in await stored(database) for record in batch.records]
    assert sorted(written) == sorted([ASKED.record, *(own.record for own in others)])
    assert len(await recorded(database)) == 3


async def test_what_an_older_version_wrote_without_a_claim_is_not_written_again(
    database: Database, approvals: Approvals
) -> None:
    made, batches = await opened(approvals), Batches(database)
    async with writing(database) as older, writing(database) as writer:
        await older.append([ASKED])
        await Delivery(approvals, batches, writer, SEALER).deliver(made)
    assert [bytes(record) for batch in await stored(database) for record in batch.records] == [ASKED.record]
