"""The connection to MongoDB. It writes with majority and journal, is checked at start, and turns errors into ours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeAlias, cast

import pymongo
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConfigurationError, DuplicateKeyError, InvalidURI, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from pdp import deadline
from pdp.errors import SetupError, StoreUnavailable
from pdp.passkey import NONCE_COUNTS
from pdp.session import IDLE, LOGIN_TAKES_AT_MOST, LONGEST
from pdp.store import cause
from pdp.store.driver import in_our_words, mend_cancellation

WAIT_SECONDS = 1.0
"""Seconds that one step of a call waits for MongoDB."""
_SCHEMA_VERSION = 1
"""The version of the documents. A database with another version is refused."""
_NEW_INDEX_SECONDS = 600.0
"""Seconds that MongoDB may take to read a log of an older version for an index that it lacks."""
KEPT_USES_SECONDS = 24 * 3600
"""The time for which the claim of a mask job is stored: a use is repeated for 30 seconds, and a day is far beyond."""
KEPT_UNMASKINGS_SECONDS = 25 * 3600
"""The time for which it is stored how far an unmasking is: a day, in which it may go on, and an hour more."""
KEPT_TASKS_SECONDS = 25 * 3600
"""The time for which a task without an approval is stored: a day behind the quarter of an hour that its result counts,
so that a retry finds it. The task of an approval is stored as long as that."""

Document: TypeAlias = dict[str, Any]
"""A MongoDB document."""


class Outrun(Exception):
    """Another call changes the documents of a transaction; nothing of it was written, and it may be tried again."""


@asynccontextmanager
async def unavailable(seconds: float = WAIT_SECONDS) -> AsyncIterator[None]:
    """Raise `StoreUnavailable` if MongoDB does not confirm within `seconds`, for any reason.

    Where the call had no time left for it, that is `OutOfTime`.

    A duplicate key is an answer, so its error passes through. A transaction that met another raises `Outrun`.
    """
    late = StoreUnavailable("MongoDB did not confirm in time; nothing was decided, try again")
    with deadline.spent_on(deadline.Stage.STORE):
        try:
            async with deadline.within(seconds):
                yield
        except DuplicateKeyError:
            raise
        except TimeoutError:
            raise deadline.missed(late) from None
        except PyMongoError as error:
            if isinstance(error, OperationFailure) and error.has_error_label("TransientTransactionError"):
                raise Outrun from None
            raise late from None


class Database:
    """A database on a replica set, ready to use."""

    def __init__(self, client: AsyncMongoClient[Document], name: str) -> None:
        self._client = client
        self.database: AsyncDatabase[Document] = client.get_database(
            name,
            codec_options=CodecOptions(tz_aware=True),
            read_preference=ReadPreference.PRIMARY,
            write_concern=WriteConcern(w="majority", j=True, wtimeout=5000),
            read_concern=ReadConcern("majority"),
        )

    @classmethod
    async def open(cls, uri: str, name: str) -> "Database":
        """Connect and check. Raises `SetupError` that says what to do if this MongoDB cannot keep our promises."""
        mend_cancellation()
        try:
            with in_our_words(uri):
                client: AsyncMongoClient[Document] = AsyncMongoClient(
                    uri,
                    serverSelectionTimeoutMS=2000,
                    connectTimeoutMS=1000,
                    socketTimeoutMS=2000,
                    maxPoolSize=32,
                    appname="placet",
                )
        except (ConfigurationError, InvalidURI, ValueError):
            raise SetupError(
                "the MongoDB URI cannot be read; it looks like mongodb://host:27017/?replicaSet=rs0"
            ) from None
        except OSError:
            raise SetupError(
                "a file that the MongoDB URI names (tlsCAFile, tlsCertificateKeyFile) is missing"
            ) from None
        database = cls(client, name)
        try:
            await database._check()
            await database._make_indexes()
        except BaseException:
            await client.close()
            raise
        return database

    async def require_realm(self, realm: str) -> None:
        """Keep the realm of the first server, for ever. Raises `SetupError` where this database is of another one.

        Two realms in one database would see each other's queues, and neither could verify the log.
        """
        schema = self.database.get_collection("schema")
        unclaimed = {"_id": "placet", "realm": {"$exists": False}}
        async with unavailable():
            await schema.update_one(unclaimed, {"$set": {"realm": realm}})
            kept = (await schema.find_one({"_id": "placet"}) or {}).get("realm")
        if kept != realm:
            raise SetupError(
                f"this database is of realm {kept}, and this server of realm {realm}; give each realm a `database` of "
                "its own, and never change a realm"
            )

    async def close(self) -> None:
        """Close every connection."""
        await self._client.close()

    async def is_healthy(self) -> bool:
        """Whether a primary answers now."""
        try:
            async with unavailable():
                hello = await self.database.command("hello")
        except StoreUnavailable:
            return False
        return bool(hello.get("isWritablePrimary"))

    async def now(self) -> datetime:
        """MongoDB's time."""
        async with unavailable():
            hello = await self.database.command("hello", codec_options=self.database.codec_options)
        return cast("datetime", hello["localTime"])

    async def _check(self) -> None:
        try:
            hello = await self.database.command("hello")
        except PyMongoError as error:
            seen = self._client.topology_description.server_descriptions().values()
            raise cause.refusal(error, seen) from None
        if told := cause.unfit(hello):
            raise SetupError(told)
        await self._check_rights()
        await self._confirm_durable_writes()

    async def _check_rights(self) -> None:
        """Raise `SetupError` that names the rights which the user lacks."""
        async with unavailable():
            login = (await self.database.command("connectionStatus", showPrivileges=True))["authInfo"]
        missing = cause.missing_rights(login["authenticatedUserPrivileges"], self.database.name)
        if login["authenticatedUsers"] and missing:
            raise SetupError(cause.rights_sentence(missing, self.database.name))

    async def _confirm_durable_writes(self) -> None:
        schema = self.database.get_collection("schema")
        try:
            await schema.update_one({"_id": "placet"}, {"$setOnInsert": {"version": _SCHEMA_VERSION}}, upsert=True)
            stored = await schema.find_one({"_id": "placet"}) or {}
        except OperationFailure as error:
            raise SetupError(cause.sentence(error)) from None
        except PyMongoError:
            raise SetupError(
                "this MongoDB does not confirm a write with majority and journal; every member needs a journal "
                "and a majority of them must be up"
            ) from None
        if stored.get("version") != _SCHEMA_VERSION:
            raise SetupError(
                "this database was written by another version of Placet; use that version or another database"
            )

    async def _make_indexes(self) -> None:
        """Make every index that is missing."""
        try:
            await self._index_approvals()
            await self._index_the_log()
            await self._index_masking()
            await self._index_tasks()
            await self._index_lineage()
            await self._index_sessions()
        except OperationFailure as error:
            raise SetupError(
                f"MongoDB refused to make an index (code {error.code}); the user needs createIndex"
            ) from None

    async def _index_approvals(self) -> None:
        approvals = self.database.get_collection("approvals")
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

    async def _index_the_log(self) -> None:
        records, writers = self.database.get_collection("records"), self.database.get_collection("writers")
        batches = self.database.get_collection("batches")
        await batches.create_index([("ids", 1)], name="by_record")
        with pymongo.timeout(_NEW_INDEX_SECONDS):
            await batches.create_index([("posted", 1)], name="posted_once", unique=True, sparse=True)
        await records.create_index([("kind", 1), ("_id", -1)], name="by_kind")
        await records.create_index([("effect", 1), ("_id", -1)], name="by_effect")
        await records.create_index([("approval_id", 1), ("_id", -1)], name="by_approval")
        await writers.create_index([("closed", 1), ("heartbeat", 1)], name="silent")
        notifications = self.database.get_collection("notifications")
        await notifications.create_index([("approval_id", 1), ("_id", 1)], name="by_approval")
        await notifications.create_index(
            [("webhook", 1), ("due_at", 1)], name="due", partialFilterExpression={"progress": {"$eq": "waiting"}}
        )

    async def _index_masking(self) -> None:
        quotas = self.database.get_collection("quotas")
        await quotas.create_index([("expires_at", 1)], name="over", expireAfterSeconds=0)
        uses = self.database.get_collection("uses")
        await uses.create_index([("at", 1)], name="over", expireAfterSeconds=KEPT_USES_SECONDS)
        unmaskings = self.database.get_collection("unmaskings")
        await unmaskings.create_index([("at", 1)], name="over", expireAfterSeconds=KEPT_UNMASKINGS_SECONDS)
        await unmaskings.create_index(
            [("caller", 1), ("request_id", 1)],
            name="one_request_id",
            unique=True,
            partialFilterExpression={"request_id": {"$exists": True}},
        )

    async def _index_tasks(self) -> None:
        tasks = self.database.get_collection("tasks")
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

    async def _index_lineage(self) -> None:
        log = self.database.get_collection("lineage_log")
        await log.create_index([("seen", 1)], name="lineage_seen", unique=True, sparse=True)

    async def _index_sessions(self) -> None:
        """What has ended by MongoDB's clock goes by itself, a little later."""
        sessions, logins = self.database.get_collection("sessions"), self.database.get_collection("logins")
        await sessions.create_index([("used_at", 1)], name="idle", expireAfterSeconds=int(IDLE.total_seconds()))
        await sessions.create_index([("began_at", 1)], name="over", expireAfterSeconds=int(LONGEST.total_seconds()))
        await sessions.create_index([("issuer", 1), ("identity", 1)], name="of_person")
        await sessions.create_index([("issuer", 1), ("sid", 1)], name="of_login")
        nonces, passkeys = self.database.get_collection("nonces"), self.database.get_collection("passkeys")
        await nonces.create_index([("at", 1)], name="over", expireAfterSeconds=int(NONCE_COUNTS.total_seconds()))
        await passkeys.create_index([("held.id", 1)], name="one_person", unique=True)
        kept = int(LOGIN_TAKES_AT_MOST.total_seconds())
        await logins.create_index([("at", 1)], name="over", expireAfterSeconds=kept)
