"""The indexes of the collections, among them those that keep something unique and those that let it end by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pymongo
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure

from pdp.chat_view import VIEW_COUNTS
from pdp.errors import SetupError
from pdp.passkey import NONCE_COUNTS
from pdp.session import LOGIN_TAKES_AT_MOST, LONGEST

_NEW_INDEX_SECONDS = 600.0
"""Seconds that MongoDB may take to read a log of an older version for an index that it lacks."""


@dataclass(frozen=True, slots=True)
class Partial:
    """An index on those records that are not like most, by one of their members; it took the place of `before`."""

    name: str
    member: str
    filter: Mapping[str, Any]
    before: str

    async def make(self, records: AsyncCollection[dict[str, Any]]) -> None:
        """Make it if it is missing."""
        await records.create_index(
            [(self.member, 1), ("_id", -1)], name=self.name, partialFilterExpression=dict(self.filter)
        )


NO_DECISION = {"$or": [{"kind": {"$lt": "decision"}}, {"kind": {"$gt": "decision"}}]}
"""The records that are not of decisions, as MongoDB takes it for an index."""
OF_RECORDS = (
    Partial("of_approval", "approval_id", {"approval_id": {"$exists": True}}, "by_approval"),
    Partial("of_kind", "kind", NO_DECISION, "by_kind"),
)
"""The partial indexes on records. Most are of decisions without an approval, and each index costs MongoDB a quarter of
what a record does."""
KEPT_USES_SECONDS = 24 * 3600
"""The time for which the claim of a mask job is stored: a use is repeated for 30 seconds, and a day is far beyond."""
KEPT_UNMASKINGS_SECONDS = 25 * 3600
"""The time for which it is stored how far an unmasking is: a day, in which it may go on, and an hour more."""
KEPT_TASKS_SECONDS = 25 * 3600
"""The time for which a task without an approval is stored: a day behind the quarter of an hour that its result counts,
so that a retry finds it. The task of an approval is stored as long as that."""
KEPT_SIGNATURES_SECONDS = 900
"""The time for which the signatures of a chat are stored: each counts for 5 minutes before and after its time."""
KEPT_REFUSALS_SECONDS = 7 * 24 * 3600
"""The time for which it is stored how many clicks were refused in an hour, where no server sums it up before."""

KEPT_LETTERS_SECONDS = 30 * 24 * 3600
"""The time for which messages for people are stored behind the end of their approval."""
KEPT_TOLD_SECONDS = 2 * 3600
"""The time for which it is stored whom a channel told: an hour counts."""
KEPT_SESSIONS_SECONDS = int(LONGEST.total_seconds()) + 24 * 3600
"""The time after its last renewal at which a session goes that no sweep ended: a day later than it counts."""


async def make_indexes(database: AsyncDatabase[dict[str, Any]]) -> None:
    """Make every index that is missing. Raises `SetupError`."""
    try:
        await _index_approvals(database)
        await _index_the_log(database)
        await _index_masking(database)
        await _index_tasks(database)
        await _index_lineage(database)
        await _index_sessions(database)
        await _index_chats(database)
    except OperationFailure as error:
        raise SetupError(f"MongoDB refused to make an index (code {error.code}); the user needs createIndex") from None


async def _index_approvals(database: AsyncDatabase[dict[str, Any]]) -> None:
    approvals = database.get_collection("approvals")
    await approvals.create_index(
        [("caller", 1), ("digest", 1)],
        name="one_pending",
        unique=True,
        partialFilterExpression={"state": {"$eq": "PENDING"}},
    )
    await approvals.create_index(
        [("caller", 1), ("request_ids", 1)],
        name="one_request_id",
        unique=True,
        partialFilterExpression={"request_ids": {"$exists": True}},
    )
    await approvals.create_index(
        [("caller", 1), ("digest", 1), ("closed_at", -1)],
        name="denied",
        partialFilterExpression={"state": {"$eq": "DENIED"}},
    )
    await approvals.create_index(
        [("reviews.suggestion_digest", 1)],
        name="suggesting",
        partialFilterExpression={"reviews.suggestion_digest": {"$exists": True}},
    )
    await approvals.create_index(
        [("addressees", 1), ("due_at", 1), ("_id", 1)],
        name="queue",
        partialFilterExpression={"state": {"$eq": "PENDING"}},
    )
    await approvals.create_index([("addressees", 1), ("_id", -1)], name="history")
    await approvals.create_index(
        [("remind_at", 1)],
        name="to_remind",
        partialFilterExpression={"state": {"$eq": "PENDING"}, "remind_at": {"$exists": True}},
    )
    await approvals.create_index([("caller", 1), ("digest", 1), ("_id", -1)], name="same_request")
    await approvals.create_index([("caller", 1), ("_id", -1)], name="mine")
    await approvals.create_index([("principals", 1), ("_id", -1)], name="in_my_name")
    await approvals.create_index([("state", 1), ("_id", -1)], name="by_state")
    await approvals.create_index([("caller", 1), ("kind", 1), ("state", 1), ("_id", -1)], name="same_kind")
    await approvals.create_index(
        [("updated_at", 1)], name="undelivered", partialFilterExpression={"outbox.0": {"$exists": True}}
    )
    await approvals.create_index(
        [("untold.record", 1)], name="untold", partialFilterExpression={"untold.record": {"$exists": True}}
    )


async def _index_the_log(database: AsyncDatabase[dict[str, Any]]) -> None:
    records, writers = database.get_collection("records"), database.get_collection("writers")
    batches = database.get_collection("batches")
    await batches.create_index([("ids", 1)], name="by_record")
    with pymongo.timeout(_NEW_INDEX_SECONDS):
        await batches.create_index([("posted", 1)], name="posted_once", unique=True, sparse=True)
    await records.create_index([("effect", 1), ("_id", -1)], name="by_effect")
    if await records.find_one({}, ["_id"]) is None:  # else the sweep makes them, beside the work
        for partial in OF_RECORDS:
            await partial.make(records)
    await writers.create_index([("closed", 1), ("heartbeat", 1)], name="silent")
    notifications = database.get_collection("notifications")
    await notifications.create_index([("approval_id", 1), ("_id", 1)], name="by_approval")
    await notifications.create_index(
        [("webhook", 1), ("due_at", 1)], name="due", partialFilterExpression={"progress": {"$eq": "waiting"}}
    )
    kept = KEPT_LETTERS_SECONDS
    await notifications.create_index([("over_at", 1)], name="over", expireAfterSeconds=kept)
    await notifications.create_index(
        [("who", 1), ("errand", 1)], name="of_person", partialFilterExpression={"progress": {"$eq": "waiting"}}
    )
    await database.get_collection("told").create_index([("at", 1)], name="over", expireAfterSeconds=KEPT_TOLD_SECONDS)


async def _index_masking(database: AsyncDatabase[dict[str, Any]]) -> None:
    quotas = database.get_collection("quotas")
    await quotas.create_index([("expires_at", 1)], name="over", expireAfterSeconds=0)
    uses = database.get_collection("uses")
    await uses.create_index([("at", 1)], name="over", expireAfterSeconds=KEPT_USES_SECONDS)
    unmaskings = database.get_collection("unmaskings")
    await unmaskings.create_index([("at", 1)], name="over", expireAfterSeconds=KEPT_UNMASKINGS_SECONDS)
    await unmaskings.create_index(
        [("caller", 1), ("request_id", 1)],
        name="one_request_id",
        unique=True,
        partialFilterExpression={"request_id": {"$exists": True}},
    )


async def _index_tasks(database: AsyncDatabase[dict[str, Any]]) -> None:
    tasks = database.get_collection("tasks")
    await tasks.create_index(
        [("approval_id", 1)],
        name="one_of_an_approval",
        unique=True,
        partialFilterExpression={"approval_id": {"$exists": True}},
    )
    await tasks.create_index(
        [("caller", 1), ("keys", 1)],
        name="one_of_a_key",
        unique=True,
        partialFilterExpression={"keys": {"$exists": True}},
    )
    await tasks.create_index([("settled_at", 1)], name="over", expireAfterSeconds=KEPT_TASKS_SECONDS)


async def _index_lineage(database: AsyncDatabase[dict[str, Any]]) -> None:
    log = database.get_collection("lineage_log")
    await log.create_index([("seen", 1)], name="lineage_seen", unique=True, sparse=True)


async def _index_sessions(database: AsyncDatabase[dict[str, Any]]) -> None:
    """What has ended by MongoDB's clock goes by itself; sessions by a sweep, which records it, or a day later."""
    sessions, logins = database.get_collection("sessions"), database.get_collection("logins")
    await sessions.create_index([("used_at", 1), ("began_at", 1)], name="by_use")
    await sessions.create_index([("began_at", 1), ("used_at", 1)], name="by_begin")
    await sessions.create_index([("renewed_at", 1)], name="left_over", expireAfterSeconds=KEPT_SESSIONS_SECONDS)
    await sessions.create_index([("issuer", 1), ("identity", 1)], name="of_person")
    await sessions.create_index([("issuer", 1), ("sid", 1)], name="of_login")
    nonces, passkeys = database.get_collection("nonces"), database.get_collection("passkeys")
    await nonces.create_index([("at", 1)], name="over", expireAfterSeconds=int(NONCE_COUNTS.total_seconds()))
    await passkeys.create_index([("held.id", 1)], name="one_person", unique=True)
    await database.get_collection("links").create_index([("identity", 1)], name="of_person")
    kept = int(LOGIN_TAKES_AT_MOST.total_seconds())
    await logins.create_index([("at", 1)], name="over", expireAfterSeconds=kept)


async def _index_chats(database: AsyncDatabase[dict[str, Any]]) -> None:
    views, signatures = database.get_collection("chat_views"), database.get_collection("chat_signatures")
    await views.create_index([("at", 1)], name="over", expireAfterSeconds=int(VIEW_COUNTS.total_seconds()))
    await signatures.create_index([("at", 1)], name="over", expireAfterSeconds=KEPT_SIGNATURES_SECONDS)
    kept = KEPT_REFUSALS_SECONDS
    await database.get_collection("refused_clicks").create_index([("hour", 1)], name="over", expireAfterSeconds=kept)
