"""The queue of pending approvals: of those that some words reach, the nearest deadline first. One index serves it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from pdp import addressee
from pdp.approval import ApprovalAt, State
from pdp.requirement import Requirement
from pdp.store.addressees import Addressees
from pdp.store.approval_document import from_document
from pdp.store.approvals import FOUND
from pdp.store.database import Database, Document, unavailable
from pdp.store.deadlines import current


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the queue an approval stands."""

    due_at: datetime
    approval_id: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a page is narrowed to, where it is set.

    `person` is behind the request, `group` is one that a requirement asks for, `named` is whom one asks for by name.
    """

    action: str = ""
    resource_type: str = ""
    caller: str = ""
    person: str = ""
    group: str = ""
    named: str = ""


EVERYTHING = Wanted()
"""Nothing is left out."""


class Queue:
    """Reads pages of pending approvals whose time is not over."""

    def __init__(self, database: Database) -> None:
        self._collection, self._addressees = database.database.get_collection("approvals"), Addressees(database)

    async def asked(self) -> dict[str, Requirement]:
        """Every word of a group or of claims, with the requirement that asks for it alone."""
        return await self._addressees.all()

    async def page(
        self,
        words: Sequence[str],
        out: Collection[str],
        after: Place | None,
        limit: int,
        wanted: Wanted = EVERYTHING,
    ) -> list[tuple[Place, ApprovalAt]]:
        """At most `limit` behind `after`, without those that somebody in `out` requested or has reviewed."""
        names = sorted(out)
        condition: Document = {
            **current(State.PENDING),
            "addressees": {"$in": list(words)},
            "principals": {"$nin": names},
            "reviews.person": {"$nin": names},
            "reviews.reviewer": {"$nin": names},
            "due_at": {"$type": "date"},
        }
        if narrower := _narrower(wanted):
            condition["$and"] = narrower
        if after is not None:
            condition["due_at"]["$gte"] = after.due_at
            later = {"due_at": {"$gt": after.due_at}}
            condition["$or"] = [later, {"due_at": after.due_at, "_id": {"$gt": after.approval_id}}]
        async with unavailable():
            found = self._collection.find(condition, FOUND, limit=limit, hint="queue")
            return [_placed(one) async for one in found.sort([("due_at", 1), ("_id", 1)])]


def _narrower(wanted: Wanted) -> list[Document]:
    """The conditions of what is wanted; each value is a literal."""
    asked = [addressee.of_group(wanted.group)] if wanted.group else []
    asked += [addressee.of_identity(wanted.named)] if wanted.named else []
    conditions: list[Document] = [{"addressees": {"$eq": word}} for word in asked]
    conditions += [{"caller": {"$eq": wanted.caller}}] if wanted.caller else []
    conditions += [{"principals": {"$eq": wanted.person}}] if wanted.person else []
    parts = enumerate((wanted.action, wanted.resource_type))
    return conditions + [_of_kind(part, name) for part, name in parts if name]


def _of_kind(part: int, name: str) -> Document:
    """That a part of the kind, which `canonical.kind` joins, is this name."""
    parts = {"$split": ["$kind", "\n"]}
    return {"$expr": {"$eq": [{"$arrayElemAt": [parts, part]}, {"$literal": name}]}}


def _placed(found: Document) -> tuple[Place, ApprovalAt]:
    document = found["document"]
    return Place(document["due_at"], document["_id"]), ApprovalAt(from_document(document), found["now"])
