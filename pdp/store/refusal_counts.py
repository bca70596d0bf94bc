"""How many clicks of a chat account were refused in a clock hour: a document for each, until it is summed up."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pymongo import ReturnDocument

from pdp.account import is_account
from pdp.canonical import MAX_ID_BYTES
from pdp.store.database import Database, Document, unavailable

_HOUR = timedelta(hours=1)
_LATE = timedelta(minutes=1)
"""The time after an hour in which a click of that hour may still be counted, and in which one process sums it up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """The refused clicks of an account in the hour that began at `hour`. `identity` is its person, if known."""

    id: str
    channel: str
    account: str
    identity: str
    hour: datetime
    count: int


class RefusalCounts:
    """Counts over all processes. Hours are those of MongoDB's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._collection = database.database.get_collection("refused_clicks")

    async def count(self, channel: str, account: str, identity: str) -> int:
        """Count one more. Returns how many it are in this hour."""
        hour = (await self._database.now()).replace(minute=0, second=0, microsecond=0)
        this: Document = {"_id": {"$eq": f"{account}@{hour:%Y-%m-%dT%H}"}}
        held = {"channel": channel, "account": account, "identity": identity, "hour": hour}
        change: Document = {"$inc": {"count": 1}, "$set": held}
        async with unavailable():
            found = await self._collection.find_one_and_update(
                this, change, upsert=True, return_document=ReturnDocument.AFTER
            )
        return int(found["count"]) if found else 1

    async def over(self, most: int) -> list[Refusals]:
        """At most so many of hours that are over. What no server wrote so goes, and does not come into the log."""
        ended = await self._database.now() - _HOUR - _LATE
        async with unavailable():
            cursor = self._collection.find({"hour": {"$lte": ended}, **_WHOLE}, limit=most).sort("hour", 1)
            found = [_refusals(document) async for document in cursor]
        for one in found:
            if not _is_whole(one):
                await self.remove(one)
        return [one for one in found if _is_whole(one)]

    async def claim(self, one: Refusals) -> bool:
        """Take the turn to sum up. False where another process has it."""
        now = await self._database.now()
        free: Document = {"$or": [{"claimed": {"$exists": False}}, {"claimed": {"$lte": now - _LATE}}]}
        async with unavailable():
            found = await self._collection.update_one({"_id": {"$eq": one.id}, **free}, {"$set": {"claimed": now}})
            return bool(found.matched_count)

    async def remove(self, one: Refusals) -> None:
        """Forget an hour that is summed up."""
        async with unavailable():
            await self._collection.delete_one({"_id": {"$eq": one.id}})


_TEXTS = ("channel", "account", "identity")
_WHOLE: Document = {
    **{name: {"$type": "string"} for name in ("_id", *_TEXTS)},
    "count": {"$type": "int"},
}
"""The form of a document. What somebody else wrote in another form is not read."""


def _is_whole(one: Refusals) -> bool:
    """Whether a server could have written it: of an account of the channel, under its name, with ids of our sizes."""
    of_channel = is_account(one.account) and one.account.startswith(f"{one.channel}:")
    is_short = max(len(one.account), len(one.identity)) <= MAX_ID_BYTES
    return of_channel and is_short and one.id.startswith(f"{one.account}@")


def _refusals(found: Document) -> Refusals:
    texts = {name: found[name] for name in _TEXTS}
    return Refusals(id=found["_id"], hour=found["hour"], count=found["count"], **texts)
