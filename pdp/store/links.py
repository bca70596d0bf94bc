"""The links of chat accounts to people: one document each, by the account, so that an account has one person."""

from collections.abc import Collection, Sequence

from pymongo.errors import DuplicateKeyError

from pdp.account import Link
from pdp.store.database import Database, Document, unavailable
from pdp.store.sessions import stamp, text

_SCHEMA_VERSION = 1
"""The version of these documents."""


class StoredLinks:
    """What is stored is not trusted here: who reads a link holds it against its signature."""

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("links")
        self._ended = database.database.get_collection("links_ended")

    async def insert(self, link: Link) -> bool:
        """Store a new link; False where its account has one."""
        members = {"identity": link.identity, "at": link.at, "seal": link.seal}
        try:
            async with unavailable():
                await self._collection.insert_one({"_id": link.account, "schema_version": _SCHEMA_VERSION, **members})
        except DuplicateKeyError:
            return False
        return True

    async def of_accounts(self, accounts: Collection[str]) -> Sequence[Link]:
        """The links of these accounts."""
        return await self._found({"_id": {"$in": sorted(accounts)}})

    async def of_person(self, identity: str) -> Sequence[Link]:
        """The links of a person."""
        return await self._found({"identity": {"$eq": identity}})

    async def remove(self, link: Link) -> bool:
        """Take a link away as it was found; False where it has changed or ended since."""
        this = {"_id": {"$eq": link.account}, "seal": {"$eq": link.seal}} if link.seal else {"_id": link.account}
        async with unavailable():
            return bool((await self._collection.delete_one(this)).deleted_count)

    async def keep_ended(self, link: Link) -> None:
        """Keep that an account was once a person's."""
        this = {"_id": f"{link.account} {link.identity}"}
        members = {"account": link.account, "identity": link.identity, "at": link.at, "seal": link.seal}
        async with unavailable():
            await self._ended.replace_one(this, {**this, "schema_version": _SCHEMA_VERSION, **members}, upsert=True)

    async def ended_of(self, accounts: Collection[str]) -> Sequence[Link]:
        """What is kept of ended links of these accounts."""
        async with unavailable():
            found = await self._ended.find({"account": {"$in": sorted(accounts)}}).to_list()
        return [_read({**document, "_id": document.get("account")}) for document in found]

    async def _found(self, this: Document) -> Sequence[Link]:
        async with unavailable():
            found = await self._collection.find(this).to_list()
        return [_read(document) for document in found]


def _read(document: Document) -> Link:
    """The link in a document. A member that no server wrote so is another value, which no signature fits."""
    members = {name: text(document.get(name)) for name in ("identity", "seal")}
    return Link(account=text(document["_id"]), at=stamp(document.get("at")), **members)
