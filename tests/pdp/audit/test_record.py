"""One event as it is stored."""

import hashlib
from datetime import UTC, datetime

import orjson

from pdp.audit.record import Kind, commitment, entry


def test_record_holds_only_what_has_a_value_and_commits_to_its_payload() -> None:
    made = entry(Kind.DECISION, b'{"secret":1}', effect="DENY", rules=["b", "a"])
    members = orjson.loads(made.record)
    assert set(members) == {"id", "kind", "time", "effect", "rules", "payload_sha256"}
    assert members["payload_sha256"] == hashlib.sha256(made.salt + made.payload).hexdigest()
    assert len(made.salt) == 16
    assert abs((datetime.now(UTC) - datetime.fromisoformat(members["time"])).total_seconds()) < 60
    assert b"secret" not in made.record


def test_equal_payloads_have_different_commitments() -> None:
    one, other = entry(Kind.DECISION, b"{}"), entry(Kind.DECISION, b"{}")
    assert commitment(one.salt, one.payload) != commitment(other.salt, other.payload)
