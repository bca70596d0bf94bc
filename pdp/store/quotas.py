"""Counts the values that a caller, and each person behind its requests, masks or unmasks in a clock hour."""

import hashlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pymongo.errors import DuplicateKeyError

from pdp.errors import QuotaExceeded
from pdp.store.database import Database, unavailable

_HOUR_SECONDS = 3600
"""Seconds of a clock hour."""
_KEPT = timedelta(hours=2)
"""The time for which a counter is stored: its own hour and one more."""


class Quotas:
    """A counter for each hour, kind of work and caller, and one for each person. Values are reserved before the work.

    1. Only the caller's authenticated identity and the policy's people name a counter. Nothing that a request holds
       (subject, chain, context, table, RPC) gives a caller another one.
    2. What was reserved is never given back, so neither a crash nor a race lets anybody exceed a quota. Where one
       counter refuses what others have taken, they keep it: only a race leads there, since all are looked at first.
    """

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("quotas")

    async def reserve(self, what: str, caller: str, persons: Sequence[str], values: int, limit: int) -> None:
        """Count `values` of `what` for the caller, then for each person. Each has `limit` to itself.

        `persons` are distinct. Raises `QuotaExceeded`.
        """
        hour, passed = divmod(time.time(), _HOUR_SECONDS)
        keys = [_key(what, int(hour), "caller", caller)]
        keys += [_key(what, int(hour), "person", person) for person in persons]
        if not await self._all_have_room(keys, values, limit) or not await self._all_counted(keys, values, limit):
            raise QuotaExceeded(
                f"more than {limit} values to {what} in this clock hour, for this caller or for a person behind the "
                "request; ask for fewer, or wait for the next hour",
                retry_seconds=_HOUR_SECONDS - passed,
            )

    async def _all_have_room(self, keys: Sequence[str], values: int, limit: int) -> bool:
        """A look before anything is counted: else a person at the limit would use up the caller's quota for others."""
        if values > limit:
            return False
        over = {"_id": {"$in": list(keys)}, "count": {"$gt": limit - values}}
        async with unavailable():
            return await self._collection.find_one(over, ["_id"]) is None

    async def _all_counted(self, keys: Sequence[str], values: int, limit: int) -> bool:
        for key in keys:
            if not await self._counted(key, values, limit):
                return False
        return True

    async def _counted(self, key: str, values: int, limit: int) -> bool:
        room = {"_id": key, "count": {"$lte": limit - values}}
        change = {"$inc": {"count": values}, "$setOnInsert": {"expires_at": datetime.now(UTC) + _KEPT}}
        for _ in range(2):
            try:
                async with unavailable():
                    await self._collection.update_one(room, change, upsert=True)
            except DuplicateKeyError:  # too many already, or two made the counter at once
                continue
            return True
        return False


def _key(what: str, hour: int, whose: str, name: str) -> str:
    """The key of a counter. It holds a hash, not the name: only a call that knows the name needs to find it."""
    return f"{what}/{hour}/{whose}/{hashlib.sha256(name.encode()).hexdigest()}"
