"""Untold steps and messages: each step is told once its records are in the log, each attempt is one process's."""

import asyncio
from datetime import timedelta
from typing import Any

import orjson
import pytest

from pdp.approval import EVENTS, Approval, State
from pdp.audit import event
from pdp.audit.record import Kind, entry
from pdp.notify.message import Step
from pdp.store.approvals import Approvals
from pdp.store.database import Database
from pdp.store.notifications import FORWARD, Notifications, Progress, untold
from tests.pdp.specimens import BOT, REQUEST, SEALER, T0, opening, review, verdict

CREATED = event.approval_created(opening(), BOT, REQUEST, verdict())


async def opened(database: Database) -> Approval:
    """An approval whose opening is untold, and whose record is still in its outbox."""
    made = await Approvals(database, SEALER, notified=True).open(opening(), "", [CREATED])
    assert made is not None
    return made


async def step_of(database: Database) -> Step:
    """The opening as a step, once it may be told."""
    made = await opened(database)
    await Approvals(database, SEALER).delivered(made)
    [step] = await Notifications(database).untold(10)
    return step


async def test_step_is_told_only_once_its_record_is_in_the_log(database: Database) -> None:
    notifications, made = Notifications(database), await opened(database)
    assert await notifications.untold(10) == []
    await Approvals(database, SEALER).delivered(made)
    [step] = await notifications.untold(10)
    assert (step.record_id, step.event, step.state) == (CREATED.id, "approval.created", State.PENDING)
    assert (step.approval_id, step.caller, step.request) == (made.id, "agent:bot", REQUEST.json)
    assert step.groups == ["stewards"]
    assert step.expires_at == made.expires_at
    await notifications.told(step)
    assert await notifications.untold(10) == []


async def test_each_step_stays_untold_until_it_is_told_itself(database: Database) -> None:
    approvals, notifications = Approvals(database, SEALER, notified=True), Notifications(database)
    made = await opened(database)
    reviewed = event.approval_reviewed(made, review(), State.DENIED, "r1")
    closed = event.approval_closed(made, State.DENIED)
    denied = await approvals.review(made, review(), State.DENIED, [reviewed, closed])
    assert denied is not None
    await approvals.delivered(denied)
    steps = await notifications.untold(10)
    assert [step.event for step in steps] == ["approval.created", "approval.reviewed", "approval.closed"]
    assert [step.state for step in steps] == [State.PENDING, State.DENIED, State.DENIED]
    assert [step.expires_at is None for step in steps] == [False, True, True]
    await notifications.told(steps[1])
    assert [step.event for step in await notifications.untold(10)] == ["approval.created", "approval.closed"]


def test_only_events_of_an_approval_are_left_untold() -> None:
    entries = [entry(kind) for kind in Kind]
    found = untold(entries, State.APPROVED)
    assert [one["event"] for one in found] == list(EVENTS)
    assert {one["state"] for one in found} == {State.APPROVED}
    assert {one["record"] for one in found} < {one.id for one in entries}
    times = {orjson.loads(one.record)["id"]: orjson.loads(one.record)["time"] for one in entries}
    assert all(one["at"] == times[one["record"]] for one in found)


async def test_message_is_due_at_once_and_one_however_often_it_is_added(database: Database) -> None:
    notifications, step = Notifications(database), await step_of(database)
    for body in (b"first", b"second"):
        await notifications.add("ops", step, body)
    await notifications.add("other", step, b"third")
    [due] = await notifications.due("ops", 10)
    assert (due.record_id, due.message, due.attempts) == (step.record_id, b"first", 0)
    assert [one.message for one in await notifications.due("other", 10)] == [b"third"]
    assert await notifications.due("nobody", 10) == []


async def test_attempt_is_claimed_by_one_and_due_again_after_its_wait(database: Database) -> None:
    notifications = Notifications(database)
    await notifications.add("ops", await step_of(database), b"x")
    [due] = await notifications.due("ops", 10)
    claims = await asyncio.gather(*(notifications.claim(due, 60) for _ in range(8)))
    assert sum(claims) == 1
    assert await notifications.due("ops", 10) == []
    await database.database["notifications"].update_many({}, {"$set": {"due_at": T0}})
    [again] = await notifications.due("ops", 10)
    assert again.attempts == 1
    assert not await notifications.claim(due, 0)
    assert await notifications.claim(again, 0)


@pytest.mark.parametrize(
    ("ends", "progress", "problem"),
    [
        ("delivered", Progress.DELIVERED, ""),
        ("dead", Progress.DEAD, "HTTP 500"),
        ("failed", Progress.WAITING, "x"),
    ],
)
async def test_what_became_of_a_message_is_shown(
    database: Database, ends: str, progress: Progress, problem: str
) -> None:
    notifications, step = Notifications(database), await step_of(database)
    await notifications.add("ops", step, b"x")
    [due] = await notifications.due("ops", 10)
    assert await notifications.claim(due, 0)
    if ends == "delivered":
        await notifications.delivered(due)
    else:
        await notifications.failed(due, 1, problem, dead=ends == "dead")
    [shown] = await notifications.of_approval(step.approval_id)
    assert (shown.webhook, shown.event, shown.progress) == ("ops", "approval.created", progress)
    assert (shown.attempts, shown.problem) == (1, problem)
    assert shown.tried_at is not None
    assert len(await notifications.due("ops", 10)) == (progress is Progress.WAITING)


async def test_attempt_that_somebody_overtook_changes_nothing(database: Database) -> None:
    notifications, step = Notifications(database), await step_of(database)
    await notifications.add("ops", step, b"x")
    [due] = await notifications.due("ops", 10)
    assert await notifications.claim(due, 0)
    await notifications.failed(due, 7, "stale", dead=True)
    [shown] = await notifications.of_approval(step.approval_id)
    assert (shown.progress, shown.problem) == (Progress.WAITING, "")


async def test_event_of_lineage_is_kept_once_until_it_is_delivered(database: Database) -> None:
    notifications = Notifications(database)
    for body in (b"{}", b"{ }"):
        await notifications.forward("ab", body)
    assert not await notifications.due("ops", 10)
    [due] = await notifications.due(FORWARD, 10)
    assert (due.record_id, due.message) == ("ab", b"{}")
    assert await notifications.claim(due, 0)
    await notifications.delivered(due)
    assert await database.database["notifications"].count_documents({}) == 0


async def test_longest_due_comes_first_and_no_more_than_asked_for(database: Database) -> None:
    notifications, step = Notifications(database), await step_of(database)
    collection = database.database["notifications"]
    await notifications.add("ops", step, b"x")
    document: dict[str, Any] = await collection.find_one() or {}
    ages = {f"rec_{hours}": document["due_at"] - timedelta(hours=hours) for hours in (1, 3, 2)}
    await collection.insert_many([{**document, "_id": name, "due_at": due_at} for name, due_at in ages.items()])
    assert [due.id for due in await notifications.due("ops", 2)] == ["rec_3", "rec_2"]
