"""What must be unique or in order across the whole log, as byte strings that are sorted and checked group by group.

Each record claims its id and, by its kind, the use of an approval or a decision, or what a passkey signed. A claim
begins with its key, so equal keys stand together once they are sorted, whichever writer and reading they came from, and
the check holds one group at a time in memory. Claims of one key stand in the order in which they were read.
"""

import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

import orjson

from pdp import identifier
from pdp.audit.mask_use import ClaimUses, DecisionUse
from pdp.audit.passkey_reviews import PasskeyReviews, key_of, nonce_in, wants_passkey
from pdp.audit.record import Kind

ID, USE, DECISION, MASK_CLAIM, APPROVAL, PASSKEY, NONCE = (bytes([letter]) for letter in b"iudcakn")
"""What a claim is about; its first byte."""
_FORM = struct.Struct(">c16sQIQH")
"""Kind and key; when it was read; number of the writer; batch; record."""
_KEY = itemgetter(slice(0, 17))
_OF_MASKING = ("decision_id", "use", "stream", "after", "phase", "to_chunk")
"""What the checks of masking read."""
_PASSKEY_KINDS = {Kind.PASSKEY_ADDED, Kind.PASSKEY_REMOVED, Kind.APPROVAL_CREATED, Kind.APPROVAL_REVIEWED}


class Where(NamedTuple):
    """The place of a record, and its number in the order of reading. `writer` numbers the writers."""

    order: int
    writer: int
    seq: int
    place: int


class Claims(Protocol):
    """Takes claims, and gives all of them back in sorted order."""

    def add(self, claim: bytes) -> None:
        """Take a claim."""

    def __iter__(self) -> Iterator[bytes]:
        """All claims, sorted."""


class ClaimsInMemory:
    """The claims of a log that is small."""

    def __init__(self) -> None:
        self._taken: list[bytes] = []

    def add(self, claim: bytes) -> None:
        """Take a claim."""
        self._taken.append(claim)

    def __iter__(self) -> Iterator[bytes]:
        """All claims, sorted."""
        return iter(sorted(self._taken))


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong: a stable word, the place of the later record, and what it contradicts."""

    kind: str
    where: Where
    record_id: str
    what: str


@dataclass(slots=True)
class Reviews:
    """How many reviews had a passkey's signature that was checked, or that could not be."""

    checked: int = 0
    not_checkable: int = 0


def of_record(members: Mapping[str, Any], record: bytes, payload: bytes, leaf: bytes, where: Where) -> Iterator[bytes]:
    """The claims of a record. Raises `ValueError` for one of masking that names no decision, or a use of nothing."""
    record_id, kind = str(members["id"]), members["kind"]
    yield _claim(ID, record_id, where, leaf)
    if kind == Kind.APPROVAL_CONSUMED:
        if not members.get("approval_id"):
            raise ValueError("it records a use but names no approval")
        yield _claim(USE, str(members["approval_id"]), where, record_id.encode())
    elif kind in {Kind.MASK, Kind.UNMASK}:
        yield from _of_masking(record_id, _details(payload), where)
    elif kind in _PASSKEY_KINDS:
        yield from _of_passkey(members, record, payload, where)


def faults(claims: Iterable[bytes], realm: str, reviews: Reviews) -> Iterator[Fault]:
    """What sorted claims contradict. `reviews` is counted up."""
    of_reviews = _Passkeys(realm, reviews)
    checks: Mapping[bytes, Callable[[Sequence[bytes]], Iterator[Fault]]] = {
        ID: _ids,
        USE: _uses,
        DECISION: _decisions,
        MASK_CLAIM: _mask_claims,
        APPROVAL: of_reviews.faults,
        PASSKEY: of_reviews.faults,
        NONCE: _nonces,
    }
    for key, group in groupby(claims, _KEY):
        same = list(group)
        if len(same) > 1 or key[:1] != ID:
            yield from checks[key[:1]](same)


def _claim(kind: bytes, key: str, where: Where, data: bytes) -> bytes:
    return _FORM.pack(kind, _key(key), *where) + data


def _key(text: str) -> bytes:
    """The UUID in an id, and of every other text a hash."""
    return identifier.uuid_bytes(text) or hashlib.blake2b(text.encode(errors="replace"), digest_size=16).digest()


def _read(claim: bytes) -> tuple[Where, bytes]:
    _, _, *where = _FORM.unpack_from(claim)
    return Where(*where), claim[_FORM.size :]


def _ids(same: Sequence[bytes]) -> Iterator[Fault]:
    (_, first), *others = map(_read, same)
    for where, leaf in others:
        if leaf != first:
            yield Fault("duplicate-id", where, f"rec_{same[0][1:17].hex()}", "another record has this id")


def _uses(same: Sequence[bytes]) -> Iterator[Fault]:
    (_, first), *others = map(_read, same)
    for where, record_id in others:
        if record_id != first:
            what = f"apr_{same[0][1:17].hex()} was used before, by {first.decode()}"
            yield Fault("used-twice", where, record_id.decode(), what)


def _nonces(same: Sequence[bytes]) -> Iterator[Fault]:
    (_, first), *others = map(_read, same)
    for where, record_id in others:
        if record_id != first:
            yield Fault("passkey", where, record_id.decode(), f"its passkey signed {first.decode()}, not it")


def _of_masking(record_id: str, details: Mapping[str, Any], where: Where) -> Iterator[bytes]:
    data = orjson.dumps([record_id, {name: details[name] for name in _OF_MASKING if name in details}])
    yield _claim(DECISION, str(details["decision_id"]), where, data)
    if details.get("use"):
        yield _claim(MASK_CLAIM, str(details["use"]), where, data)


def _details(payload: bytes) -> Mapping[str, Any]:
    try:
        details = orjson.loads(payload)["details"]
        _ = details["decision_id"]
    except (ValueError, KeyError, TypeError):
        raise ValueError("it records masking but names no decision") from None
    return dict(details)


def _decisions(same: Sequence[bytes]) -> Iterator[Fault]:
    uses = DecisionUse()
    for where, data in map(_read, same):
        record_id, details = orjson.loads(data)
        if first := uses.add(record_id, details):
            what = f"another job used {details['decision_id']} before, as {first} says"
            yield Fault("masked-twice", where, record_id, what)


def _mask_claims(same: Sequence[bytes]) -> Iterator[Fault]:
    uses, places = ClaimUses(), dict[str, Where]()
    for where, data in map(_read, same):
        record_id, details = orjson.loads(data)
        places.setdefault(record_id, where)
        uses.add(record_id, details)
    for kind, record_id, what in uses.faults():
        yield Fault(kind, places[record_id], record_id, what)


def _of_passkey(members: Mapping[str, Any], record: bytes, payload: bytes, where: Where) -> Iterator[bytes]:
    data = len(record).to_bytes(4, "big") + record + payload
    approval_id, held = str(members.get("approval_id", "")), _object(payload)
    if members["kind"] == Kind.APPROVAL_CREATED:
        if wants_passkey(held):
            yield _claim(APPROVAL, approval_id, where, data)
    elif whose := key_of(members["kind"], held):
        yield _claim(PASSKEY, whose, where, data)
        if members["kind"] == Kind.APPROVAL_REVIEWED:
            yield _claim(NONCE, nonce_in(held), where, str(members["id"]).encode())
    else:
        yield _claim(APPROVAL, approval_id, where, data)


class _Passkeys:
    def __init__(self, realm: str, counted: Reviews) -> None:
        self._realm, self._counted = realm, counted

    def faults(self, same: Sequence[bytes]) -> Iterator[Fault]:
        found, places = PasskeyReviews(self._realm), dict[str, Where]()
        for where, data in map(_read, same):
            size = int.from_bytes(data[:4], "big")
            record = orjson.loads(data[4 : 4 + size])
            places.setdefault(str(record["id"]), where)
            found.add(record, data[4 + size :])
        for named, what in found.faults():
            yield Fault("passkey", places[named.partition(" ")[0]], named, what)
        self._counted.checked += found.checked
        self._counted.not_checkable += found.not_checkable


def _object(payload: bytes) -> Mapping[str, Any]:
    try:
        held = orjson.loads(payload)
    except ValueError:
        return {}
    return held if isinstance(held, dict) else {}
