"""Verifies a log, batch by batch, and makes an anchor of what it saw.

1. It finds a batch, record or payload that was changed, removed, inserted or swapped, and a forged signature. Nothing
   erases payloads yet, so each record needs its payload and its salt.
2. It finds two records with one id, an approval that was used twice, a decision that two jobs masked or unmasked under,
   and a writer that goes on after its end; and a review that a passkey should have signed, and did not.
3. Against an anchor of an earlier verification it finds a lost tail and a lost writer, unless a person accepted that.
4. It cannot find a tail that was dropped after the newest anchor, because nothing in the log shows that it existed.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pdp.audit import claims, gap
from pdp.audit.batch import FIRST_PREV, HASH_BYTES, WRITER_BYTES, head, is_signed
from pdp.audit.claims import Claims, ClaimsInMemory, Fault, Reviews, Where
from pdp.audit.gap import Gap
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
class Chain:
    """How far a writer's chain was read. Its last batch `is_due` again where reading goes on behind it."""

    number: int
    seq: int = -1
    head: bytes = FIRST_PREV
    is_closed: bool = False
    is_due: bool = False


@dataclass(slots=True)
class Verifier:
    """Verifies a log: `add` every batch, each writer's in order, then `finish`.

    Writers may come one after the other or mixed. Raises `Tampered` at the first fault. `claims` holds what only the
    whole log shows; by default in memory.
    """

    realm: str
    key: Ed25519PublicKey
    kid: str
    since: Anchor | None = None
    newest: Anchor | None = None
    claims: Claims = field(default_factory=ClaimsInMemory)
    records: int = 0
    reviews: Reviews = field(default_factory=Reviews)
    gaps: dict[str, Gap] = field(default_factory=dict)
    chains: dict[str, Chain] = field(default_factory=dict)
    _forks: list[tuple[str, Seen]] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        """Check one batch and its records against the batches before it."""
        name = batch.writer.hex()
        chain = self.chains.setdefault(name, Chain(len(self.chains)))
        place = f"writer {name} batch {batch.seq}"
        is_again = chain.is_due
        self._follows(batch, chain, place)
        leaves = _leaves(batch, place)
        if head(batch.prev, batch.writer, batch.seq, leaves) != batch.head:
            raise Tampered("head", place, f"its content is not what was signed; it holds {_named(batch)}")
        self._signed(batch, place)
        for index, record in enumerate(batch.records):
            self._record(record, leaves[index], batch, index, chain)
        chain.seq, chain.head = batch.seq, batch.head
        self.records += 0 if is_again else len(batch.records)
        self.hold_against_anchors(batch)

    def begin_behind(self, batch: Batch) -> None:
        """Go on behind a batch, of which only the signed head counts."""
        self._signed(batch, f"writer {batch.writer.hex()} batch {batch.seq}")
        self.chains[batch.writer.hex()] = Chain(0, batch.seq, batch.head)

    def go_on(self) -> None:
        """Reading begins again: each writer's last batch comes once more, and must be the one that was read."""
        for chain in self.chains.values():
            chain.is_due = True

    def seen_before(self) -> list[tuple[str, Seen]]:
        """What anchors have seen of writers that were read beyond it, and will not pass again."""
        found = ((name, seen) for anchor in self._anchors for name, seen in anchor.writers.items())
        return [(name, seen) for name, seen in found if name in self.chains and seen.seq < self.chains[name].seq]

    def hold_against_anchors(self, batch: Batch) -> None:
        """Whether an anchor has seen another batch in its place; `finish` says so, unless a person accepted that."""
        name = batch.writer.hex()
        for anchor in self._anchors:
            seen = anchor.writers.get(name)
            if seen is not None and seen.seq == batch.seq and seen.head != batch.head.hex():
                self._forks.append((name, seen))

    def finish(self) -> Anchor:
        """The anchor of what was seen. Raises `Tampered` for what the whole log contradicts, or an older anchor."""
        self.reviews.checked = self.reviews.not_checkable = 0
        for fault in claims.faults(self.claims, self.realm, self.reviews):
            raise Tampered(fault.kind, self._place(fault), fault.what)
        for name, chain in self.chains.items():
            if chain.is_due:
                place = f"writer {name} batch {chain.seq}"
                raise Tampered("tail-missing", place, "gone; it was read before")
        self._require_seen()
        writers = {name: Seen(chain.seq, chain.head.hex()) for name, chain in self.chains.items()}
        return Anchor(self.realm, self.kid, writers)

    @property
    def _anchors(self) -> list[Anchor]:
        return [anchor for anchor in (self.since, self.newest) if anchor is not None]

    def _follows(self, batch: Batch, chain: Chain, place: str) -> None:
        if len(batch.writer) != WRITER_BYTES:
            raise Tampered("writer", place, f"a writer's id has {WRITER_BYTES} bytes")
        if chain.is_due:
            self._is_the_last(batch, chain, place)
            chain.is_due = chain.is_closed = False
            return
        if chain.is_closed:
            raise Tampered("after-end", place, "the writer was closed before it")
        if batch.seq != chain.seq + 1:
            missing = f"writer {batch.writer.hex()} batch {chain.seq + 1}"
            raise Tampered("gap", missing, f"gone or out of order; batch {batch.seq} stands in its place")
        if batch.prev != chain.head:
            raise Tampered("chain", place, "does not follow from the batch before it")

    def _is_the_last(self, batch: Batch, chain: Chain, place: str) -> None:
        if batch.seq != chain.seq:
            missing = f"writer {batch.writer.hex()} batch {chain.seq}"
            raise Tampered("gap", missing, f"gone, and it was read before; batch {batch.seq} stands in its place")
        if batch.head != chain.head:
            raise Tampered("changed", place, "another batch stands here than the one that was read before")

    def _signed(self, batch: Batch, place: str) -> None:
        if not is_signed(self.key, self.realm, batch.head, batch.signature):
            raise Tampered("signature", place, f"not signed by the audit key {self.kid}")

    def _record(self, record: bytes, leaf: bytes, batch: Batch, index: int, chain: Chain) -> None:
        place = f"writer {batch.writer.hex()} batch {batch.seq} record {index}"
        members = _members(record, place)
        place += f" ({members['id']})"
        payload = batch.payloads[index]
        if not payload.salt or not payload.payload:
            raise Tampered("payload-missing", place, "its payload or salt is gone; no command of Placet removes one")
        if commitment(payload.salt, payload.payload) != members["payload_sha256"]:
            raise Tampered("payload", place, "its payload is not what was recorded")
        where = Where(self.records + index, chain.number, batch.seq, index)
        try:
            for claim in claims.of_record(members, record, payload.payload, leaf, where):
                self.claims.add(claim)
            if members["kind"] == Kind.GAP_ACCEPTED:
                self.gaps[str(members["id"])] = gap.read(members, payload.payload)
        except ValueError as error:
            raise Tampered("record", place, str(error)) from None
        chain.is_closed |= members["kind"] == Kind.WRITER_CLOSED and index == len(batch.records) - 1

    def _place(self, fault: Fault) -> str:
        _, number, seq, index = fault.where
        [writer] = [name for name, chain in self.chains.items() if chain.number == number]
        return f"writer {writer} batch {seq} record {index} ({fault.record_id})"

    def _require_seen(self) -> None:
        """Raise `Tampered` where an anchor, or an accepted gap, saw what is not there and no accepted gap excuses."""
        for name, seen in self._forks:
            if not self._is_excused(name, seen):
                raise Tampered("forked", f"writer {name} batch {seen.seq}", "an anchor has seen another batch here")
        for anchor in self._anchors:
            self._require(anchor.writers, "an anchor")
        for accepted in self.gaps.values():
            found = {name: Seen(*seen) for name, seen in accepted.new.items()}
            self._require(found, "who accepted a gap")

    def _require(self, writers: Mapping[str, Seen], who: str) -> None:
        for name, seen in writers.items():
            chain = self.chains.get(name)
            if (chain is not None and chain.seq >= seen.seq) or self._is_excused(name, seen):
                continue
            if chain is None:
                raise Tampered("writer-missing", f"writer {name}", f"gone; {who} has seen {seen.seq + 1} batches of it")
            place = f"writer {name} batch {chain.seq + 1}"
            raise Tampered("tail-missing", place, f"gone; {who} has seen batches up to {seen.seq}")

    def _is_excused(self, name: str, seen: Seen) -> bool:
        return any(accepted.excuses(name, seen.seq, seen.head) for accepted in self.gaps.values())


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


def _named(batch: Batch) -> str:
    return ", ".join(_name(record) for record in batch.records)


def _name(record: bytes) -> str:
    """The id that a record seems to have; the record may be damaged."""
    at = record.find(b'"id":"')
    text = record[at + 6 : at + 42] if at >= 0 else hashlib.sha256(record).hexdigest()[:16].encode()
    return text.decode("ascii", "replace").split('"')[0]
