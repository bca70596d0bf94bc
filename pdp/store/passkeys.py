"""The passkeys of people: a document each, changed by compare-and-set on its signature; and nonces, taken once."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from pdp.passkey import NONCE_COUNTS, Keyring, Nonce, Passkey
from pdp.store.database import Database, Document, unavailable
from pdp.store.sessions import stamp, text

_SCHEMA_VERSION = 1
"""The version of these documents."""
_TIMES = frozenset({"added_at", "counts_from"})
_NUMBERS = frozenset({"algorithm", "counter"})


class StoredPasskeys:
    """What is stored is not trusted here: who reads it holds it against its signature."""

    def __init__(self, database: Database) -> None:
        self._keyrings = database.database.get_collection("passkeys")
        self._nonces = database.database.get_collection("nonces")

    async def find(self, identity: str) -> Keyring:
        """The passkeys of a person; none, without a signature, where nothing is stored."""
        async with unavailable():
            found = await self._keyrings.find_one({"_id": {"$eq": identity}})
        if found is None:
            return Keyring(identity=identity)
        held = found.get("held")
        passkeys = tuple(_passkey(one) for one in (held if isinstance(held, list) else []))
        return Keyring(identity=identity, held=passkeys, seal=text(found.get("seal")))

    async def replace(self, old: Keyring, new: Keyring) -> bool:
        """Put a keyring into the place of what was found; False where that has changed, or a passkey is another's."""
        this = {"_id": {"$eq": old.identity}, "seal": {"$eq": old.seal}}
        held = {"schema_version": _SCHEMA_VERSION, "held": [asdict(one) for one in new.held], "seal": new.seal}
        try:
            async with unavailable():
                if not old.seal:
                    await self._keyrings.insert_one({"_id": new.identity, **held})
                    return True
                if not new.held:
                    return bool((await self._keyrings.delete_one(this)).deleted_count)
                return bool((await self._keyrings.update_one(this, {"$set": held})).matched_count)
        except DuplicateKeyError:
            return False

    async def remove(self, identity: str) -> None:
        """Take away what is stored of a person."""
        async with unavailable():
            await self._keyrings.delete_one({"_id": {"$eq": identity}})

    async def insert(self, nonce: Nonce) -> None:
        """Store a new nonce."""
        async with unavailable():
            await self._nonces.insert_one({"schema_version": _SCHEMA_VERSION, "_id": nonce.id, **_members(nonce)})

    async def take(self, nonce_id: str) -> Nonce | None:
        """Take a nonce away, if it is there and not too old."""
        ends = {"$add": ["$at", int(NONCE_COUNTS.total_seconds() * 1000)]}
        this: Document = {"_id": {"$eq": nonce_id}, "$expr": {"$gt": [ends, "$$NOW"]}}
        async with unavailable():
            found = await self._nonces.find_one_and_delete(this)
        if found is None:
            return None
        texts = {name: text(found.get(name)) for name in ("identity", "bound", "seal")}
        return Nonce(id=nonce_id, at=stamp(found.get("at")), **texts)


def _members(nonce: Nonce) -> dict[str, str | datetime]:
    return {"identity": nonce.identity, "bound": nonce.bound, "at": nonce.at, "seal": nonce.seal}


def _passkey(document: Any) -> Passkey:
    """The passkey in a document. A member that no server wrote so is another value, which no signature fits."""
    held = document if isinstance(document, Mapping) else {}
    members: dict[str, Any] = {}
    for member in fields(Passkey):
        value = held.get(member.name)
        if member.name in _NUMBERS:
            members[member.name] = value if type(value) is int else 0
        else:
            members[member.name] = stamp(value) if member.name in _TIMES else text(value)
    return Passkey(**members)
