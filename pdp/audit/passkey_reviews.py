"""Checks from the log alone what passkeys signed of reviews, with the public keys that the log says people added.

1. A review that names a passkey is forged unless the key that its reviewer had then signed exactly this verdict: for
   the pages that the key is for, with its user verified, and with a nonce that no other review has.
2. An approval that counts in a requirement that wants a passkey is forged without one.
3. Where the payload of a review, or of a key, was erased, its review is not checkable. It is never called forged.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pdp.assertion import MEMBERS, challenge, decoded, encoded, nonce_of, reason_hash
from pdp.audit.record import Kind

_PRESENT_AND_VERIFIED = 0x05
"""The flags UP and UV of the authenticator's data (WebAuthn, section 6.1)."""
_RP_ID_HASH_BYTES = 32
_KINDS = {Kind.PASSKEY_ADDED, Kind.PASSKEY_REMOVED, Kind.APPROVAL_CREATED, Kind.APPROVAL_REVIEWED}
_BROKEN = (ValueError, TypeError, LookupError, AttributeError)


@dataclass(frozen=True, slots=True)
class _Review:
    record_id: str
    approval_id: str
    rules: tuple[str, ...]
    payload: Mapping[str, Any]


@dataclass(slots=True)
class PasskeyReviews:
    """Collects what a log says of passkeys. `faults` checks it when all is read: writers come one after the other."""

    realm: str
    checked: int = 0
    not_checkable: int = 0
    _added: dict[tuple[str, str], list[Mapping[str, Any]]] = field(default_factory=dict)
    _removed: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _wanting: dict[str, frozenset[str]] = field(default_factory=dict)
    _reviews: dict[str, _Review] = field(default_factory=dict)
    _is_key_erased: bool = False

    def add(self, record: Mapping[str, Any], payload: bytes) -> None:
        """Take a record in. An erased payload is empty."""
        if record.get("kind") not in _KINDS:
            return
        held = _object(payload)
        if not held:
            self._erased(record)
        elif record["kind"] == Kind.APPROVAL_REVIEWED:
            rules = tuple(record.get("rules", ()))
            self._reviews[record["id"]] = _Review(record["id"], record.get("approval_id", ""), rules, _kept(held))
        elif record["kind"] == Kind.APPROVAL_CREATED:
            if wanting := _wanting(held):
                self._wanting[record.get("approval_id", "")] = wanting
        elif record["kind"] == Kind.PASSKEY_ADDED:
            self._added.setdefault(_whose(held), []).append(held)
        else:
            self._removed.setdefault(_whose(held), []).append(str(held.get("at")))

    def faults(self) -> Iterator[tuple[str, str]]:
        """For each review that is forged, its record and approval, and why."""
        nonces = dict[str, str]()
        for review in self._reviews.values():
            place = f"{review.record_id} ({review.approval_id})"
            signed = review.payload.get("passkey")
            why = self._fault(review, signed) if signed else self._lack(review)
            if signed and not why:
                first = nonces.setdefault(nonce_of(str(signed.get("statement"))), review.record_id)
                why = "" if first == review.record_id else f"its passkey signed {first}, not it"
            if why:
                yield place, why

    def _erased(self, record: Mapping[str, Any]) -> None:
        self.not_checkable += record["kind"] == Kind.APPROVAL_REVIEWED
        self._is_key_erased |= record["kind"] == Kind.PASSKEY_ADDED

    def _lack(self, review: _Review) -> str:
        """What is wrong with a review that no passkey signed."""
        wanting = self._wanting.get(review.approval_id, frozenset())
        if review.payload.get("verdict") != "APPROVE" or wanting.isdisjoint(review.rules):
            return ""
        return "it counts in a requirement that wants a passkey, and none signed it"

    def _fault(self, review: _Review, signed: Mapping[str, Any]) -> str:
        """What is wrong with what a passkey signed; empty where nothing is, or where it cannot be checked."""
        try:
            at = datetime.fromisoformat(review.payload["at"])
            whose = str(review.payload["reviewer"]), str(signed["credential_id"])
            key = next((one for one in self._added.get(whose, ()) if self._counts(one, whose, at)), None)
            if key is None and self._is_key_erased and not self._added.get(whose):
                self.not_checkable += 1
                return ""
            if key is None:
                return "its reviewer had no such passkey then"
            why = _of_statement(review, signed["statement"]) or _of_signature(self.realm, signed, key)
        except (*_BROKEN, InvalidSignature, UnsupportedAlgorithm):
            return "its passkey did not sign it"
        self.checked += not why
        return why

    def _counts(self, key: Mapping[str, Any], whose: tuple[str, str], at: datetime) -> bool:
        """Whether a passkey counted at a time: after its wait, and before it was removed."""
        added = datetime.fromisoformat(key["at"])
        ends = [datetime.fromisoformat(one) for one in self._removed.get(whose, ())]
        is_gone = any(added <= end < at for end in ends)
        return datetime.fromisoformat(key["counts_from"]) <= at and not is_gone


def wants_passkey(created: Mapping[str, Any]) -> bool:
    """Whether a requirement of an approval that was created wants a passkey."""
    return bool(_wanting(created))


def key_of(kind: str, held: Mapping[str, Any]) -> str:
    """Whose passkey the payload of a record is about; empty for a review that names none."""
    if kind != Kind.APPROVAL_REVIEWED:
        return "\n".join(_whose(held))
    signed = held.get("passkey")
    credential_id = signed.get("credential_id") if isinstance(signed, dict) else ""
    return f"{held.get('reviewer')}\n{credential_id}" if signed else ""


def nonce_in(review: Mapping[str, Any]) -> str:
    """The nonce that a passkey signed of a review; for a broken one its whole text, which no other review has."""
    signed = review["passkey"]
    nonce = nonce_of(str(signed.get("statement"))) if isinstance(signed, dict) else ""
    return nonce or orjson.dumps(review).decode()


def _of_statement(review: _Review, text: str) -> str:
    """Whether the statement is about another verdict than the review's."""
    said, payload = orjson.loads(text), review.payload
    wanted = {
        "approval": review.approval_id,
        "digest": payload["request_digest"],
        "reason": payload["reason"],
        "reviewer": payload["reviewer"],
        "verdict": payload["verdict"],
    }
    if sorted(said) != sorted(MEMBERS) or any(said[name] != value for name, value in wanted.items()):
        return "its passkey signed another verdict"
    return ""


def _of_signature(realm: str, signed: Mapping[str, Any], key: Mapping[str, Any]) -> str:
    """Whether the assertion is not this key's over the statement (WebAuthn, section 7.2). Raises where it is broken."""
    client, data = decoded(signed["client_data"]), decoded(signed["authenticator_data"])
    told = orjson.loads(client)
    asked = encoded(challenge(realm, signed["statement"]))
    if (told["type"], told["challenge"].rstrip("="), told["origin"]) != ("webauthn.get", asked, key["origin"]):
        return "its passkey signed something else, or for other pages"
    is_for = data[:_RP_ID_HASH_BYTES] == hashlib.sha256(key["rp_id"].encode()).digest()
    if not is_for or data[_RP_ID_HASH_BYTES] & _PRESENT_AND_VERIFIED != _PRESENT_AND_VERIFIED:
        return "its passkey is for another host, or did not verify its user"
    _verify(key["public_key"], decoded(signed["signature"]), data + hashlib.sha256(client).digest())
    return ""


def _verify(public_key: str, signature: bytes, message: bytes) -> None:
    """Raises `InvalidSignature`, and `ValueError` for a key of another kind."""
    match load_der_public_key(decoded(public_key)):
        case EllipticCurvePublicKey() as key:
            key.verify(signature, message, ECDSA(SHA256()))
        case Ed25519PublicKey() as key:
            key.verify(signature, message)
        case RSAPublicKey() as key:
            key.verify(signature, message, PKCS1v15(), SHA256())
        case _:
            raise ValueError("no key of a passkey")


def _kept(review: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the check of a review needs: little where no passkey signed it, for a log has many."""
    if not review.get("passkey"):
        return {"verdict": review.get("verdict")}
    members = {name: review.get(name) for name in ("verdict", "reviewer", "request_digest", "at", "passkey")}
    return {**members, "reason": reason_hash(str(review.get("reason")))}


def _wanting(created: Mapping[str, Any]) -> frozenset[str]:
    """The rules of which every requirement wants a passkey."""
    details = created.get("details")
    held = details.get("requirements", ()) if isinstance(details, dict) else ()
    rules = [(str(one.get("rule")), bool(one.get("passkey"))) for one in held if isinstance(one, dict)]
    return frozenset({rule for rule, _ in rules} - {rule for rule, wants in rules if not wants})


def _whose(held: Mapping[str, Any]) -> tuple[str, str]:
    return str(held.get("identity")), str(held.get("credential_id"))


def _object(payload: bytes) -> Mapping[str, Any]:
    try:
        held = orjson.loads(payload)
    except ValueError:
        return {}
    return held if isinstance(held, dict) else {}
