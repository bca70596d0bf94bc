"""Messages to webhooks: the steps of approvals that nobody was told of yet, and the progress of each message.

Messages for people lie beside them (`pdp/store/letters.py`).

1. An untold step is stored in the approval's document, by the compare-and-set of the step itself.
2. A message is a document of its own, inserted once.
3. `claim` and the changes after it are compare-and-sets on the message's `attempts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

import orjson
from bson.binary import Binary
from pymongo.errors import DuplicateKeyError

from pdp.approval import EVENTS
from pdp.audit.record import Entry
from pdp.notify.message import Step
from pdp.store.database import Database, Document, unavailable

_STEP_FIELDS = {
    "caller": True,
    "request": True,
    "requirements.groups": True,
    "untold": True,
    "created_at": True,
    "approved_at": True,
    "pending_for_ms": True,
    "valid_for_ms": True,
}
"""The fields from which a step is made. Nothing else of an approval is read here."""
FORWARD = "lineage:forward"
"""What stands for a webhook where an event of lineage is forwarded. No webhook is called so."""
PEOPLE = "people:"
"""What stands before the name of a channel in the place of a webhook, where a message is for people."""
_AT_ONCE = datetime.fromtimestamp(0, UTC)
_DEADLINES = {"PENDING": ("created_at", "pending_for_ms"), "APPROVED": ("approved_at", "valid_for_ms")}


class Progress(StrEnum):
    """The progress of a message. The names are those of the contract."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"
    UNNEEDED = "unneeded"
    """What it was to tell was over, or told otherwise, before it was sent."""


class Errand(StrEnum):
    """What a letter is for."""

    SPREAD = "spread"
    """Becomes letters for everybody whom a step concerns. It is sent to nobody."""
    ASK = "ask"
    UPDATE = "update"
    REMIND = "remind"
    END = "end"
    NOTE = "note"
    """A sentence about no approval."""
    WAITING = "waiting"
    """Says how many more wait."""


_LISTED = (Errand.ASK, Errand.REMIND, Errand.END)
"""The errands that an approval lists in any case; others only while they wait, or when they failed."""

_SHOWN: Document = {
    "$or": [
        {"errand": {"$exists": False}},
        {"errand": {"$in": list(_LISTED)}},
        {"progress": {"$in": [Progress.WAITING, Progress.DEAD]}},
    ]
}


@dataclass(frozen=True, slots=True)
class Notification:
    """A message as a reader of the approval sees it: to a webhook, or in a `channel` to a person or a group (`to`)."""

    webhook: str
    event: str
    progress: Progress
    attempts: int
    problem: str
    tried_at: datetime | None
    record_id: str = ""
    """The record of what it tells."""
    channel: str = ""
    to: str = ""
    errand: str = ""


class Attempt(Protocol):
    """What a claim needs of a message whose next attempt is due."""

    @property
    def id(self) -> str:
        """The message's id."""

    @property
    def attempts(self) -> int:
        """The attempts so far."""

    @property
    def now(self) -> datetime:
        """MongoDB's time when it was read."""


@dataclass(frozen=True, slots=True)
class Due:
    """A message whose next attempt is due. `now` is MongoDB's time when it was read."""

    id: str
    record_id: str
    message: bytes
    attempts: int
    now: datetime


class Notifications:
    """Reads and changes untold steps and messages."""

    def __init__(self, database: Database) -> None:
        self._approvals = database.database.get_collection("approvals")
        self._collection = database.database.get_collection("notifications")

    async def untold(self, limit: int) -> list[Step]:
        """The untold steps of up to `limit` approvals whose records are all in the log."""
        condition = {"untold.record": {"$exists": True}, "outbox.0": {"$exists": False}}
        async with unavailable():
            cursor = self._approvals.find(condition, _STEP_FIELDS, limit=limit)
            return [step async for document in cursor for step in _steps(document)]

    async def add(self, webhook: str, step: Step, body: bytes) -> None:
        """Insert a message that is due at once. A message that is there stays as it is."""
        await self._insert(step.record_id, webhook, step.event, step.approval_id, body)

    async def _insert(self, message_id: str, webhook: str, event: str, approval_id: str, body: bytes) -> None:
        document = {
            "_id": f"{message_id}/{webhook}",
            "approval_id": approval_id,
            "webhook": webhook,
            "event": event,
            "record_id": message_id,
            "message": Binary(body),
            "progress": Progress.WAITING,
            "attempts": 0,
            "problem": "",
            "due_at": _AT_ONCE,
        }
        try:
            async with unavailable():
                await self._collection.insert_one(document)
        except DuplicateKeyError:
            return

    async def forward(self, message_id: str, body: bytes) -> None:
        """Insert an event of lineage that is due at once at `FORWARD`. One that is there stays as it is."""
        await self._insert(message_id, FORWARD, "lineage", "", body)

    async def told(self, step: Step) -> None:
        """Remove an untold step, because every message about it is stored."""
        change = {"$pull": {"untold": {"record": step.record_id}}}
        async with unavailable():
            await self._approvals.update_one({"_id": {"$eq": step.approval_id}}, change)

    async def due(self, webhook: str, limit: int) -> list[Due]:
        """Messages to a webhook whose next attempt is due. The message that has been due longest comes first."""
        condition = {"webhook": webhook, "progress": Progress.WAITING, "$expr": {"$lte": ["$due_at", "$$NOW"]}}
        projection = {"record_id": True, "message": True, "attempts": True, "now": "$$NOW"}
        async with unavailable():
            cursor = self._collection.find(condition, projection, limit=limit).sort("due_at", 1)
            return [
                Due(found["_id"], found["record_id"], bytes(found["message"]), found["attempts"], found["now"])
                async for found in cursor
            ]

    async def claim(self, due: Attempt, wait_seconds: float) -> bool:
        """Begin an attempt and set the time of the next one. Returns False if another process was faster."""
        change = {
            "$inc": {"attempts": 1},
            "$set": {"due_at": due.now + timedelta(seconds=wait_seconds)},
            "$currentDate": {"tried_at": True},
        }
        return await self._change(due.id, due.attempts, change)

    async def delivered(self, due: Due) -> None:
        """Store that the webhook took the message. An event of lineage is in the log, and is not kept here, too."""
        async with unavailable():
            if due.id.endswith(f"/{FORWARD}"):
                await self._collection.delete_one({"_id": due.id})
                return
            await self._collection.update_one(
                {"_id": due.id}, {"$set": {"progress": Progress.DELIVERED, "problem": ""}}
            )

    async def failed(self, due: Attempt, attempts: int, problem: str, *, dead: bool) -> None:
        """Store that attempt number `attempts` failed; `dead` says that no attempt follows."""
        change = {"$set": {"progress": Progress.DEAD if dead else Progress.WAITING, "problem": problem}}
        await self._change(due.id, attempts, change)

    async def of_approval(self, approval_id: str) -> list[Notification]:
        """The messages about an approval, sent or waiting, oldest event first."""
        async with unavailable():
            cursor = self._collection.find({"approval_id": {"$eq": approval_id}, **_SHOWN}).sort("_id", 1)
            return [_notification(document) async for document in cursor]

    async def _change(self, message_id: str, attempts: int, change: Document) -> bool:
        condition = {"_id": message_id, "progress": Progress.WAITING, "attempts": attempts}
        async with unavailable():
            return (await self._collection.update_one(condition, change)).modified_count == 1


def untold(outbox: Sequence[Entry], after: str) -> list[Document]:
    """The entries that a step adds to `untold`, if it leaves its approval in the state `after`."""
    members = [orjson.loads(entry.record) for entry in outbox]
    return [
        {"record": record["id"], "event": record["kind"], "at": record["time"], "state": after}
        for record in members
        if record["kind"] in EVENTS
    ]


def _steps(document: Document) -> list[Step]:
    groups = sorted({group for requirement in document["requirements"] for group in requirement["groups"]})
    return [
        Step(
            record_id=untold["record"],
            event=untold["event"],
            at=untold["at"],
            state=untold["state"],
            expires_at=_deadline(document, untold["state"]),
            approval_id=document["_id"],
            caller=document["caller"],
            request=bytes(document["request"]),
            groups=groups,
        )
        for untold in document["untold"]
    ]


def _deadline(document: Document, state: str) -> datetime | None:
    if state not in _DEADLINES:
        return None
    stamp, duration = _DEADLINES[state]
    moment: datetime = document[stamp] + timedelta(milliseconds=document[duration])
    return moment


def _notification(document: Document) -> Notification:
    webhook = document["webhook"]
    channel = webhook.removeprefix(PEOPLE) if webhook.startswith(PEOPLE) else ""
    return Notification(
        webhook="" if webhook.startswith(PEOPLE) else webhook,
        event=document["event"],
        progress=Progress(document["progress"]),
        attempts=document["attempts"],
        problem=document["problem"],
        tried_at=document.get("tried_at"),
        record_id=document["record_id"],
        channel=channel,
        to=document.get("who", ""),
        errand=document.get("errand", ""),
    )
