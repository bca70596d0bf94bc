"""Counts the values that a caller, and each person behind its requests, masks or unmasks in a clock hour."""

import hashlib
import secrets
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
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
class Limits:
    """Values in a clock hour: to mask those of one domain, to unmask those of all. `bulk` is by identity."""

    mask: int
    unmask: int
    bulk: Mapping[str, int] = field(default_factory=dict)

    def of(self, what: str, names: Iterable[str]) -> int:
        """The limit of the one that has these names."""
        if what == "unmask":
            return self.unmask
        return max((self.bulk[name] for name in names if name in self.bulk), default=self.mask)


@dataclass(frozen=True, slots=True)
class Reserved:
    """Values of `what` by domain, to be counted under an id in each counter. `limits` are by the counters' keys."""

    id: str
    what: str
    limits: Mapping[str, int]
    values: Mapping[str, int]


def reservation(
    limits: Limits, what: str, caller: str, persons: Mapping[str, Iterable[str]], values: Mapping[str, int]
) -> Reserved:
    """A new reservation in this clock hour, not counted yet. `persons` are distinct, each with its names."""
    hour = int(time.time() // _HOUR_SECONDS)
    of_caller = {_key(what, hour, "caller", caller): limits.of(what, [caller])}
    of_persons = {_key(what, hour, "person", person): limits.of(what, names) for person, names in persons.items()}
    return Reserved(secrets.token_hex(8), what, of_caller | of_persons, values)


class Quotas:
    """A counter for each hour, kind of work and caller, and one for each person. Values are reserved before the work.

    A counter counts each domain by itself; what is unmasked it counts together, under a name that no domain has.

    1. Only the caller's authenticated identity and the policy's people name a counter. Nothing that a request holds
       (subject, chain, context, table, RPC) gives a caller another one.
    2. A counter holds what is reserved under its id until the work is certain (`keep`). Until then, and once, it can be
       given back: a call that ends with nothing used uses no quota. After a crash nobody gives it back.
    """

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("quotas")
        self._kept: defaultdict[str, list[str]] = defaultdict(list)

    async def count(self, reserved: Reserved) -> None:
        """Count it for the caller, then for each person. Each has its limit to itself.

        Raises `QuotaExceeded`, and then nothing is counted. After any other error it can be given back.
        """
        full = await self._full(reserved)
        if full is None and await self._all_counted(reserved):
            return
        domain = f" of domain {full}" if full else ""
        raise QuotaExceeded(
            f"more values{domain} to {reserved.what} than {_limit(reserved):,} in this clock hour, for this caller or "
            "for a person behind the request; ask for fewer, or wait for the next hour",
            _HOUR_SECONDS - time.time() % _HOUR_SECONDS,
        )

    async def add(self, reserved: Reserved, name: str) -> None:
        """Count what was masked already, also beyond a limit; once under each `name`."""
        held = f"held.{_hashed(name)[:16]}"
        change: Document = {
            "$inc": {_field(domain): values for domain, values in reserved.values.items()},
            "$set": {held: True},
            "$setOnInsert": {"expires_at": datetime.now(UTC) + _KEPT},
        }
        for key in reserved.limits if reserved.values else ():
            with suppress(DuplicateKeyError):  # it is counted
                async with unavailable():
                    await self._collection.update_one({"_id": key, held: {"$exists": False}}, change, upsert=True)

    async def give_back(self, reserved: Reserved) -> None:
        """Take it out of its counters again; a second time, or after `keep`, it changes nothing.

        Where MongoDB does not answer for `_TRIES` seconds, it stays counted.
        """
        counted = {_field(domain): -values for domain, values in reserved.values.items()}
        taken_out = {"$inc": counted, "$unset": {f"held.{reserved.id}": True}}
        for key in reserved.limits:
            for _ in range(_TRIES):
                with suppress(StoreUnavailable):
                    async with unavailable():
                        held = {"_id": key, f"held.{reserved.id}": {"$exists": True}}
                        await self._collection.update_one(held, taken_out)
                    break

    def keep(self, reserved: Reserved) -> None:
        """It stays counted. The next reservation of the same counter removes the id, so that it costs no update."""
        hour = next(iter(reserved.limits)).split("/")[1]
        for key in [key for key in self._kept if key.split("/")[1] != hour]:
            del self._kept[key]
        for key in reserved.limits:
            self._kept[key].append(reserved.id)

    async def _full(self, reserved: Reserved) -> str | None:
        """The first domain of which a counter has no room; None where all have it.

        It looks before anything is counted: else a person at the limit would use up the caller's quota for others.
        """
        async with unavailable():
            found = await self._collection.find({"_id": {"$in": list(reserved.limits)}}, ["counts"]).to_list()
        counts = {one["_id"]: one.get("counts", {}) for one in found}
        for key, limit in reserved.limits.items():
            for domain, values in reserved.values.items():
                if counts.get(key, {}).get(_hashed(domain), 0) + values > limit:
                    return domain
        return None

    async def _all_counted(self, reserved: Reserved) -> bool:
        """Whether every counter took it. Where one has no room any more, because others were faster, none keeps it."""
        for key, limit in reserved.limits.items():
            if not await self._counted(key, reserved, limit):
                await self.give_back(reserved)
                return False
        return True

    async def _counted(self, key: str, reserved: Reserved, limit: int) -> bool:
        room: Document = {"_id": key}
        room |= {_field(domain): {"$not": {"$gt": limit - values}} for domain, values in reserved.values.items()}
        kept = self._kept.pop(key, [])
        change: Document = {
            "$inc": {_field(domain): values for domain, values in reserved.values.items()},
            "$set": {f"held.{reserved.id}": True},
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
    return f"{what}/{hour}/{whose}/{_hashed(name)}"


def _field(domain: str) -> str:
    """Where a counter counts a domain, whose name may hold what MongoDB reads as a path."""
    return f"counts.{_hashed(domain)}"


def _hashed(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _limit(reserved: Reserved) -> int:
    """The least of all limits."""
    return min(reserved.limits.values())
