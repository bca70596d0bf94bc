"""How people chose to be told: one document for each person."""

from pdp.preference import Preference
from pdp.store.database import Database, unavailable
from pdp.store.sessions import stamp, text

_SCHEMA_VERSION = 1
"""The version of these documents."""


class StoredPreferences:
    """What is stored is not trusted here: who reads a preference holds it against its signature."""

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("preferences")

    async def put(self, preference: Preference) -> None:
        """Store a preference in the place of the one before."""
        members = {
            "schema_version": _SCHEMA_VERSION,
            "muted": list(preference.muted),
            "quiet": preference.quiet,
            "at": preference.at,
            "seal": preference.seal,
        }
        async with unavailable():
            await self._collection.replace_one({"_id": {"$eq": preference.identity}}, members, upsert=True)

    async def find(self, identity: str) -> Preference | None:
        """What a person chose."""
        async with unavailable():
            found = await self._collection.find_one({"_id": {"$eq": identity}})
        if found is None:
            return None
        muted = found.get("muted")
        return Preference(
            identity=identity,
            muted=tuple(text(name) for name in (muted if isinstance(muted, list) else [])),
            quiet=text(found.get("quiet")),
            at=stamp(found.get("at")),
            seal=text(found.get("seal")),
        )

    async def remove(self, preference: Preference) -> bool:
        """Take a preference away as it was found; False where it has changed or is gone."""
        this = {"_id": {"$eq": preference.identity}}
        as_found = {**this, "seal": {"$eq": preference.seal}} if preference.seal else this
        async with unavailable():
            return bool((await self._collection.delete_one(as_found)).deleted_count)
