"""What a database administrator puts into an outbox does not reach the log; in its place the log has an alarm."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pdp.approval import Approval, OutboxEntry, State
from pdp.audit import event
from pdp.audit.record import STEP_KINDS, Entry, Kind, entry
from pdp.recording.delivery import Delivery
from pdp.store.approval_document import of_posted
from pdp.store.approvals import Approvals
from pdp.store.batches import Batches
from pdp.store.database import Database
from tests.pdp.chain import recorded, writing
from tests.pdp.specimens import BOT, REQUEST, SEALER, T0, opening, sealed, verdict

Document = dict[str, Any]
PLANTED = entry(Kind.DECISION, b'{"caller":{}}', effect="ALLOW", approval_id=opening().id)


@pytest.fixture
def approvals(database: Database) -> Approvals:
    return Approvals(database, SEALER)


@pytest.fixture
async def delivery(database: Database, approvals: Approvals) -> AsyncIterator[Delivery]:
    async with writing(database) as writer:
        yield Delivery(approvals, Batches(database), writer, SEALER)


async def opened(approvals: Approvals, number: int = 1) -> Approval:
    asked = sealed(opening(id=f"apr_{number:032x}", caller=f"agent:bot-{number}"))
    made = await approvals.open(asked, "", [event.approval_created(asked, BOT, REQUEST, verdict())])
    assert made is not None
    return made


def signed_for(approval_id: str, version: int, made: Entry) -> Document:
    return of_posted(OutboxEntry(made, SEALER.outbox(approval_id, version, made)))


def of_review_or_grant(mine: Document, held: Approval) -> Document:
    """Signed by the same key, for something else."""
    return mine | {"signature": SEALER.frozen(held)}


FORGERIES: dict[str, Callable[[Document, Approval], Any]] = {
    "added without a signature": lambda _, __: of_posted(OutboxEntry(PLANTED, "")),
    "added with a signature over another record": lambda mine, _: {
        **of_posted(OutboxEntry(PLANTED, "")), "signature": mine["signature"]
    },
    "a signature of another kind": of_review_or_grant,
    "signature removed": lambda mine, _: {name: mine[name] for name in mine if name != "signature"},
    "record changed": lambda mine, _: mine | {"record": mine["record"].replace(b"rules.one", b"rules.two")},
    "payload changed": lambda mine, _: mine | {"payload": b"{}"},
    "salt changed": lambda mine, _: mine | {"salt": bytes(16)},
    "id changed": lambda mine, _: mine | {"id": PLANTED.id},
    "signed for another version": lambda mine, held: signed_for(held.id, 2, _entry(mine)),
    "signed for another approval": lambda mine, _: signed_for(f"apr_{9:032x}", 1, _entry(mine)),
    "not a document": lambda _, __: "x",
    "of other types": lambda _, __: {"id": 1, "record": "x", "salt": None, "payload": b"", "signature": []},
    "nothing": lambda _, __: {},
}  # fmt: skip


def _entry(document: Document) -> Entry:
    return Entry(**{name: document[name] for name in ("id", "record", "salt", "payload")})


async def planted(database: Database, held: Approval, outbox: list[Any]) -> None:
    await database.database["approvals"].update_one({"_id": held.id}, {"$set": {"outbox": outbox}})


async def delivered(approvals: Approvals, delivery: Delivery, held: Approval) -> None:
    """As the sweep does it."""
    for found in await approvals.undelivered(timedelta(seconds=-60), 10):
        await delivery.deliver(found.approval)
    await delivery.settled()
    left = await approvals.get(held.id)
    assert left is not None
    assert left.approval.outbox == ()


@pytest.mark.parametrize("name", FORGERIES)
async def test_planted_record_is_refused_with_an_alarm_and_removed(
    database: Database,
    approvals: Approvals,
    delivery: Delivery,
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    held = await opened(approvals)
    stored = await database.database["approvals"].find_one({"_id": held.id}) or {}
    await planted(database, held, [FORGERIES[name](stored["outbox"][0], held)])
    await delivered(approvals, delivery, held)
    assert await recorded(database) == [(Kind.ERROR, held.id)]
    assert [one.levelname for one in caplog.records if held.id in one.getMessage()] == ["ERROR"]


async def test_entries_of_two_approvals_that_were_swapped_are_refused(
    database: Database, approvals: Approvals, delivery: Delivery
) -> None:
    one, other = await opened(approvals, 1), await opened(approvals, 2)
    await planted(database, one, [of_posted(posted) for posted in other.outbox])
    await planted(database, other, [of_posted(posted) for posted in one.outbox])
    await delivered(approvals, delivery, one)
    assert sorted(await recorded(database)) == [(Kind.ERROR, one.id), (Kind.ERROR, other.id)]


async def test_entry_of_an_older_version_is_refused_later(
    database: Database, approvals: Approvals, delivery: Delivery
) -> None:
    held = await opened(approvals)
    await delivery.close(held, State.CANCELLED, "me", "")
    await delivery.settled()
    await planted(database, held, [of_posted(posted) for posted in held.outbox])
    await delivered(approvals, delivery, held)
    kinds = [kind for kind, _ in await recorded(database)]
    assert kinds == [Kind.APPROVAL_CREATED, Kind.APPROVAL_CLOSED, Kind.ERROR]


@pytest.mark.parametrize("kind", sorted(set(Kind) - {*STEP_KINDS, Kind.ERROR}))
async def test_only_kinds_that_a_step_has_are_delivered_whoever_signed_them(
    database: Database, approvals: Approvals, delivery: Delivery, kind: Kind
) -> None:
    held = await opened(approvals)
    await planted(database, held, [signed_for(held.id, held.version, entry(kind))])
    await delivered(approvals, delivery, held)
    assert [kind for kind, _ in await recorded(database)] == [Kind.ERROR]


async def test_what_a_step_made_is_delivered_beside_what_was_planted(
    database: Database, approvals: Approvals, delivery: Delivery
) -> None:
    held = await opened(approvals)
    await planted(database, held, [of_posted(OutboxEntry(PLANTED, "")), of_posted(held.outbox[0])])
    await delivered(approvals, delivery, held)
    assert [kind for kind, _ in await recorded(database)] == [Kind.ERROR, Kind.APPROVAL_CREATED]


async def test_approval_that_no_server_opened_ends_without_a_record_of_its_end(
    database: Database, approvals: Approvals, delivery: Delivery
) -> None:
    made = await approvals.open(replace(sealed(opening()), seal="x"), "")
    assert made is not None
    await database.database["approvals"].update_one({"_id": made.id}, {"$set": {"created_at": T0}})
    [found] = await approvals.overdue(10)
    await delivery.expire(found)
    assert await recorded(database) == [(Kind.ERROR, made.id)]
    assert await approvals.overdue(10) == []
