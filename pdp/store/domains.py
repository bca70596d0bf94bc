"""The declaration of each mask domain at its first use. Equal values have equal tokens only if it never changes."""

from collections.abc import Mapping
from typing import Any

import orjson
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from pdp.domain import fixed
from pdp.errors import MaskPlanRefused
from pdp.store.database import Database, unavailable


class Domains:
    """One document for each domain of a realm. It is inserted once and never changed."""

    def __init__(self, database: Database, realm: str) -> None:
        self._collection = database.database.get_collection("domains")
        self._realm = realm
        self._known: dict[str, bytes] = {}

    async def used(self) -> dict[str, Any]:
        """The declarations of all domains that were ever used in this realm."""
        async with unavailable():
            found = await self._collection.find({"_id.realm": {"$eq": self._realm}}).to_list()
        return {document["_id"]["name"]: orjson.loads(document["declaration"]) for document in found}

    async def require(self, declarations: Mapping[str, Any]) -> None:
        """Raise `MaskPlanRefused` if a declaration differs from the one at the domain's first use."""
        for name, declaration in declarations.items():
            if name not in self._known:
                async with unavailable():
                    document = await self._collection.find_one({"_id": self._id(name)})
                if document is None:
                    continue
                self._known[name] = bytes(document["declaration"])
            self._compare(name, declaration)

    async def claim(self, declarations: Mapping[str, Any]) -> None:
        """Store the declaration of each domain that is used for the first time. Raises like `require`.

        If two calls are the first at once, the declaration of one of them counts for both.
        """
        for name, declaration in declarations.items():
            if name not in self._known:
                self._known[name] = await self._first(name, _canonical(declaration))
            self._compare(name, declaration)

    async def _first(self, name: str, declaration: bytes) -> bytes:
        place, first = {"_id": self._id(name)}, {"$setOnInsert": {"declaration": declaration}}
        while True:
            try:
                async with unavailable():
                    stored = await self._collection.find_one_and_update(
                        place, first, upsert=True, return_document=ReturnDocument.AFTER
                    )
            except DuplicateKeyError:  # two were first at once
                continue
            if stored is not None:
                return bytes(stored["declaration"])

    def _compare(self, name: str, declaration: Any) -> None:
        if self._known[name] != _canonical(declaration):
            raise MaskPlanRefused(
                f"the domain {name} is declared differently than at its first use, so its tokens would not join; "
                "declare it as it was, and put the new declaration under a new name",
                domain=name,
            )

    def _id(self, name: str) -> dict[str, str]:
        return {"realm": self._realm, "name": name}


def _canonical(declaration: Any) -> bytes:
    """What of a declaration may not change, as it is stored."""
    return orjson.dumps(fixed(declaration), option=orjson.OPT_SORT_KEYS)
