"""Counts the values that a caller, and each person behind its requests, masks or unmasks in a clock hour."""

import hashlib
import secrets
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pymongo.errors import DuplicateKeyError

from pdp.errors import QuotaExceeded, StoreUnavailable
from pdp.store.database import Database, Document, unavailable

_HOUR_SECONDS = 3600
"""Seconds of a clock hour."""
_TRIES = 5
"""Tries to give something back. Each takes a second at most."""
_KEPT = timedelta(hours=2)
"""The time for which a counter is stored: its own hour and one more."""


@dataclass(frozen=True, slots=True)
class Reserved:
    """Values of `what`, to be counted under an id in each of these counters."""

    id: str
    what: str
    keys: Sequence[str]
    values: int


def reservation(what: str, caller: str, persons: Sequence[str], values: int) -> Reserved:
    """A new reservation in this clock hour, not counted yet. `persons` are distinct."""
    hour = int(time.time() // _HOUR_SECONDS)
    keys = [_key(what, hour, "caller", caller), *(_key(what, hour, "person", person) for person in persons)]
    return Reserved(secrets.token_hex(8), what, keys, values)


class Quotas:
    """A counter for each hour, kind of work and caller, and one for each person. Values are reserved before the work.

    1. Only the caller's authenticated identity and the policy's people name a counter. Nothing that a request holds
       (subject, chain, context, table, RPC) gives a caller another one.
    2. A counter holds what is reserved under its id until the work is certain (`keep`). Until then, and once, it can be
       given back: a call that ends with nothing used uses no quota. After a crash nobody gives it back.
    """

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("quotas")
        self._kept: defaultdict[str, list[str]] = defaultdict(list)

    async def count(self, reserved: Reserved, limit: int) -> None:
        """Count it for the caller, then for each person. Each has `limit` to itself.

        Raises `QuotaExceeded`, and then nothing is counted. After any other error it can be given back.
        """
        if await self._all_have_room(reserved, limit) and await self._all_counted(reserved, limit):
            return
        raise QuotaExceeded(
            f"more than {limit} values to {reserved.what} in this clock hour, for this caller or for a person behind "
            "the request; ask for fewer, or wait for the next hour",
            retry_seconds=_HOUR_SECONDS - time.time() % _HOUR_SECONDS,
        )

    async def give_back(self, reserved: Reserved) -> None:
        """Take it out of its counters again; a second time, or after `keep`, it changes nothing.

        Where MongoDB does not answer for `_TRIES` seconds, it stays counted.
        """
        taken_out = {"$inc": {"count": -reserved.values}, "$unset": {f"held.{reserved.id}": True}}
        for key in reserved.keys:
            for _ in range(_TRIES):
                with suppress(StoreUnavailable):
                    async with unavailable():
                        held = {"_id": key, f"held.{reserved.id}": {"$exists": True}}
                        await self._collection.update_one(held, taken_out)
                    break

    def keep(self, reserved: Reserved) -> None:
        """It stays counted. The next reservation of the same counter removes the id, so that it costs no update."""
        hour = reserved.keys[0].split("/")[1]
        for key in [key for key in self._kept if key.split("/")[1] != hour]:
            del self._kept[key]
        for key in reserved.keys:
            self._kept[key].append(reserved.id)

    async def _all_have_room(self, reserved: Reserved, limit: int) -> bool:
        """A look before anything is counted: else a person at the limit would use up the caller's quota for others."""
        if reserved.values > limit:
            return False
        over = {"_id": {"$in": list(reserved.keys)}, "count": {"$gt": limit - reserved.values}}
        async with unavailable():
            return await self._collection.find_one(over, ["_id"]) is None

    async def _all_counted(self, reserved: Reserved, limit: int) -> bool:
        """Whether every counter took it. Where one has no room any more, because others were faster, none keeps it."""
        for key in reserved.keys:
            if not await self._counted(key, reserved, limit):
                await self.give_back(reserved)
                return False
        return True

    async def _counted(self, key: str, reserved: Reserved, limit: int) -> bool:
        room = {"_id": key, "count": {"$lte": limit - reserved.values}}
        kept = self._kept.pop(key, [])
        change: Document = {
            "$inc": {"count": reserved.values},
            "$set": {f"held.{reserved.id}": reserved.values},
            "$setOnInsert": {"expires_at": datetime.now(UTC) + _KEPT},
        }
        if kept:
            change["$unset"] = {f"held.{one}": True for one in kept}
        for _ in range(2):
            try:
                async with unavailable():
                    await self._collection.update_one(room, change, upsert=True)
            except DuplicateKeyError:  # too many already, or two made the counter at once
                continue
            return True
        self._kept[key] += kept
        return False


def _key(what: str, hour: int, whose: str, name: str) -> str:
    """The key of a counter. It holds a hash, not the name: only a call that knows the name needs to find it."""
    return f"{what}/{hour}/{whose}/{hashlib.sha256(name.encode()).hexdigest()}"
