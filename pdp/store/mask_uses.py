"""The use of a decision by a mask job, where the decision was given before there was a job. No other job gets it."""

from datetime import datetime

from pymongo.errors import DuplicateKeyError

from pdp.errors import DecisionUsed
from pdp.store.database import Database, unavailable

_SCHEMA_VERSION = 1
"""The version of these documents."""


class MaskUses:
    """One document for each decision that a job claimed after it was given. It is inserted once and never changed.

    A job that is there before its decision is claimed in the use itself (`approval.Use`). A claim that MongoDB did not
    confirm may be there: then the work did not begin, and nobody can begin it any more.
    """

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("uses")

    async def begin(self, decision_id: str, action: str, claim: str) -> None:
        """Claim the decision for one job. Raises `DecisionUsed` if another has it."""
        ours = {"_id": decision_id, "claim": claim}
        first = {"$setOnInsert": {"action": action, "schema_version": _SCHEMA_VERSION}, "$currentDate": {"at": True}}
        try:
            async with unavailable():
                await self._collection.update_one(ours, first, upsert=True)
        except DuplicateKeyError:
            raise await self._used(decision_id) from None

    async def _used(self, decision_id: str) -> DecisionUsed:
        async with unavailable():
            found = await self._collection.find_one({"_id": decision_id})
        return decision_used(found["action"] if found else "mask", decision_id, found["at"] if found else None)


def decision_used(action: str, decision_id: str, at: datetime | None) -> DecisionUsed:
    """The error where a job began to `action` under a decision, at this time where it is known."""
    when = f" at {at:%Y-%m-%dT%H:%M:%SZ}" if at else ""
    return DecisionUsed(
        f"a job began to {action} under {decision_id}{when}, and a decision is used once; take a new request_id, "
        "and a new approval where one is needed",
        decision_id=decision_id,
    )
