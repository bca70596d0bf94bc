"""Messages for people, beside those for webhooks and by the same rules: inserted once, claimed, tried again.

1. A letter is worded when it is sent. It holds who is told of which approval, and no word of what they are told.
2. A notice that was posted is remembered in its letter: what the channel finds it by (`handle`), and the version that
   it shows. An update changes it only for a newer version, one process at a time.
3. Letters go 30 days after the end of their approval.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.errors import DuplicateKeyError

from pdp.store.database import Database, Document, unavailable
from pdp.store.notifications import PEOPLE, Errand, Progress

MOST_REMEMBERED = 100
"""Posted notices of one approval that are remembered, and so edited."""
EDIT_TAKES_AT_MOST = timedelta(seconds=10)
"""The time after which another process may edit a notice whose edit did not end: twice as long as an attempt."""
MOST_HURRIED = 5
"""Times that a letter is tried before its time because its channel is back. The attempts that are left take a day."""
_AT_ONCE = datetime.fromtimestamp(0, UTC)


NOTICES = (Errand.ASK, Errand.END)
"""The errands whose message is remembered and edited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message for people. `who` is an identity, or a group behind `#`; `record_id` and `event` are of its step.

    `state` is the approval's after that step. `notice` is the letter that an update or a reminder is about,
    `after` the time after the opening at which a reminder is due.
    """

    id: str
    channel: str
    errand: Errand
    who: str = ""
    approval_id: str = ""
    event: str = ""
    record_id: str = ""
    state: str = ""
    notice: str = ""
    after: str = ""

    def leading_to(self, channel: str, errand: Errand, who: str, notice: str = "") -> "Letter":
        """The letter in a channel that comes of the same step. Its id is the same whichever process makes it."""
        name = f"{self.record_id}/{channel}/{errand}/{notice or who}"
        return replace(self, id=name, channel=channel, errand=errand, who=who, notice=notice, after="")


@dataclass(frozen=True, slots=True)
class DueLetter:
    """A letter whose next attempt is due. `now` is MongoDB's time when it was read."""

    letter: Letter
    attempts: int
    now: datetime

    @property
    def id(self) -> str:
        """The letter's id."""
        return self.letter.id


@dataclass(frozen=True, slots=True)
class Posted:
    """What is known of a notice: how far its letter is, what its channel finds it by, and the version it shows."""

    errand: Errand
    progress: Progress
    handle: str
    shown: int


class Letters:
    """Inserts and changes letters. `Notifications` claims them, as it does messages to webhooks."""

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("notifications")

    async def add(self, letter: Letter, *, over: bool = False) -> None:
        """Insert a letter that is due at once. One that is there stays as it is. `over`: it is of no open approval."""
        document = {**_held(letter), "progress": Progress.WAITING, "attempts": 0, "problem": "", "due_at": _AT_ONCE}
        stamps: Document = {"$currentDate": {"over_at": True}} if over else {}
        try:
            async with unavailable():
                first = {"_id": {"$eq": letter.id}, "progress": {"$exists": False}}
                await self._collection.update_one(first, {"$setOnInsert": document, **stamps}, upsert=True)
        except DuplicateKeyError:
            return

    async def due(self, channel: str, limit: int) -> list[DueLetter]:
        """Letters of a channel whose next attempt is due. The one that has been due longest comes first."""
        condition = {
            **_WHOLE,
            "webhook": PEOPLE + channel,
            "progress": Progress.WAITING,
            "$expr": {"$lte": ["$due_at", "$$NOW"]},
        }
        async with unavailable():
            cursor = self._collection.find(condition, _READ, limit=limit).sort("due_at", 1)
            return [DueLetter(_letter(found), found["attempts"], found["now"]) async for found in cursor]

    async def put_back(self, due: DueLetter, seconds: float) -> None:
        """Take back a claimed attempt that was not made, and set the time of the next one."""
        this = {"_id": {"$eq": due.id}, "progress": Progress.WAITING, "attempts": due.attempts + 1}
        later = {"attempts": due.attempts, "due_at": due.now + timedelta(seconds=seconds)}
        async with unavailable():
            await self._collection.update_one(this, {"$set": later})

    async def hurry(self, channel: str) -> None:
        """Make due what was tried in a channel in vain, as soon as that attempt must be over: a few times each."""
        tried: Document = {
            "webhook": PEOPLE + channel,
            "progress": Progress.WAITING,
            "attempts": {"$gt": 0},
            "hurried": {"$not": {"$gte": MOST_HURRIED}},
        }
        over: Document = {"$add": ["$tried_at", int(EDIT_TAKES_AT_MOST.total_seconds() * 1000)]}
        hurried: Document = {"$add": [{"$ifNull": ["$hurried", 0]}, 1]}
        change: Document = {"$set": {"due_at": {"$min": ["$due_at", over]}, "hurried": hurried}}
        async with unavailable():
            await self._collection.update_many(tried, [change])

    async def done(self, due: DueLetter, progress: Progress) -> None:
        """Store that nothing is left to do: it was delivered, or it is not needed any more."""
        async with unavailable():
            await self._collection.update_one({"_id": {"$eq": due.id}}, {"$set": {"progress": progress, "problem": ""}})

    async def posted(self, due: DueLetter, handle: str, version: int) -> None:
        """Store what the channel finds a posted notice by, and what it shows, as long as so many are remembered."""
        of_it: Document = {"approval_id": {"$eq": due.letter.approval_id}, "handle": {"$gt": ""}}
        async with unavailable():
            known = await self._collection.count_documents(of_it, limit=MOST_REMEMBERED)
            members = {"handle": handle, "shown": version} if known < MOST_REMEMBERED else {}
            delivered = {"progress": Progress.DELIVERED, "problem": "", **members}
            await self._collection.update_one({"_id": {"$eq": due.id}}, {"$set": delivered})

    async def notices(self, approval_id: str) -> list[Letter]:
        """The notices about an approval that are posted, or still wait."""
        condition: Document = {
            **_WHOLE,
            "approval_id": {"$eq": approval_id},
            "errand": {"$in": list(NOTICES)},
            "progress": {"$in": [Progress.WAITING, Progress.DELIVERED]},
        }
        async with unavailable():
            return [_letter(found) async for found in self._collection.find(condition, _READ).sort("_id", 1)]

    async def notice(self, letter_id: str) -> Posted | None:
        """What is known of a notice."""
        async with unavailable():
            found = await self._collection.find_one({**_WHOLE, "_id": {"$eq": letter_id}})
        return _posted(found) if found else None

    async def begin_edit(self, letter_id: str, version: int, now: datetime) -> bool:
        """Take the turn to make a notice show `version`. False where it shows that or a newer one, or another edits."""
        free: Document = {"$or": [{"editing": {"$exists": False}}, {"editing": {"$lte": now - EDIT_TAKES_AT_MOST}}]}
        older: Document = {"_id": {"$eq": letter_id}, "shown": {"$lt": version}, **free}
        async with unavailable():
            return bool((await self._collection.update_one(older, {"$set": {"editing": now}})).matched_count)

    async def edited(self, letter_id: str, version: int) -> None:
        """Store that a notice shows `version`, and end the turn."""
        async with unavailable():
            change = {"$max": {"shown": version}, "$unset": {"editing": True}}
            await self._collection.update_one({"_id": {"$eq": letter_id}}, change)

    async def over(self, approval_id: str) -> None:
        """Store that an approval is at its end. Its letters go 30 days later."""
        of_it: Document = {"approval_id": {"$eq": approval_id}, "over_at": {"$exists": False}}
        async with unavailable():
            await self._collection.update_many(of_it, {"$currentDate": {"over_at": True}})

    async def is_on_its_way(self, channel: str, who: str, event: str) -> bool:
        """Whether a note of this change waits for its first attempt. It is sent later than now."""
        note = {"who": {"$eq": who}, "event": {"$eq": event}, "errand": Errand.NOTE, "attempts": 0}
        this: Document = {**_WHOLE, **note, "webhook": PEOPLE + channel, "progress": Progress.WAITING}
        async with unavailable():
            return await self._collection.find_one(this) is not None

    async def waiting(self, who: str) -> int:
        """How many requests wait that this person was not told of yet."""
        waits = {"who": {"$eq": who}, "errand": Errand.ASK, "progress": Progress.WAITING}
        async with unavailable():
            return len(await self._collection.distinct("approval_id", waits))


_MEMBERS = ("errand", "who", "approval_id", "event", "record_id", "state", "notice", "after")
_WHOLE: Document = {
    **{name: {"$type": "string"} for name in ("_id", *_MEMBERS)},
    "errand": {"$in": list(Errand)},
    "progress": {"$in": list(Progress)},
    "attempts": {"$type": "int"},
}
"""The form of a letter. What somebody else wrote in another form is not read."""
_READ: Document = {**dict.fromkeys((*_MEMBERS, "webhook", "attempts"), True), "now": "$$NOW"}


def _held(letter: Letter) -> Document:
    return {"webhook": PEOPLE + letter.channel, **{name: getattr(letter, name) for name in _MEMBERS}}


def _letter(found: Document) -> Letter:
    members: dict[str, Any] = {name: found[name] for name in _MEMBERS}
    members["errand"] = Errand(members["errand"])
    return Letter(id=found["_id"], channel=found["webhook"].removeprefix(PEOPLE), **members)


def _posted(found: Document) -> Posted:
    progress, errand = Progress(found["progress"]), Errand(found["errand"])
    return Posted(errand, progress, found.get("handle", ""), found.get("shown", 0))
