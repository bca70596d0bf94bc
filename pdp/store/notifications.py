"""Messages to webhooks: which steps of approvals are untold, and how far each message got.

An untold step lies in the approval's document, put there by the step's own compare-and-set. A message is a document of
its own, inserted once; `claim` and what follows are compare-and-sets on its `attempts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import orjson
from bson.binary import Binary
from pymongo.errors import DuplicateKeyError

from pdp.approval import EVENTS
from pdp.audit.record import Entry
from pdp.notify.message import Step
from pdp.store.database import Database, Document, unavailable

_SAID = {
    "caller": True,
    "request": True,
    "requirements.groups": True,
    "untold": True,
    "created_at": True,
    "approved_at": True,
    "pending_for_ms": True,
    "valid_for_ms": True,
}
"""What a step is made of; nothing else of an approval is read here."""
_AT_ONCE = datetime.fromtimestamp(0, UTC)
_DEADLINES = {"PENDING": ("created_at", "pending_for_ms"), "APPROVED": ("approved_at", "valid_for_ms")}


class Progress(StrEnum):
    """How far a message got; the names are the contract's."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Notification:
    """A message as its readers see it."""

    webhook: str
    event: str
    progress: Progress
    attempts: int
    problem: str
    tried_at: datetime | None


@dataclass(frozen=True, slots=True)
class Due:
    """A message whose next attempt is due; `now` is MongoDB's time when it was read."""

    id: str
    record_id: str
    message: bytes
    attempts: int
    now: datetime


class Notifications:
    """Untold steps, and messages."""

    def __init__(self, database: Database) -> None:
        self._approvals = database.database.get_collection("approvals")
        self._collection = database.database.get_collection("notifications")

    async def untold(self, limit: int) -> list[Step]:
        """Steps of up to `limit` approvals whose records are all in the log."""
        condition = {"untold.record": {"$exists": True}, "outbox.0": {"$exists": False}}
        async with unavailable():
            cursor = self._approvals.find(condition, _SAID, limit=limit)
            return [step async for document in cursor for step in _steps(document)]

    async def add(self, webhook: str, step: Step, body: bytes) -> None:
        """Insert a message, due at once; one that is there stays as it is."""
        document = {
            "_id": f"{step.record_id}/{webhook}",
            "approval_id": step.approval_id,
            "webhook": webhook,
            "event": step.event,
            "record_id": step.record_id,
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

    async def told(self, step: Step) -> None:
        """Every message about this step is there."""
        change = {"$pull": {"untold": {"record": step.record_id}}}
        async with unavailable():
            await self._approvals.update_one({"_id": {"$eq": step.approval_id}}, change)

    async def due(self, webhook: str, limit: int) -> list[Due]:
        """Messages to a webhook whose next attempt is due, the longest due first."""
        condition = {"webhook": webhook, "progress": Progress.WAITING, "$expr": {"$lte": ["$due_at", "$$NOW"]}}
        projection = {"record_id": True, "message": True, "attempts": True, "now": "$$NOW"}
        async with unavailable():
            cursor = self._collection.find(condition, projection, limit=limit).sort("due_at", 1)
            return [
                Due(found["_id"], found["record_id"], bytes(found["message"]), found["attempts"], found["now"])
                async for found in cursor
            ]

    async def claim(self, due: Due, wait_seconds: float) -> bool:
        """Begin an attempt and set the time of the next; False where somebody else was faster."""
        change = {
            "$inc": {"attempts": 1},
            "$set": {"due_at": due.now + timedelta(seconds=wait_seconds)},
            "$currentDate": {"tried_at": True},
        }
        return await self._change(due.id, due.attempts, change)

    async def delivered(self, due: Due) -> None:
        """The webhook took it."""
        async with unavailable():
            await self._collection.update_one(
                {"_id": due.id}, {"$set": {"progress": Progress.DELIVERED, "problem": ""}}
            )

    async def failed(self, due: Due, attempts: int, problem: str, *, dead: bool) -> None:
        """The attempt that is number `attempts` came to nothing; `dead` where none follows."""
        change = {"$set": {"progress": Progress.DEAD if dead else Progress.WAITING, "problem": problem}}
        await self._change(due.id, attempts, change)

    async def of_approval(self, approval_id: str) -> list[Notification]:
        """What was sent about an approval, or will be, oldest event first."""
        async with unavailable():
            cursor = self._collection.find({"approval_id": {"$eq": approval_id}}).sort("_id", 1)
            return [_notification(document) async for document in cursor]

    async def _change(self, message_id: str, attempts: int, change: Document) -> bool:
        condition = {"_id": message_id, "progress": Progress.WAITING, "attempts": attempts}
        async with unavailable():
            return (await self._collection.update_one(condition, change)).modified_count == 1


def untold(outbox: Sequence[Entry], after: str) -> list[Document]:
    """What a step that leaves its approval in the state `after` adds to `untold`."""
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
    return Notification(
        webhook=document["webhook"],
        event=document["event"],
        progress=Progress(document["progress"]),
        attempts=document["attempts"],
        problem=document["problem"],
        tried_at=document.get("tried_at"),
    )
