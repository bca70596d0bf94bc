"""What passkeys signed, checked from the log alone: forged reviews are named, and what was erased is not."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pdp.assertion import Statement, reason_hash
from pdp.audit import passkey_event
from pdp.audit.passkey_reviews import PasskeyReviews
from pdp.audit.record import Entry, Kind, entry
from pdp.credential import Made, Party, made
from pdp.passkey import Passkey
from tests.authenticator import HOST, ORIGIN, UP, Authenticator, b64, verdict_challenge
from tests.pdp.passkeys import registered

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ASKED = b"a" * 32
PHONE = Authenticator()


def key_of(device: Authenticator, **times: datetime) -> Passkey:
    new = made(registered(device.create(ASKED)), Party(HOST, ORIGIN), ASKED)
    members: dict[str, Any] = {name: getattr(new, name) for name in Made.__dataclass_fields__}
    return Passkey(**members, **{"added_at": NOW, "counts_from": NOW, **times})


def added(device: Authenticator = PHONE, identity: str = "user:bob", **times: datetime) -> Entry:
    return passkey_event.added(identity, key_of(device, **times), rp_id=HOST, origin=ORIGIN, by="login")


def statement(**changes: Any) -> Statement:
    said = Statement(
        approval="apr_1",
        digest="d",
        lineage="",
        nonce="n",
        reason=reason_hash("read it"),
        reviewer="user:bob",
        verdict="APPROVE",
        version=1,
    )
    return replace(said, **changes)


def reviewed(
    device: Authenticator | None = PHONE, said: Statement | None = None, realm: str = "dev", **changes: Any
) -> Entry:
    """The record of bob's yes, which the device signed; `changes` go into its payload, `sent` into what is signed."""
    text, sent = (said or statement()).text, changes.pop("sent", {})
    payload = {
        "reviewer": "user:bob",
        "verdict": "APPROVE",
        "reason": "read it",
        "at": NOW + MINUTE,
        "request_digest": "d",
        **({"passkey": {"statement": text, **device.get(verdict_challenge(text, realm), **sent)}} if device else {}),
        **changes,
    }
    raw = json.dumps(payload, default=datetime.isoformat).encode()
    return entry(Kind.APPROVAL_REVIEWED, raw, rules=["signed"], approval_id="apr_1")


def created(**requirement: Any) -> Entry:
    details = {"requirements": [{"rule": "signed", "passkey": True, **requirement}]}
    return entry(Kind.APPROVAL_CREATED, json.dumps({"details": details}).encode(), approval_id="apr_1")


def read(*entries: Entry, erased: tuple[Entry, ...] = ()) -> tuple[PasskeyReviews, list[str]]:
    found = PasskeyReviews("dev")
    for one in entries:
        found.add(json.loads(one.record), b"" if one in erased else one.payload)
    return found, [why for _, why in found.faults()]


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_signed_review_holds_whichever_writer_comes_first(algorithm: str) -> None:
    device = Authenticator(algorithm)
    entries = created(), added(device), reviewed(device)
    for order in (entries, entries[::-1]):
        found, faults = read(*order)
        assert (faults, found.checked, found.not_checkable) == ([], 1, 0)


FORGED: dict[str, Callable[[], tuple[Entry, ...]]] = {
    "no key in the log": lambda: (reviewed(),),
    "key of another person": lambda: (added(identity="user:eve"), reviewed()),
    "another key of the same id": lambda: (added(Authenticator(id=PHONE.id)), reviewed()),
    "another approval": lambda: (added(), reviewed(said=statement(approval="apr_2"))),
    "another digest": lambda: (added(), reviewed(said=statement(digest="e"))),
    "another verdict": lambda: (added(), reviewed(said=statement(verdict="DENY"))),
    "another reviewer": lambda: (added(), reviewed(said=statement(reviewer="user:eve"))),
    "other words": lambda: (added(), reviewed(reason="never")),
    "a verdict that was turned": lambda: (added(), reviewed(verdict="DENY")),
    "another realm": lambda: (added(), reviewed(realm="other")),
    "no user verification": lambda: (added(), reviewed(sent={"flags": UP})),
    "another origin": lambda: (added(), reviewed(sent={"origin": "https://evil.example"})),
    "another kind": lambda: (added(), reviewed(sent={"type": "webauthn.create"})),
    "another host": lambda: (added(), reviewed(replace(PHONE, host="evil.example"))),
    "a key that did not count yet": lambda: (added(counts_from=NOW + 2 * MINUTE), reviewed()),
    "a key that was removed": lambda: (
        added(),
        passkey_event.removed("user:bob", key_of(PHONE), NOW + MINUTE / 2),
        reviewed(),
    ),
    "the same signature twice": lambda: (added(), reviewed(), reviewed()),
    "none where one is wanted": lambda: (created(), reviewed(None)),
    "no object": lambda: (added(), reviewed(None, passkey="x")),
    "an empty signature": lambda: (added(), reviewed(None, passkey={"credential_id": b64(PHONE.id)})),
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_review_is_named(name: str) -> None:
    entries = FORGED[name]()
    found = PasskeyReviews("dev")
    for one in entries:
        found.add(json.loads(one.record), one.payload)
    [(place, why)] = found.faults()
    assert place == f"{entries[-1].id} (apr_1)"
    assert why


def test_key_that_came_back_after_its_removal_counts() -> None:
    gone = passkey_event.removed("user:bob", key_of(PHONE), NOW - MINUTE)
    earlier = added(added_at=NOW - 2 * MINUTE, counts_from=NOW - 2 * MINUTE)
    assert read(earlier, gone, added(), reviewed())[1] == []
    later = passkey_event.removed("user:bob", key_of(PHONE), NOW + 2 * MINUTE)
    assert read(added(), reviewed(), later)[1] == []


def test_what_wants_no_passkey_needs_none() -> None:
    assert read(created(passkey=False), reviewed(None))[1] == []
    assert read(created(), reviewed(None, verdict="DENY"))[1] == []
    both = {"requirements": [{"rule": "signed", "passkey": True}, {"rule": "signed"}]}
    mixed = entry(Kind.APPROVAL_CREATED, json.dumps({"details": both}).encode(), approval_id="apr_1")
    assert read(mixed, reviewed(None))[1] == []


def test_what_was_erased_is_not_checkable_and_never_forged() -> None:
    key, review = added(), reviewed()
    for erased in ((review,), (key,), (key, review)):
        found, faults = read(created(), key, review, erased=erased)
        assert (faults, found.checked, found.not_checkable) == ([], 0, 1)


def test_signature_beside_an_erased_key_of_another_person_is_still_checked() -> None:
    other = added(Authenticator(), "user:eve")
    found, faults = read(other, added(), reviewed(), erased=(other,))
    assert (faults, found.checked) == ([], 1)
    assert read(other, added(), reviewed(verdict="DENY"), erased=(other,))[1]
