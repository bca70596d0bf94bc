"""The indexes of the collections, among them those that keep something unique and those that let it end by itself."""

from collections.abc import Mapping, Sequence
from typing import Any

import pymongo
from pymongo import IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure, PyMongoError

from pdp.chat_view import VIEW_COUNTS
from pdp.errors import SetupError, StoreUnavailable
from pdp.passkey import NONCE_COUNTS
from pdp.session import LOGIN_TAKES_AT_MOST, LONGEST
from pdp.store import cause

_NEW_INDEX_SECONDS = 600.0
"""Seconds that MongoDB may take to read a log of an older version for an index that it lacks."""


_OF_OLD_LOGS = {"batches"}
"""The collections to which a version added an index after they were large."""


KEPT_USES_SECONDS = 24 * 3600
"""The time for which the claim of a mask job is stored: a use is repeated for 30 seconds, and a day is far beyond."""
KEPT_UNMASKINGS_SECONDS = 25 * 3600
"""The time for which it is stored how far an unmasking is: a day, in which it may go on, and an hour more."""
KEPT_MASK_JOBS_SECONDS = 30 * 24 * 3600
"""The time for which a mask job is stored behind its end. The log has its record for ever."""
KEPT_MASK_PARTS_SECONDS = 9 * 24 * 3600
"""The time for which a stream of a mask job is stored: two days more than the longest job. Most go with their job."""
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

KEPT_LOGINS_SECONDS = int(LOGIN_TAKES_AT_MOST.total_seconds())
"""The time that a login may take; what was stored for it goes then."""
KEPT_NONCES_SECONDS = int(NONCE_COUNTS.total_seconds())
"""The time for which a nonce of a passkey counts."""
KEPT_VIEWS_SECONDS = int(VIEW_COUNTS.total_seconds())
"""The time for which the view of a chat counts."""

_PENDING = {"state": {"$eq": "PENDING"}}
_WAITING = {"progress": {"$eq": "waiting"}}


def _is_there(member: str) -> dict[str, Any]:
    return {member: {"$exists": True}}


INDEXES: Mapping[str, Sequence[IndexModel]] = {
    "approvals": (
        IndexModel([("caller", 1), ("digest", 1)], name="one_pending", unique=True, partialFilterExpression=_PENDING),
        IndexModel(
            [("caller", 1), ("request_ids", 1)],
            name="one_request_id",
            unique=True,
            partialFilterExpression=_is_there("request_ids"),
        ),
        IndexModel(
            [("caller", 1), ("digest", 1), ("closed_at", -1)],
            name="denied",
            partialFilterExpression={"state": {"$eq": "DENIED"}},
        ),
        IndexModel(
            [("reviews.suggestion_digest", 1)],
            name="suggesting",
            partialFilterExpression=_is_there("reviews.suggestion_digest"),
        ),
        IndexModel([("addressees", 1), ("due_at", 1), ("_id", 1)], name="queue", partialFilterExpression=_PENDING),
        IndexModel([("addressees", 1), ("_id", -1)], name="history"),
        IndexModel(
            [("remind_at", 1)], name="to_remind", partialFilterExpression={**_PENDING, **_is_there("remind_at")}
        ),
        IndexModel([("caller", 1), ("digest", 1), ("_id", -1)], name="same_request"),
        IndexModel([("caller", 1), ("_id", -1)], name="mine"),
        IndexModel([("principals", 1), ("_id", -1)], name="in_my_name"),
        IndexModel([("state", 1), ("_id", -1)], name="by_state"),
        IndexModel([("caller", 1), ("kind", 1), ("state", 1), ("_id", -1)], name="same_kind"),
        IndexModel([("updated_at", 1)], name="undelivered", partialFilterExpression=_is_there("outbox.0")),
        IndexModel([("untold.record", 1)], name="untold", partialFilterExpression=_is_there("untold.record")),
    ),
    "batches": (
        IndexModel([("ids", 1)], name="by_record"),
        IndexModel([("posted", 1)], name="posted_once", unique=True, sparse=True),
        IndexModel([("marks", 1), ("newest", -1)], name="listed"),
    ),
    "writers": (IndexModel([("heartbeat", 1)], name="silent"),),
    "notifications": (
        IndexModel([("approval_id", 1), ("_id", 1)], name="by_approval"),
        IndexModel([("webhook", 1), ("due_at", 1)], name="due", partialFilterExpression=_WAITING),
        IndexModel([("over_at", 1)], name="over", expireAfterSeconds=KEPT_LETTERS_SECONDS),
        IndexModel([("who", 1), ("errand", 1)], name="of_person", partialFilterExpression=_WAITING),
    ),
    "told": (IndexModel([("at", 1)], name="over", expireAfterSeconds=KEPT_TOLD_SECONDS),),
    "quotas": (IndexModel([("expires_at", 1)], name="over", expireAfterSeconds=0),),
    "uses": (IndexModel([("at", 1)], name="over", expireAfterSeconds=KEPT_USES_SECONDS),),
    "unmaskings": (
        IndexModel([("at", 1)], name="over", expireAfterSeconds=KEPT_UNMASKINGS_SECONDS),
        IndexModel(
            [("caller", 1), ("request_id", 1)],
            name="one_request_id",
            unique=True,
            partialFilterExpression=_is_there("request_id"),
        ),
    ),
    "mask_jobs": (
        IndexModel([("caller", 1), ("_id", -1)], name="mine"),
        IndexModel([("people", 1), ("_id", -1)], name="in_my_name"),
        IndexModel([("state", 1), ("_id", -1)], name="by_state"),
        IndexModel(
            [("expires_at", 1)], name="to_end", partialFilterExpression={"state": {"$in": ["RUNNING", "STOPPED"]}}
        ),
        IndexModel([("attempt", 1)], name="of_attempt", partialFilterExpression={"state": "RUNNING"}),
        IndexModel([("finished_at", 1)], name="unsent", partialFilterExpression=_is_there("outbox.id")),
        IndexModel([("finished_at", 1)], name="over", expireAfterSeconds=KEPT_MASK_JOBS_SECONDS),
    ),
    "mask_parts": (
        IndexModel([("job", 1), ("part", 1), ("attempt", 1), ("piece", 1)], name="of_job"),
        IndexModel([("at", 1)], name="over", expireAfterSeconds=KEPT_MASK_PARTS_SECONDS),
    ),
    "tasks": (
        IndexModel(
            [("approval_id", 1)],
            name="one_of_an_approval",
            unique=True,
            partialFilterExpression=_is_there("approval_id"),
        ),
        IndexModel(
            [("caller", 1), ("keys", 1)],
            name="one_of_a_key",
            unique=True,
            partialFilterExpression=_is_there("keys"),
        ),
        IndexModel([("settled_at", 1)], name="over", expireAfterSeconds=KEPT_TASKS_SECONDS),
    ),
    "lineage_log": (IndexModel([("seen", 1)], name="lineage_seen", unique=True, sparse=True),),
    "sessions": (
        IndexModel([("used_at", 1), ("began_at", 1)], name="by_use"),
        IndexModel([("began_at", 1), ("used_at", 1)], name="by_begin"),
        IndexModel([("renewed_at", 1)], name="left_over", expireAfterSeconds=KEPT_SESSIONS_SECONDS),
        IndexModel([("issuer", 1), ("identity", 1)], name="of_person"),
        IndexModel([("issuer", 1), ("sid", 1)], name="of_login"),
    ),
    "nonces": (IndexModel([("at", 1)], name="over", expireAfterSeconds=KEPT_NONCES_SECONDS),),
    "passkeys": (IndexModel([("held.id", 1)], name="one_person", unique=True),),
    "links": (IndexModel([("identity", 1)], name="of_person"),),
    "logins": (IndexModel([("at", 1)], name="over", expireAfterSeconds=KEPT_LOGINS_SECONDS),),
    "chat_views": (IndexModel([("at", 1)], name="over", expireAfterSeconds=KEPT_VIEWS_SECONDS),),
    "chat_signatures": (IndexModel([("at", 1)], name="over", expireAfterSeconds=KEPT_SIGNATURES_SECONDS),),
    "refused_clicks": (IndexModel([("hour", 1)], name="over", expireAfterSeconds=KEPT_REFUSALS_SECONDS),),
}
"""Those of each collection. What has ended by MongoDB's clock goes by itself; sessions by a sweep, which records it, or
a day later."""


async def make_indexes(database: AsyncDatabase[dict[str, Any]]) -> None:
    """Make every index that is missing. Raises `SetupError`, and `StoreUnavailable` where MongoDB is late."""
    try:
        for name, indexes in INDEXES.items():
            with pymongo.timeout(_NEW_INDEX_SECONDS if name in _OF_OLD_LOGS else None):
                await database.get_collection(name).create_indexes(list(indexes))
    except OperationFailure as error:
        raise SetupError(f"MongoDB refused to make an index (code {error.code}); the user needs createIndex") from None
    except PyMongoError:
        raise StoreUnavailable(cause.LATE) from None
