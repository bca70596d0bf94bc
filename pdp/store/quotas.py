"""Counts the values that a caller with its chain masks or unmasks in a clock hour."""

import hashlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import orjson
from pymongo.errors import DuplicateKeyError

from pdp.errors import QuotaExceeded
from pdp.store.database import Database, unavailable

_HOUR_SECONDS = 3600
"""Seconds of a clock hour."""
_KEPT = timedelta(hours=2)
"""The time for which a counter is stored: its own hour and one more."""


class Quotas:
    """One counter for each hour. Values are reserved before the work and never given back.

    So neither a crash nor a race lets a caller exceed its quota.
    """

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("quotas")

    async def reserve(self, what: str, principals: Sequence[str], values: int, limit: int) -> None:
        """Count `values` of `what` against `limit`. If they are too many, raises `QuotaExceeded` and counts nothing.

        `principals` are the caller, the subject and the subjects that it acts for, in order.
        """
        hour, passed = divmod(time.time(), _HOUR_SECONDS)
        if values <= limit and await self._counted(_key(what, int(hour), principals), values, limit):
            return
        raise QuotaExceeded(
            f"more than {limit} values to {what} in this clock hour; ask for fewer, or wait for the next hour",
            retry_seconds=_HOUR_SECONDS - passed,
        )

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


def _key(what: str, hour: int, principals: Sequence[str]) -> str:
    """The key of a counter. It holds a hash, not the names: only a call that knows the names needs to find it."""
    return f"{what}/{hour}/{hashlib.sha256(orjson.dumps(list(principals))).hexdigest()}"
