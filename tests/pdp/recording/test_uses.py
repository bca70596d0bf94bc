"""The record of a use is found in the outbox and in the log, and nothing else passes for it."""

from dataclasses import replace
from hashlib import sha256

from pdp import identifier
from pdp.approval import Approval, OutboxEntry, State, Use
from pdp.audit.record import Entry, Kind, entry
from pdp.recording.uses import Uses
from pdp.store.batches import Batches
from pdp.store.database import Database
from tests.pdp.chain import writing
from tests.pdp.specimens import approval, records

DECISION = identifier.new("dec")
RECORD = entry(Kind.DECISION, b'{"details":{}}', record_id=identifier.record_id(DECISION), effect="ALLOW")
USE = Use(DECISION, "x", sha256(RECORD.record).hexdigest())


def used(*outbox: Entry) -> Approval:
    return approval(State.CONSUMED, used_by=USE, outbox=tuple(OutboxEntry(one, "") for one in outbox))


async def test_record_is_found_in_the_outbox_before_it_is_in_the_log(database: Database) -> None:
    uses = Uses(Batches(database))
    assert await uses.recorded(used(*records(), RECORD), USE) == RECORD
    assert await uses.recorded(used(*records()), USE) is None


async def test_record_is_found_in_the_log_and_only_whole(database: Database) -> None:
    async with writing(database) as writer:
        await writer.append([*records(), RECORD, *records()])
    uses, batches = Uses(Batches(database)), database.database["batches"]
    assert await uses.recorded(used(), USE) == RECORD
    assert await uses.recorded(used(), replace(USE, record_sha256="00")) is None
    assert await uses.of_decision(DECISION) == RECORD
    assert await uses.of_decision(identifier.new("dec")) is None
    await batches.update_one({}, {"$set": {"payloads.1.payload": b'{"details":{"obligations":[]}}'}})
    assert await uses.recorded(used(), USE) is None
    assert await uses.of_decision(DECISION) is None
