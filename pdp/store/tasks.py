"""The tasks of access requests, each beside its approval: an id that says nothing, and the keys that submitted it."""

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from pdp import access_request
from pdp.access_request import Task
from pdp.approval import Approval
from pdp.errors import InvalidRequest
from pdp.store.database import Database, Document, unavailable

MAX_KEYS = 16
"""Keys under which a task may have been submitted: they are kept, and nobody needs more."""
_SCHEMA_VERSION = 1
"""The version of these documents."""


class Tasks:
    """One document for each task. An approval has one task at most, and so has a caller's key."""

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("tasks")

    async def of_caller(self, caller: str, task_id: str) -> Task | None:
        """The task with this id, if this caller submitted it."""
        return await self._one({"_id": {"$eq": task_id}, "caller": {"$eq": caller}})

    async def by_key(self, caller: str, key: str) -> Task | None:
        """The task that this caller submitted under this key; none without a key."""
        return await self._one({"caller": {"$eq": caller}, "keys": {"$eq": key}}) if key else None

    async def of_approval(self, approval: Approval, key: str) -> Task | None:
        """The task of an approval, made where it has none. `key` may be empty. None where another call was faster.

        Raises `InvalidRequest` where the task has as many keys as it may, and this is another one.
        """
        this: Document = {"approval_id": {"$eq": approval.id}}
        full = {f"keys.{MAX_KEYS - 1}": {"$exists": True}, "keys": {"$ne": key}}
        room = {"$nor": [full]} if key else {}
        first = _first(approval.caller, approval.digest)
        found = await self._kept({**this, **room}, {"$setOnInsert": first}, key)
        if found is None and key and await self._one({**this, **full}):
            sentence = f"this request was submitted under {MAX_KEYS} keys before; send one of them, or none"
            raise InvalidRequest.field("request_id", sentence)
        return found

    async def settled(self, caller: str, digest: str, key: str) -> Task | None:
        """A new task that needs no approval. None where another call with the same key was faster."""
        this = {"_id": {"$eq": access_request.new_id()}}
        first = _first(caller, digest)
        del first["_id"]
        return await self._kept(this, {"$setOnInsert": first, "$currentDate": {"settled_at": True}}, key)

    async def _kept(self, this: Document, update: Document, key: str) -> Task | None:
        if key:
            update["$addToSet"] = {"keys": key}
        try:
            async with unavailable():
                found = await self._collection.find_one_and_update(
                    this, update, upsert=True, return_document=ReturnDocument.AFTER
                )
        except DuplicateKeyError:
            return None
        return _read(found) if found else None

    async def _one(self, condition: Document) -> Task | None:
        async with unavailable():
            found = await self._collection.find_one(condition)
        return _read(found) if found else None


def _first(caller: str, digest: str) -> Document:
    return {"_id": access_request.new_id(), "caller": caller, "digest": digest, "schema_version": _SCHEMA_VERSION}


def _read(document: Document) -> Task:
    return Task(
        id=document["_id"],
        caller=document["caller"],
        digest=document["digest"],
        approval_id=document.get("approval_id", ""),
        settled_at=document.get("settled_at"),
    )
