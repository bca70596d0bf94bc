"""The connection to MongoDB. It writes with majority and journal, is checked at start, and turns errors into ours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeAlias, cast

from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConfigurationError, DuplicateKeyError, InvalidURI, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from pdp import deadline
from pdp.errors import SetupError, StoreUnavailable
from pdp.store import cause
from pdp.store.driver import in_our_words, mend_cancellation
from pdp.store.indexes import make_indexes

READING: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_CLAMP, unicode_decode_error_handler="replace"
)
"""How documents are read: a time or a text that Python cannot hold becomes another one, which no signature fits.

Without that one planted document would be an error of each read that finds it, and end the work that reads it.
"""
WAIT_SECONDS = 1.0
"""Seconds that one step of a call waits for MongoDB."""
SCHEMA_VERSION = 1
"""The version of the documents. A database with another version is refused."""

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


def client_of(uri: str) -> AsyncMongoClient[Document]:
    """A client that connects at its first command. Raises `SetupError` where the URI cannot be used."""
    mend_cancellation()
    try:
        with in_our_words(uri):
            return AsyncMongoClient(
                uri,
                serverSelectionTimeoutMS=2000,
                connectTimeoutMS=1000,
                socketTimeoutMS=2000,
                maxPoolSize=32,
                appname="placet",
            )
    except (ConfigurationError, InvalidURI, ValueError):
        raise SetupError(cause.BAD_URI) from None
    except OSError:
        raise SetupError(cause.MISSING_FILE) from None


class Database:
    """A database on a replica set, ready to use."""

    def __init__(self, client: AsyncMongoClient[Document], name: str) -> None:
        self._client = client
        self.database: AsyncDatabase[Document] = client.get_database(
            name,
            codec_options=READING,
            read_preference=ReadPreference.PRIMARY,
            write_concern=WriteConcern(w="majority", j=True, wtimeout=5000),
            read_concern=ReadConcern("majority"),
        )

    @classmethod
    async def open(cls, uri: str, name: str) -> "Database":
        """Connect and check. Raises `SetupError` that says what to do if this MongoDB cannot keep our promises."""
        client = client_of(uri)
        database = cls(client, name)
        try:
            await database._check()
            await make_indexes(database.database)
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
            raise SetupError(cause.other_realm(kept, realm))

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
            raise cause.told_as(told)
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
            await schema.update_one({"_id": "placet"}, {"$setOnInsert": {"version": SCHEMA_VERSION}}, upsert=True)
            stored = await schema.find_one({"_id": "placet"}) or {}
        except OperationFailure as error:
            raise SetupError(cause.sentence(error)) from None
        except PyMongoError:
            raise cause.told_as(cause.NO_MAJORITY) from None
        if stored.get("version") != SCHEMA_VERSION:
            raise SetupError(cause.OTHER_VERSION)
