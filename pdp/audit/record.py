"""A record: one event of the log, as UTF-8 JSON that is hashed as it is stored and never serialised again.

1. Names, resources, free text and the request digest go into the payload, which is stored beside the record.
2. The record holds SHA-256(salt || payload). So erasing the payload leaves the chain and the proofs intact.
3. A guess about an erased payload cannot be checked without the salt, which is erased with it.
"""

import hashlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum

import orjson

from pdp import identifier
from pdp.frozen import frozen

SALT_BYTES = 16
"""Random bytes of a salt: 128 bits, too many to guess."""


class Kind(StrEnum):
    """The kind of event that a record is about."""

    DECISION = "decision"
    ERROR = "error"
    APPROVAL_CREATED = "approval.created"
    APPROVAL_REVIEWED = "approval.reviewed"
    APPROVAL_CONSUMED = "approval.consumed"
    APPROVAL_CLOSED = "approval.closed"
    APPROVAL_REMINDED = "approval.reminded"
    DENIAL_TAKEN_BACK = "approval.denial_taken_back"
    OUTCOME = "outcome"
    SEARCH = "search"
    LINEAGE = "lineage"
    MASK = "mask"
    UNMASK = "unmask"
    POLICY_LOADED = "policy.loaded"
    SERVER_STARTED = "server.started"
    SERVER_STOPPED = "server.stopped"
    WRITER_CLOSED = "writer.closed"
    EXPORT = "export"
    SESSION_STARTED = "session.started"
    SESSION_ENDED = "session.ended"
    PASSKEY_ADDED = "passkey.added"
    PASSKEY_REMOVED = "passkey.removed"
    IDENTITY_LINKED = "identity.linked"
    IDENTITY_UNLINKED = "identity.unlinked"
    PREFERENCE_CHANGED = "preference.changed"
    CHANNEL_REFUSED = "channel.refused"
    CALLS_REFUSED = "calls.refused"
    GAP_ACCEPTED = "gap.accepted"


STEP_KINDS = (
    Kind.DECISION,
    Kind.APPROVAL_CREATED,
    Kind.APPROVAL_REVIEWED,
    Kind.APPROVAL_CONSUMED,
    Kind.APPROVAL_CLOSED,
    Kind.DENIAL_TAKEN_BACK,
    Kind.OUTCOME,
)
"""The kinds of records that a step of an approval can have."""


@frozen
class Entry:
    """A record with its payload, ready for the log.

    Older versions may have written it twice; then both copies have equal bytes.
    """

    id: str
    record: bytes
    salt: bytes
    payload: bytes

    @property
    def size(self) -> int:
        """The number of bytes of record and payload."""
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
    withheld: bool = False,
) -> Entry:
    """A new record with the present time. `payload` is UTF-8 JSON; members without a value are left out."""
    salt = os.urandom(SALT_BYTES)
    name = record_id or identifier.new("rec")
    members = {
        "id": name,
        "kind": kind,
        "time": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "effect": effect,
        "withheld": withheld,
        "rules": rules,
        "policy_revision": policy_revision,
        "approval_id": approval_id,
        "error": error,
        "payload_sha256": commitment(salt, payload),
    }
    present = {name: value for name, value in members.items() if value}
    return Entry(name, orjson.dumps(present), salt, payload)


def commitment(salt: bytes, payload: bytes) -> str:
    """The commitment to a payload that the record holds: SHA-256(salt || payload) in hex."""
    return hashlib.sha256(salt + payload).hexdigest()
