"""Every change of an approval is one compare-and-set on its version, by MongoDB's clock."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from pdp.approval import TRANSITIONS, Approval, Outcome, OutcomeState, Review, ReviewVerdict, State, TakenBack, Use
from pdp.audit.record import Entry
from pdp.errors import NotFound
from pdp.requirement import Requirement
from pdp.store.approvals import Approvals, RequestIdTaken
from pdp.store.database import Database
from tests.pdp.specimens import SEALER, T0, opening, records, review

OUTCOME = Outcome(OutcomeState.SUCCEEDED, "", T0, late=False)
Step = Callable[[Approvals, Approval, Sequence[Entry]], Awaitable[Approval | None]]
STEPS: dict[str, tuple[State, State, Step]] = {
    "approve": (State.PENDING, State.APPROVED, lambda a, held, out: a.review(held, review(), State.APPROVED, out)),
    "deny": (State.PENDING, State.DENIED, lambda a, held, out: a.review(held, denial(), State.DENIED, out)),
    "cancel": (State.PENDING, State.CANCELLED, lambda a, held, out: a.close(held, State.CANCELLED, "me", "no", out)),
    "revoke": (State.APPROVED, State.REVOKED, lambda a, held, out: a.close(held, State.REVOKED, "me", "no", out)),
    "consume": (State.APPROVED, State.CONSUMED, lambda a, held, out: a.consume(held, Use("dec_1", ""), out)),
    "void": (State.APPROVED, State.VOIDED, lambda a, held, out: a.void(held, out)),
    "report": (State.CONSUMED, State.CONSUMED, lambda a, held, out: a.report(held, OUTCOME, out)),
}
EXPIRING = [State.PENDING, State.APPROVED]


def denial() -> Review:
    return review(verdict=ReviewVerdict.DENY)


async def opened(approvals: Approvals, number: int = 1, request_id: str = "", **changes: Any) -> Approval:
    """A new approval; each number has a digest of its own."""
    outbox = changes.pop("outbox", ())
    held = opening(id=f"apr_{number:032x}", **{"digest": f"d{number}", **changes})
    made = await approvals.open(held, request_id, outbox)
    assert made is not None
    return made


def _records(held: Approval) -> tuple[Any, ...]:
    assert all(SEALER.wrote(held, posted) for posted in held.outbox)
    return tuple(posted.entry for posted in held.outbox)


async def stood(approvals: Approvals, state: State, number: int = 1, **changes: Any) -> Approval:
    """An approval that came to this state."""
    made: Approval | None = await opened(approvals, number, **changes)
    if state is not State.PENDING:
        assert made
        made = await approvals.review(made, review(), State.APPROVED, records())
    if state is State.CONSUMED:
        assert made
        made = await approvals.consume(made, Use("dec_1", ""), records())
    assert made
    return made


async def aged(database: Database, approval: Approval, stamp: str, **ago: float) -> None:
    moved = getattr(approval, stamp) - timedelta(**ago)
    await database.database["approvals"].update_one({"_id": approval.id}, {"$set": {stamp: moved}})


async def test_opened_it_is_pending_since_now_with_its_records_in_the_outbox(database: Database) -> None:
    approvals, outbox = Approvals(database, SEALER), tuple(records(2))
    made = await opened(approvals, outbox=outbox)
    assert (made.state, made.version, _records(made)) == (State.PENDING, 1, outbox)
    assert abs(made.created_at - await database.now()) < timedelta(seconds=5)
    held = await approvals.get(made.id)
    assert held is not None
    assert held.approval == made
    assert held.now >= made.created_at


@pytest.mark.parametrize("name", STEPS)
async def test_step_is_taken_once_with_its_stamp_and_its_records(database: Database, name: str) -> None:
    before, after, step = STEPS[name]
    approvals, outbox = Approvals(database, SEALER), records(2)
    held = await stood(approvals, before)
    taken = await step(approvals, held, outbox)
    assert taken is not None
    assert (taken.state, taken.version, _records(taken)) == (after, held.version + 1, tuple(outbox))
    ends = after not in (before, State.APPROVED)
    assert (taken.approved_at is not None) == (State.APPROVED in (before, after) or before is State.CONSUMED)
    assert (taken.closed_at is not None) == (ends or before is State.CONSUMED)
    assert await step(approvals, held, records()) is None
    found = await approvals.get(held.id)
    assert found is not None
    assert found.approval == taken


@pytest.mark.parametrize("name", [name for name, (before, _, _) in STEPS.items() if before in EXPIRING])
async def test_step_after_its_time_is_not_taken_and_only_then_it_expires(database: Database, name: str) -> None:
    before, _, step = STEPS[name]
    approvals = Approvals(database, SEALER)
    held = await stood(approvals, before)
    assert await approvals.expire(held, records()) is None
    assert await approvals.overdue(10) == []
    await aged(database, held, "created_at" if before is State.PENDING else "approved_at", days=1)
    assert await step(approvals, held, records()) is None
    assert [found.approval.id for found in await approvals.overdue(10)] == [held.id]
    expired = await approvals.expire(held, records())
    assert expired is not None
    assert expired.state is State.EXPIRED
    assert expired.closed_at is not None


@pytest.mark.parametrize("before", [State.PENDING, State.APPROVED])
async def test_step_that_the_table_lacks_is_our_mistake(database: Database, before: State) -> None:
    approvals = Approvals(database, SEALER)
    held = await stood(approvals, before)
    for after in set(State) - TRANSITIONS[before] - {before}:
        with pytest.raises(ValueError, match="transition"):
            await approvals.close(held, after, "me", "", records())


async def test_of_many_who_take_the_same_step_one_gets_through(database: Database) -> None:
    approvals = Approvals(database, SEALER)
    held = await stood(approvals, State.APPROVED)
    taken = await asyncio.gather(
        *(approvals.consume(held, Use(f"dec_{number}", ""), records()) for number in range(16))
    )
    assert sum(one is not None for one in taken) == 1


async def test_request_that_waits_is_not_opened_again_and_one_that_ended_is(database: Database) -> None:
    approvals = Approvals(database, SEALER)
    first = await opened(approvals, 1, digest="same")
    assert await approvals.open(opening(id=f"apr_{2:032x}", digest="same"), "") is None
    found = await approvals.pending("agent:bot", "same")
    assert found is not None
    assert found.approval.id == first.id
    assert await approvals.open(opening(id=f"apr_{3:032x}", digest="same", caller="agent:other"), "") is not None
    await approvals.close(first, State.CANCELLED, "me", "", records())
    assert await approvals.pending("agent:bot", "same") is None
    assert await opened(approvals, 4, digest="same")


async def test_request_id_names_the_approval_that_it_opened_or_used(database: Database) -> None:
    approvals = Approvals(database, SEALER)
    one, other = await opened(approvals, 1, "call-1"), await stood(approvals, State.APPROVED, 2)
    for step in (approvals.open(opening(id=f"apr_{3:032x}", digest="d3"), "call-1"),):
        with pytest.raises(RequestIdTaken):
            await step
    with pytest.raises(RequestIdTaken):
        await approvals.consume(other, Use("dec_1", "call-1"), records())
    used = await approvals.consume(other, Use("dec_1", "call-2"), records())
    assert used is not None
    assert used.used_by == Use("dec_1", "call-2")
    for request_id, wanted in (("call-1", one.id), ("call-2", other.id)):
        found = await approvals.by_request_id("agent:bot", request_id)
        assert found is not None
        assert found.approval.id == wanted
    assert await approvals.by_request_id("agent:other", "call-1") is None
    assert await approvals.by_request_id("agent:bot", "call-3") is None


async def test_approval_is_its_callers_alone(database: Database) -> None:
    approvals = Approvals(database, SEALER)
    made = await opened(approvals)
    assert (await approvals.of_its_caller("agent:bot", made.id)).approval == made
    for caller, approval_id in (("agent:other", made.id), ("agent:bot", f"apr_{9:032x}"), ("agent:bot", "")):
        with pytest.raises(NotFound) as refused:
            await approvals.of_its_caller(caller, approval_id, "do so")
        assert refused.value.reason == "APPROVAL_NOT_FOUND"
        assert "do so" in refused.value.sentence


async def test_lists_come_newest_first_by_caller_and_state(database: Database) -> None:
    approvals = Approvals(database, SEALER)
    mine = [await opened(approvals, number) for number in (1, 2, 3)]
    await opened(approvals, 4, caller="agent:other")
    await approvals.close(mine[1], State.CANCELLED, "me", "", records())

    async def of_caller(state: State | None = None, before: str = "", limit: int = 10) -> list[str]:
        return [found.approval.id for found in await approvals.of_caller("agent:bot", state, before, limit)]

    assert await of_caller() == [one.id for one in mine[::-1]]
    assert await of_caller(State.PENDING) == [mine[2].id, mine[0].id]
    assert await of_caller(before=mine[2].id) == [mine[1].id, mine[0].id]
    assert await of_caller(limit=1) == [mine[2].id]


async def test_last_approved_is_of_the_same_caller_and_kind_and_not_taken_back(database: Database) -> None:
    approvals = Approvals(database, SEALER)
    now = await opened(approvals, 9)
    assert await approvals.last_approved(now) is None
    older = await stood(approvals, State.CONSUMED, 1)
    newer = await stood(approvals, State.APPROVED, 2)
    await stood(approvals, State.APPROVED, 3, caller="agent:other")
    await opened(approvals, 4)
    for wanted in (newer, older):
        found = await approvals.last_approved(now)
        assert found is not None
        assert found.approval.id == wanted.id
        await approvals.close(newer, State.REVOKED, "me", "", records())


async def test_only_the_outbox_of_that_very_version_is_emptied(database: Database) -> None:
    approvals = Approvals(database, SEALER)
    made = await opened(approvals, outbox=tuple(records()))
    approved = await approvals.review(made, review(), State.APPROVED, records())
    assert approved is not None
    await approvals.delivered(made)
    assert [found.approval.id for found in await approvals.undelivered(timedelta(0), 10)] == [made.id]
    assert await approvals.undelivered(timedelta(minutes=1), 10) == []
    await approvals.delivered(approved)
    assert await approvals.undelivered(timedelta(0), 10) == []
    found = await approvals.get(made.id)
    assert found is not None
    assert found.approval.version == approved.version


async def test_words_of_a_reviewer_are_stored_and_not_evaluated(database: Database) -> None:
    approvals = Approvals(database, SEALER)
    made = await opened(approvals)
    denied = await approvals.review(made, review(verdict=ReviewVerdict.DENY, reason="$$ROOT"), State.DENIED, records())
    assert denied is not None
    assert (denied.reviews[0].reason, denied.close_reason, denied.closed_by) == ("$$ROOT", "$$ROOT", "user:bob")


async def test_shortest_requirement_ends_it(database: Database) -> None:
    approvals = Approvals(database, SEALER)
    hour, minute = Requirement("a", "x", pending_for_ms=3_600_000), Requirement("b", "x", pending_for_ms=60_000)
    held = await opened(approvals, requirements=(hour, minute))
    await aged(database, held, "created_at", minutes=2)
    assert [found.state for found in await approvals.overdue(10)] == [State.EXPIRED]


@pytest.mark.parametrize("notified", [False, True])
async def test_steps_are_left_untold_where_there_are_webhooks(database: Database, *, notified: bool) -> None:
    approvals = Approvals(database, SEALER, notified=notified)
    await stood(approvals, State.APPROVED)
    document = await database.database["approvals"].find_one() or {}
    assert "untold" in document
    assert document["untold"] == []  # these records are none that webhooks are told of


async def test_denial_is_taken_back_by_mongodbs_clock_and_once(database: Database) -> None:
    approvals, taken = Approvals(database, SEALER), TakenBack("user:bob", T0, "signed")
    held = await approvals.review(await opened(approvals), denial(), State.DENIED, records())
    assert held is not None
    time = timedelta(minutes=10)
    assert await approvals.take_back(held, taken, records(), timedelta()) is None
    await aged(database, held, "closed_at", minutes=11)
    assert await approvals.take_back(held, taken, records(), time) is None, "whatever was read before"
    await aged(database, held, "closed_at", minutes=9)
    changed = await approvals.take_back(held, taken, records(), time)
    assert changed is not None
    assert (changed.state, changed.taken_back, changed.version) == (State.DENIED, taken, held.version + 1)
    assert await approvals.take_back(held, taken, records(), time) is None, "another was faster"
