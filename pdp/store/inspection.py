"""Looks at a MongoDB as a server would use it. It only reads: it makes no index, no collection and no document."""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure, PyMongoError

from pdp.store import cause
from pdp.store.database import SCHEMA_VERSION, Database, Document, client_of
from pdp.store.driver import remarks
from pdp.store.indexes import INDEXES

_BEARING = frozenset({"RSPrimary", "RSSecondary"})
"""What the driver calls members that hold data and are up."""
_NO_WRITES = (
    "mongodb_uri leads to one member, which takes no writes now; leave directConnection=true out, and name the set "
    "with replicaSet"
)
_MEETING_SECONDS = 2.0
"""Seconds in which the driver meets the other members of the set."""
_POLL_SECONDS = 0.05
"""Seconds between two looks at whom it met."""
_NOT_THERE = 26
"""MongoDB's error code NamespaceNotFound."""
_OWN = ("v", "key", "name", "ns", "background")
"""Members of an index's description that say nothing about what it does."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found. A text is a sentence of what is wrong, and empty where nothing is."""

    kind: str = ""
    """Why this kind of MongoDB is unfit, or why it was not reached. Then nothing else was looked at."""
    version: str = ""
    members: int = 0
    majority: str = ""
    rights: str = ""
    ahead_seconds: float = 0.0
    """How far MongoDB's clock is ahead of ours."""
    is_empty: bool = False
    """Whether no server has ever used the database."""
    schema: str = ""
    lacking: Sequence[str] = ()
    """The indexes that are missing, as `collection.name`."""
    differing: Sequence[str] = ()
    """The indexes that are other than a server makes them."""
    hidden: bool = False
    """Whether the indexes could not be seen."""
    unhelped: Sequence[str] = ()
    """The rights in `cause.HELPFUL` that the user lacks."""
    remarks: Sequence[str] = ()
    """What is odd about the URI."""


async def inspect(uri: str, name: str, realm: str) -> Inspection:
    """Look at the database `name`. Raises `SetupError` where the URI cannot be used."""
    async with client_of(uri) as client:
        database = Database(client, name).database
        try:
            version = str((await client.server_info())["version"])  # connects, so that the next one is quick
            before = time.time()
            hello = await database.command("hello")
            here = (before + time.time()) / 2
        except PyMongoError as error:
            return Inspection(cause.sentence(error, client.topology_description.server_descriptions().values()))
        if unfit := cause.unfit(hello):
            return Inspection(unfit, version)
        ahead = hello["localTime"].timestamp() - here
        found = Inspection("", version, len(hello.get("hosts", ())), ahead_seconds=ahead, remarks=remarks(uri))
        found = replace(found, majority=await _majority(client, hello))
        try:
            return replace(found, **await _content(database, realm))
        except OperationFailure as error:
            return replace(found, rights=cause.sentence(error))
        except PyMongoError:
            return replace(found, kind=cause.LATE)


async def _content(database: AsyncDatabase[Document], realm: str) -> dict[str, Any]:
    """What the user may do in the database, and what is in it."""
    login = (await database.command("connectionStatus", showPrivileges=True))["authInfo"]
    privileges, is_user = login["authenticatedUserPrivileges"], bool(login["authenticatedUsers"])
    missing = cause.missing_rights(privileges, database.name)
    if is_user and missing:
        return {"rights": cause.rights_sentence(missing, database.name)}
    unhelped = cause.missing_rights(privileges, database.name, cause.HELPFUL) if is_user else []
    return {"unhelped": unhelped, **await _kept(database, realm)}


async def _kept(database: AsyncDatabase[Document], realm: str) -> dict[str, Any]:
    """What servers made in the database."""
    kept = await database.get_collection("schema").find_one({"_id": "placet"})
    if kept is None:
        return {"is_empty": True}
    try:
        lacking, differing = await _indexes(database)
    except OperationFailure:
        return {"schema": _schema(kept, realm), "hidden": True}
    return {"schema": _schema(kept, realm), "lacking": lacking, "differing": differing}


def _schema(kept: Document, realm: str) -> str:
    if kept.get("version") != SCHEMA_VERSION:
        return cause.OTHER_VERSION
    other = kept.get("realm", realm)
    return cause.other_realm(other, realm) if other != realm else ""


async def _majority(client: AsyncMongoClient[Document], hello: Mapping[str, Any]) -> str:
    """Whether so many members with data are up that they confirm a write, as the driver meets them."""
    if not hello["isWritablePrimary"]:
        return _NO_WRITES
    voting = len(hello.get("hosts", ())) + len(hello.get("arbiters", ()))
    until = time.monotonic() + _MEETING_SECONDS
    while (bearing := _bearing(client)) <= voting // 2 and time.monotonic() < until:  # noqa: ASYNC110  # nothing tells
        await asyncio.sleep(_POLL_SECONDS)
    return cause.NO_MAJORITY if bearing <= voting // 2 else ""


def _bearing(client: AsyncMongoClient[Document]) -> int:
    """How many members are up that hold data. One that the URI names alone stands for its set."""
    topology = client.topology_description
    seen = [server.server_type_name for server in topology.server_descriptions().values()]
    return sys.maxsize if topology.topology_type_name == "Single" else sum(kind in _BEARING for kind in seen)


async def _indexes(database: AsyncDatabase[Document]) -> tuple[list[str], list[str]]:
    """Those that are missing, and those that are other than a server makes them."""
    lacking, differing = list[str](), list[str]()
    for collection, wanted in INDEXES.items():
        there = await _there(database, collection)
        for index in wanted:
            name = index.document["name"]
            if name not in there:
                lacking.append(f"{collection}.{name}")
            elif _meaning(there[name]) != _meaning(index.document):
                differing.append(f"{collection}.{name}")
    return lacking, differing


async def _there(database: AsyncDatabase[Document], collection: str) -> dict[str, Mapping[str, Any]]:
    try:
        cursor = await database.get_collection(collection).list_indexes()
        return {index["name"]: index async for index in cursor}
    except OperationFailure as error:
        if error.code != _NOT_THERE:
            raise
        return {}


def _meaning(index: Mapping[str, Any]) -> dict[str, Any]:
    """What an index does, as MongoDB and as the driver describe it."""
    rest = {name: value for name, value in index.items() if name not in _OWN}
    return {"keys": list(index["key"].items()), **rest}
