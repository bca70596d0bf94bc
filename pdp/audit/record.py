"""One event of the log: UTF-8 JSON, hashed as stored and never re-serialised.

Names, resources, free text and the request digest go into the payload, which lies beside the record under
SHA-256(salt || payload): erasing it leaves chain and proofs whole, and a guess cannot be checked without the salt.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import orjson

from pdp import identifier

SALT_BYTES = 16


class Kind(StrEnum):
    """What happened."""

    DECISION = "decision"
    ERROR = "error"
    APPROVAL_CREATED = "approval.created"
    APPROVAL_REVIEWED = "approval.reviewed"
    APPROVAL_CONSUMED = "approval.consumed"
    APPROVAL_CLOSED = "approval.closed"
    OUTCOME = "outcome"
    MASK = "mask"
    UNMASK = "unmask"
    POLICY_LOADED = "policy.loaded"
    SERVER_STARTED = "server.started"
    SERVER_STOPPED = "server.stopped"
    WRITER_CLOSED = "writer.closed"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Entry:
    """A record with its payload, ready for the log. Equal ids have equal bytes, however often they are written."""

    id: str
    record: bytes
    salt: bytes
    payload: bytes

    @property
    def size(self) -> int:
        """Bytes of record and payload."""
        return len(self.record) + len(self.payload)


def entry(
    kind: Kind,
    payload: bytes = b"{}",
    *,
    record_id: str = "",
    effect: str = "",
    rules: Sequence[str] = (),
    policy_revision: str = "",
    approval_id: str = "",
    error: str = "",
) -> Entry:
    """A new record of now. `payload` is UTF-8 JSON; members without a value are left out."""
    salt = os.urandom(SALT_BYTES)
    name = record_id or identifier.new("rec")
    members = {
        "id": name,
        "kind": kind,
        "time": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "effect": effect,
        "rules": rules,
        "policy_revision": policy_revision,
        "approval_id": approval_id,
        "error": error,
        "payload_sha256": commitment(salt, payload),
    }
    present = {name: value for name, value in members.items() if value}
    return Entry(name, orjson.dumps(present), salt, payload)


def commitment(salt: bytes, payload: bytes) -> str:
    """What the record says of its payload: SHA-256(salt || payload) in hex."""
    return hashlib.sha256(salt + payload).hexdigest()
