"""The last login of each person: one document each."""

from pdp.last_login import LastLogin
from pdp.store.database import Database, unavailable
from pdp.store.sessions import stamp, text

_SCHEMA_VERSION = 1
"""The version of these documents."""


class StoredLastLogins:
    """What is stored is not trusted here: who reads a login holds it against its signature."""

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("last_logins")

    async def put(self, login: LastLogin) -> None:
        """Store a login in the place of the one before."""
        members = {
            "issuer": login.issuer,
            "roles": list(login.roles),
            "email": login.email,
            "at": login.at,
            "seal": login.seal,
        }
        this = {"_id": {"$eq": login.identity}}
        async with unavailable():
            await self._collection.update_one(
                this, {"$set": {"schema_version": _SCHEMA_VERSION, **members}}, upsert=True
            )

    async def find(self, identity: str) -> LastLogin | None:
        """The last login of a person."""
        async with unavailable():
            found = await self._collection.find_one({"_id": {"$eq": identity}})
        if found is None:
            return None
        roles = found.get("roles")
        members = {name: text(found.get(name)) for name in ("issuer", "email", "seal")}
        held = tuple(text(role) for role in (roles if isinstance(roles, list) else []))
        return LastLogin(identity=identity, roles=held, at=stamp(found.get("at")), **members)

    async def remove(self, identity: str) -> None:
        """Forget the last login of a person."""
        async with unavailable():
            await self._collection.delete_one({"_id": {"$eq": identity}})
