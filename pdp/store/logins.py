"""The logins that are under way: one document each, which is taken once."""

from typing import Any

from pdp.session import LOGIN_TAKES_AT_MOST, Login
from pdp.store.database import Database, unavailable
from pdp.store.sessions import stamp, text

_SCHEMA_VERSION = 1
"""The version of these documents."""
_STORED = ("browser", "back", "renews", "at", "use", "seal")


class StoredLogins:
    """What is stored is not trusted here: who takes a login holds it against its signature."""

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("logins")

    async def insert(self, login: Login) -> None:
        """Store a new login."""
        members = {name: getattr(login, name) for name in _STORED}
        async with unavailable():
            await self._collection.insert_one({"_id": login.id, "schema_version": _SCHEMA_VERSION, **members})

    async def take(self, login_id: str, browser: str) -> Login | None:
        """Take a login of this browser away, if it is there and not too old."""
        ends = {"$add": ["$at", int(LOGIN_TAKES_AT_MOST.total_seconds() * 1000)]}
        this = {"_id": {"$eq": login_id}, "browser": {"$eq": browser}, "$expr": {"$gt": [ends, "$$NOW"]}}
        async with unavailable():
            found = await self._collection.find_one_and_delete(this)
        if found is None:
            return None
        members: dict[str, Any] = {
            name: stamp(found.get(name)) if name == "at" else text(found.get(name)) for name in _STORED
        }
        return Login(id=found["_id"], **members)
