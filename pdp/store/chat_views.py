"""The views that are open in chats: one document each, which is taken once; and signatures that were seen."""

from dataclasses import fields
from typing import Any

from pymongo.errors import DuplicateKeyError

from pdp.chat_view import VIEW_COUNTS, ChatView
from pdp.store.database import Database, Document, unavailable
from pdp.store.sessions import stamp, text

_SCHEMA_VERSION = 1
"""The version of these documents."""
_STORED = tuple(member.name for member in fields(ChatView) if member.name != "id")


class StoredChatViews:
    """What is stored is not trusted here: who takes a view holds it against its signature."""

    def __init__(self, database: Database) -> None:
        self._views = database.database.get_collection("chat_views")
        self._signatures = database.database.get_collection("chat_signatures")

    async def insert(self, view: ChatView) -> None:
        """Store a new view."""
        members = {name: getattr(view, name) for name in _STORED}
        async with unavailable():
            await self._views.insert_one({"_id": view.id, "schema_version": _SCHEMA_VERSION, **members})

    async def take(self, view_id: str, account: str) -> ChatView | None:
        """Take a view of this account away, if it is there and not too old."""
        ends = {"$add": ["$at", int(VIEW_COUNTS.total_seconds() * 1000)]}
        this: Document = {"_id": {"$eq": view_id}, "account": {"$eq": account}, "$expr": {"$gt": [ends, "$$NOW"]}}
        async with unavailable():
            found = await self._views.find_one_and_delete(this)
        return ChatView(id=view_id, **{name: _member(name, found.get(name)) for name in _STORED}) if found else None

    async def is_new(self, signature: str) -> bool:
        """Whether no process of this deployment has seen this signature; from now on it has."""
        this: Document = {"_id": {"$eq": signature}, "at": {"$exists": False}}
        seen: Document = {"schema_version": _SCHEMA_VERSION, "at": "$$NOW"}
        try:
            async with unavailable():
                await self._signatures.update_one(this, [{"$set": seen}], upsert=True)
        except DuplicateKeyError:
            return False
        return True


def _member(name: str, value: Any) -> Any:
    """A member of a document. One that no server wrote so is another value, which no signature fits."""
    if name == "version":
        return value if type(value) is int else 0
    return stamp(value) if name == "at" else text(value)
