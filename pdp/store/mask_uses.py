"""The use of a decision by a mask job. A job claims its decision before it opens any content; no other job gets it."""

from pymongo.errors import DuplicateKeyError

from pdp import identifier
from pdp.errors import DecisionUsed
from pdp.store.database import Database, unavailable

_SCHEMA_VERSION = 1
"""The version of these documents."""


class MaskUses:
    """One document for each decision that a job began to work under. It is inserted once and never changed.

    A claim that MongoDB did not confirm may be there: then the work did not begin, and nobody can begin it any more.
    """

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("uses")

    async def begin(self, decision_id: str, action: str) -> str:
        """Claim the decision for one job and return the id of the claim. Raises `DecisionUsed` if another has it."""
        claim = identifier.new("use")
        ours = {"_id": decision_id, "claim": claim}
        first = {"$setOnInsert": {"action": action, "schema_version": _SCHEMA_VERSION}, "$currentDate": {"at": True}}
        try:
            async with unavailable():
                await self._collection.update_one(ours, first, upsert=True)
        except DuplicateKeyError:
            raise await self._used(decision_id) from None
        return claim

    async def _used(self, decision_id: str) -> DecisionUsed:
        async with unavailable():
            found = await self._collection.find_one({"_id": decision_id})
        when = f" at {found['at']:%Y-%m-%dT%H:%M:%SZ}" if found else ""
        action = found["action"] if found else "mask"
        return DecisionUsed(
            f"a job began to {action} under {decision_id}{when}, and a decision is used once; take a new request_id, "
            "and a new approval where one is needed",
            decision_id=decision_id,
        )
