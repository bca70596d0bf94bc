"""Makes the records of people's passkeys. Who it is, and the public key, are in the payload, which can be erased."""

from datetime import datetime
from typing import Any

import orjson

from pdp.audit.record import Entry, Kind, entry
from pdp.passkey import Passkey

TAMPERED = "PASSKEY_TAMPERED"
"""The error of a record that says that stored passkeys or a nonce were not as a server wrote them."""


def added(identity: str, passkey: Passkey, *, rp_id: str, origin: str, by: str) -> Entry:
    """A person added a passkey, `by` a login or another passkey (its id). What is needed to check its signatures."""
    facts = {"public_key": passkey.public_key, "algorithm": passkey.algorithm, "rp_id": rp_id, "origin": origin}
    times = {"at": passkey.added_at, "counts_from": passkey.counts_from}
    return _entry(Kind.PASSKEY_ADDED, identity, passkey.id, **facts, **times, by=by)


def removed(identity: str, passkey: Passkey, at: datetime) -> Entry:
    """A person removed a passkey."""
    return _entry(Kind.PASSKEY_REMOVED, identity, passkey.id, at=at)


def refused(what: str) -> Entry:
    """Stored passkeys or a nonce were refused; `what` says which of them."""
    sentence = f"{what} changed behind the servers' back; refused"
    return entry(Kind.ERROR, orjson.dumps({"details": {"message": sentence}}), error=TAMPERED)


def _entry(kind: Kind, identity: str, credential_id: str, **further: Any) -> Entry:
    return entry(kind, orjson.dumps({"identity": identity, "credential_id": credential_id, **further}))
