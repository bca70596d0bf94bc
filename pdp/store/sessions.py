"""The sessions of people with the pages: one document each, changed by compare-and-set on its signature."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pdp.session import IDLE, LONGEST, Session
from pdp.store.database import Database, Document, unavailable

_SCHEMA_VERSION = 1
"""The version of these documents."""
_STORED = ("identity", "issuer", "sid", "claims", "began_at", "renewed_at", "used_at", "seal")
_TIMES = frozenset({"began_at", "renewed_at", "used_at"})
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class StoredSessions:
    """What is stored is not trusted here: who reads a session holds it against its signature."""

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("sessions")

    async def insert(self, session: Session) -> None:
        """Store a new session."""
        async with unavailable():
            await self._collection.insert_one({"_id": session.id, **_held(session)})

    async def find(self, session_id: str) -> tuple[Session, datetime] | None:
        """The session with this id, and MongoDB's time."""
        shown: Document = {**dict.fromkeys(_STORED, 1), "now": "$$NOW"}
        async with unavailable():
            found = await self._collection.find_one({"_id": {"$eq": session_id}}, shown)
        return (_read(found), found["now"]) if found else None

    async def replace(self, old: Session, new: Session) -> bool:
        """Put a session into the place of what was found; False where it has changed or ended since."""
        this = {"_id": {"$eq": old.id}, "seal": {"$eq": old.seal}}
        async with unavailable():
            return bool((await self._collection.update_one(this, {"$set": _held(new)})).matched_count)

    async def remove(self, session_id: str) -> bool:
        """End a session; False where it has ended already."""
        async with unavailable():
            return bool((await self._collection.delete_one({"_id": {"$eq": session_id}})).deleted_count)

    async def over(self, now: datetime, most: int) -> Sequence[Session]:
        """At most so many sessions that have run out."""
        ended = [{"used_at": {"$lte": now - IDLE}}, {"began_at": {"$lte": now - LONGEST}}]
        async with unavailable():
            found = await self._collection.find({"$or": ended}).limit(most).to_list()
        return [_read(document) for document in found]

    async def of_person(self, issuer: str, identity: str, sid: str) -> Sequence[Session]:
        """The sessions of an issuer's person, or of one session there; empty texts stand for any."""
        named = {"identity": identity, "sid": sid}
        this: Document = {"issuer": {"$eq": issuer}, **{name: {"$eq": text} for name, text in named.items() if text}}
        async with unavailable():
            found = await self._collection.find(this).to_list()
        return [_read(document) for document in found]


def _held(session: Session) -> Document:
    return {"schema_version": _SCHEMA_VERSION, **{name: getattr(session, name) for name in _STORED}}


def _read(document: Document) -> Session:
    """The session in a document. A member that no server wrote so is another value, which no signature fits."""
    members: dict[str, Any] = {
        name: stamp(document.get(name)) if name in _TIMES else text(document.get(name)) for name in _STORED
    }
    return Session(id=document["_id"], **members)


def text(value: Any) -> str:
    """A text of a document; empty where it is none."""
    return value if isinstance(value, str) else ""


def stamp(value: Any) -> datetime:
    """A time of a document; one long ago where it is none."""
    return value if isinstance(value, datetime) else _LONG_AGO
