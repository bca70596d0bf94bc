"""A person's passkeys, and the nonces of what is to be signed: what is stored of them, and how it is signed. Pure.

Each carries a signature by the key `seal` over its whole content, with a `typ` of its own. A check signs again and
compares, so who writes to the database gives nobody a passkey, and moves none to another person.
"""

import hmac
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
from joserfc.jwk import OKPKey

from pdp import jws

MAX_PASSKEYS = 10
"""Passkeys of one person: more than a person has devices."""
NONCE_COUNTS = timedelta(minutes=5)
"""The time that a person has to sign."""
FRESH_LOGIN = timedelta(minutes=5)
"""How old a login may be with which a passkey is added."""
NONCE_BYTES = 32
"""Random bytes of a nonce."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """One passkey. `id` is WebAuthn's, in unpadded base64url like both forms of the public key: COSE, and SPKI.

    `algorithm` is COSE's number; `counter` is the authenticator's. It counts from `counts_from` on.
    """

    id: str
    cose: str
    public_key: str
    algorithm: int
    counter: int
    added_at: datetime
    counts_from: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """All passkeys of a person, as they are stored: one document, changed as a whole."""

    identity: str
    held: tuple[Passkey, ...] = ()
    seal: str = ""

    def find(self, passkey_id: str) -> Passkey | None:
        """The passkey with this id."""
        return next((one for one in self.held if one.id == passkey_id), None)

    def with_one(self, passkey: Passkey) -> "Keyring":
        """The keyring with a new passkey, or with what has changed of one."""
        others = tuple(one for one in self.held if one.id != passkey.id)
        return replace(self, held=(*others, passkey))

    def without(self, passkey_id: str) -> "Keyring":
        """The keyring without a passkey."""
        return replace(self, held=tuple(one for one in self.held if one.id != passkey_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Nonce:
    """Something that a person is asked to sign: `id` is the hash of the nonce, `bound` of what is signed with it."""

    id: str
    identity: str
    bound: str
    at: datetime
    seal: str = ""


@dataclass(frozen=True, slots=True)
class PasskeySealer:
    """Signs keyrings and nonces with the key `seal`, in a realm's name."""

    key: OKPKey
    realm: str

    def keyring(self, keyring: Keyring) -> Keyring:
        """The keyring with its signature."""
        held = [asdict(one) for one in keyring.held]
        claims = {"identity": keyring.identity, "held_sha256": sha256(orjson.dumps(held)).hexdigest()}
        return replace(keyring, seal=self._signed("placet-passkeys+jwt", claims))

    def nonce(self, nonce: Nonce) -> Nonce:
        """The nonce with its signature."""
        at = nonce.at.isoformat(timespec="milliseconds")
        claims = {"nonce": nonce.id, "identity": nonce.identity, "bound": nonce.bound, "at": at}
        return replace(nonce, seal=self._signed("placet-nonce+jwt", claims))

    def is_ours(self, stored: Keyring | Nonce) -> bool:
        """Whether a server of this deployment wrote it, as it is."""
        signed = self.keyring(stored) if isinstance(stored, Keyring) else self.nonce(stored)
        return hmac.compare_digest(signed.seal.encode(), stored.seal.encode())

    def _signed(self, kind: str, claims: dict[str, Any]) -> str:
        return jws.signed(kind, {"realm": self.realm, **claims}, self.key)


def hashed(text: str) -> str:
    """What stands for a nonce, or for what is signed with it."""
    return sha256(text.encode()).hexdigest()
