"""A stored record read back: what its caller and its auditor get is what was decided."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pdp.audit import event
from pdp.audit.batch import FIRST_PREV
from pdp.audit.record import Entry, Kind, entry
from pdp.decision import Effect, Obligation, Reason
from pdp.service import message
from pdp.service.record import StoredRecord, stored_record, summary
from pdp.v1.audit_pb2 import Batch
from pdp.v1.request_pb2 import Effect as WireEffect
from pdp.workflow.answer import Answer, Ask, Decided, decision_record
from pdp.workflow.lineage_views import OFF
from tests.parts import asking
from tests.pdp.scribe import Scribe
from tests.pdp.specimens import BOT, REQUEST, approval, verdict

KEY = Ed25519PrivateKey.generate()
DECISION_ID = f"dec_{7:032x}"
FIRED = {"deny": (), "allow": (Reason("rules.one", "because"),), "needs_approval": (), "obligation": ()}
SAID = {
    "allow": verdict(),
    "deny": verdict(Effect.DENY, "rules.no"),
    "needs approval": verdict(Effect.NEEDS_APPROVAL),
    "obligation": verdict(obligations=(Obligation("duty", "tell", "log", {"level": 3.0, "to": ["a"]}),)),
    "explained": verdict(fired=FIRED),
}


def written(*entries: Entry) -> Batch:
    return Scribe(KEY).batch(entries, b"w" * 16, 4, FIRST_PREV)


def stored(made: Entry) -> StoredRecord:
    found = stored_record(written(entry(Kind.EXPORT), made), made.id)
    assert found is not None
    return found


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("name", SAID)
def test_decision_is_read_back_as_it_was_answered(name: str, *, dry_run: bool) -> None:
    alice = {"type": "user", "id": "alice", "properties": {}}
    ask = Ask(asking(onBehalfOf=[alice], dryRun=dry_run), BOT, REQUEST, 0, lineage=OFF)
    made = decision_record(ask, SAID[name], DECISION_ID, "")
    answered = message.decision(Decided(ask, Answer(SAID[name], DECISION_ID, (made,))))
    found = stored(made).decision()
    assert found.decision == answered
    assert found.request.resource.id == "customers"
    assert found.record_id == made.id


def test_decision_about_an_approval_names_it() -> None:
    made = event.decision(DECISION_ID, BOT, REQUEST, verdict(), approval_id=approval().id)
    assert stored(made).decision().decision.approval.approval_id == approval().id


def test_auditor_gets_the_bytes_as_stored_and_the_place() -> None:
    made = event.decision(DECISION_ID, BOT, REQUEST, verdict())
    full = stored(made).full()
    assert (full.record, full.payload, full.salt) == (made.record, made.payload, made.salt)
    assert (full.writer, full.seq, full.index) == (b"w" * 16, 4, 1)
    assert full.summary == stored(made).full().summary


def test_record_that_the_batch_does_not_hold_is_none() -> None:
    assert stored_record(written(entry(Kind.EXPORT)), f"rec_{1:032x}") is None


def test_erased_payload_leaves_a_record_without_a_caller() -> None:
    made = event.decision(DECISION_ID, BOT, REQUEST, verdict())
    batch = written(made)
    batch.payloads[0].payload = batch.payloads[0].salt = b""
    found = stored_record(batch, made.id)
    assert found is not None
    assert not found.caller
    assert stored(made).caller == "agent:bot"
    assert found.full().summary.effect == WireEffect.EFFECT_ALLOW


@pytest.mark.parametrize(
    ("members", "wanted"),
    [
        ({}, {"effect": WireEffect.EFFECT_UNSPECIFIED, "rules": [], "approval_id": ""}),
        ({"effect": "DENY", "rules": ["a", "b"]}, {"effect": WireEffect.EFFECT_DENY, "rules": ["a", "b"]}),
        ({"approval_id": "apr_1", "policy_revision": "r1"}, {"approval_id": "apr_1", "policy_revision": "r1"}),
    ],
)
def test_summary_has_what_the_signed_part_says(members: dict[str, Any], wanted: dict[str, Any]) -> None:
    found = summary({"id": "rec_1", "kind": "decision", "time": "2026-01-01T00:00:00.000001Z", **members})
    assert {name: getattr(found, name) for name in wanted} == wanted
    assert (found.record_id, found.kind, found.recorded_at.nanos) == ("rec_1", "decision", 1000)
