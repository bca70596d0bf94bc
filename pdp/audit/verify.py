"""Verifies a log, batch by batch, and makes an anchor of what it saw.

1. It finds a batch, record or payload that was changed, removed, inserted or swapped, and a forged signature. Nothing
   erases payloads yet, so each record needs its payload and its salt.
2. It finds two records with one id, an approval that was used twice, a decision that two jobs masked or unmasked under,
   and a writer that goes on after its end; and a review that a passkey should have signed, and did not.
3. Against an anchor of an earlier verification it finds a lost tail and a lost writer.
4. It cannot find a tail that was dropped after the newest anchor, because nothing in the log shows that it existed.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pdp.audit.batch import FIRST_PREV, HASH_BYTES, WRITER_BYTES, head, is_signed
from pdp.audit.mask_use import MaskUses
from pdp.audit.passkey_reviews import PasskeyReviews
from pdp.audit.record import Kind, commitment
from pdp.merkle import leaf
from pdp.v1.audit_pb2 import Batch


class Tampered(Exception):
    """The log is not intact. `kind` is a stable word for the fault, `place` says where it is."""

    def __init__(self, kind: str, place: str, what: str) -> None:
        super().__init__(f"{kind} at {place}: {what}")
        self.kind = kind
        self.place = place


@dataclass(frozen=True, slots=True)
class Seen:
    """The last batch of a writer that a verification saw."""

    seq: int
    head: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a verification saw: for every writer its last seq and head. Keep it away from the log."""

    realm: str
    key: str
    writers: Mapping[str, Seen]

    def to_json(self) -> bytes:
        """The anchor as one JSON document."""
        writers = {writer: {"seq": seen.seq, "head": seen.head} for writer, seen in self.writers.items()}
        document = {"format": "placet/anchor/v1", "realm": self.realm, "key": self.key, "writers": writers}
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)

    @classmethod
    def from_json(cls, text: bytes) -> "Anchor":
        """The inverse of `to_json`. Raises `ValueError` for anything else."""
        document = orjson.loads(text)
        if not isinstance(document, dict) or document.get("format") != "placet/anchor/v1":
            raise ValueError("not an anchor")
        try:
            seen = {name: Seen(int(last["seq"]), str(last["head"])) for name, last in document["writers"].items()}
            return cls(document["realm"], document["key"], seen)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError("not an anchor") from error


@dataclass(slots=True)
class _Writer:
    seq: int = -1
    head: bytes = FIRST_PREV
    closed: bool = False


@dataclass(slots=True)
class Verifier:
    """Verifies a log: `add` every batch, one writer after the other and in order, then `finish`.

    Raises `Tampered` at the first fault.
    """

    realm: str
    key: Ed25519PublicKey
    kid: str
    since: Anchor | None = None
    records: int = 0
    _writers: dict[str, _Writer] = field(default_factory=dict)
    _leaf_by_id: dict[str, bytes] = field(default_factory=dict)
    _consumed: dict[str, str] = field(default_factory=dict)
    _masked: MaskUses = field(default_factory=MaskUses)
    passkeys: PasskeyReviews = field(init=False)

    def __post_init__(self) -> None:
        """The reviews that passkeys signed are of this realm."""
        self.passkeys = PasskeyReviews(self.realm)

    def add(self, batch: Batch) -> None:
        """Check one batch and its records against the batches before it."""
        writer = self._writers.setdefault(batch.writer.hex(), _Writer())
        place = f"writer {batch.writer.hex()} batch {batch.seq}"
        self._chained(batch, writer, place)
        leaves = _leaves(batch, place)
        if head(batch.prev, batch.writer, batch.seq, leaves) != batch.head:
            raise Tampered("head", place, f"its content is not what was signed; it holds {_named(batch)}")
        self._signed(batch, place)
        for index, record in enumerate(batch.records):
            self._record(record, leaves[index], batch, index, writer)
        writer.seq, writer.head = batch.seq, batch.head
        self._against_anchor(batch, place)

    def begin_behind(self, batch: Batch) -> None:
        """Go on behind a batch, of which only the signed head counts."""
        self._signed(batch, f"writer {batch.writer.hex()} batch {batch.seq}")
        self._writers[batch.writer.hex()] = _Writer(batch.seq, batch.head)

    def finish(self) -> Anchor:
        """The anchor of what was seen. Raises `Tampered` if the older anchor saw more."""
        for record_id, fault in self._masked.faults():
            raise Tampered("chunk-order", record_id, fault)
        for record_id, fault in self.passkeys.faults():
            raise Tampered("passkey", record_id, fault)
        for name, seen in (self.since.writers if self.since else {}).items():
            writer = self._writers.get(name)
            if writer is None:
                raise Tampered(
                    "writer-missing", f"writer {name}", f"gone; an anchor has seen {seen.seq + 1} batches of it"
                )
            if writer.seq < seen.seq:
                place = f"writer {name} batch {writer.seq + 1}"
                raise Tampered("tail-missing", place, f"gone; an anchor has seen batches up to {seen.seq}")
        writers = {name: Seen(writer.seq, writer.head.hex()) for name, writer in self._writers.items()}
        return Anchor(self.realm, self.kid, writers)

    def _chained(self, batch: Batch, writer: _Writer, place: str) -> None:
        if len(batch.writer) != WRITER_BYTES:
            raise Tampered("writer", place, f"a writer's id has {WRITER_BYTES} bytes")
        if writer.closed:
            raise Tampered("after-end", place, "the writer was closed before it")
        if batch.seq != writer.seq + 1:
            missing = f"writer {batch.writer.hex()} batch {writer.seq + 1}"
            raise Tampered("gap", missing, f"gone or out of order; batch {batch.seq} stands in its place")
        if batch.prev != writer.head:
            raise Tampered("chain", place, "does not follow from the batch before it")

    def _signed(self, batch: Batch, place: str) -> None:
        if not is_signed(self.key, self.realm, batch.head, batch.signature):
            raise Tampered("signature", place, f"not signed by the audit key {self.kid}")

    def _record(self, record: bytes, leaf: bytes, batch: Batch, index: int, writer: _Writer) -> None:
        place = f"writer {batch.writer.hex()} batch {batch.seq} record {index}"
        members = _members(record, place)
        place += f" ({members['id']})"
        payload = batch.payloads[index]
        if not payload.salt or not payload.payload:
            raise Tampered("payload-missing", place, "its payload or salt is gone; no command of Placet removes one")
        if commitment(payload.salt, payload.payload) != members["payload_sha256"]:
            raise Tampered("payload", place, "its payload is not what was recorded")
        if self._leaf_by_id.setdefault(members["id"], leaf) != leaf:
            raise Tampered("duplicate-id", place, "another record has this id")
        if members["kind"] == Kind.APPROVAL_CONSUMED:
            if not members.get("approval_id"):
                raise Tampered("record", place, "it records a use but names no approval")
            first = self._consumed.setdefault(members["approval_id"], members["id"])
            if first != members["id"]:
                raise Tampered("used-twice", place, f"{members['approval_id']} was used before, by {first}")
        if members["kind"] in {Kind.MASK, Kind.UNMASK}:
            self._masked_once(members["id"], payload.payload, place)
        self.passkeys.add(members, payload.payload)
        writer.closed |= members["kind"] == Kind.WRITER_CLOSED and index == len(batch.records) - 1
        self.records += 1

    def _masked_once(self, record_id: str, payload: bytes, place: str) -> None:
        details = _details(payload, place)
        if first := self._masked.add(record_id, details):
            decision_id = details["decision_id"]
            raise Tampered("masked-twice", place, f"another job used {decision_id} before, as {first} says")

    def _against_anchor(self, batch: Batch, place: str) -> None:
        seen = self.since.writers.get(batch.writer.hex()) if self.since else None
        if seen is not None and seen.seq == batch.seq and seen.head != batch.head.hex():
            raise Tampered("forked", place, "an anchor has seen another batch here")


def _leaves(batch: Batch, place: str) -> Sequence[bytes]:
    """The leaf hashes of a batch. If a stored one differs, raises `Tampered` that names the changed record."""
    if len(batch.payloads) < len(batch.records):
        what = f"{len(batch.records)} records have {len(batch.payloads)} payloads; it holds {_named(batch)}"
        raise Tampered("payload-missing", place, what)
    if len(batch.payloads) > len(batch.records):
        raise Tampered("payload", place, "does not have one payload for each record")
    leaves = [leaf(record) for record in batch.records]
    size = HASH_BYTES
    stored = [batch.leaves[at : at + size] for at in range(0, len(batch.leaves), size)]
    stored_fits = head(batch.prev, batch.writer, batch.seq, stored) == batch.head
    for index, (kept, expected) in enumerate(zip(leaves, stored, strict=False)):
        if stored_fits and kept != expected:
            name = _name(batch.records[index])
            raise Tampered("record", f"{place} record {index} ({name})", "it was changed after it was signed")
    if stored != leaves:
        raise Tampered("leaves", place, f"the leaf hashes are not those of its records; it holds {_named(batch)}")
    return leaves


def _members(record: bytes, place: str) -> dict[str, Any]:
    try:
        members = orjson.loads(record)
        _ = members["id"], members["kind"], members["payload_sha256"]
    except (ValueError, KeyError, TypeError):
        raise Tampered("record", place, "not a record") from None
    return dict(members)


def _details(payload: bytes, place: str) -> dict[str, Any]:
    try:
        details = orjson.loads(payload)["details"]
        _ = details["decision_id"]
    except (ValueError, KeyError, TypeError):
        raise Tampered("record", place, "it records masking but names no decision") from None
    return dict(details)


def _named(batch: Batch) -> str:
    return ", ".join(_name(record) for record in batch.records)


def _name(record: bytes) -> str:
    """The id that a record seems to have; the record may be damaged."""
    at = record.find(b'"id":"')
    text = record[at + 6 : at + 42] if at >= 0 else hashlib.sha256(record).hexdigest()[:16].encode()
    return text.decode("ascii", "replace").split('"')[0]
