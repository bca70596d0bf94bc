"""Makes a `mongod` a replica set with one member, and gives the member of our own a new address if its port changed."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from pdp.errors import SetupError
from pdp.store import cause

NAME = "placet"
_NOT_YET_INITIALIZED = 94
"""MongoDB's error code NotYetInitialized."""
_NO_RIGHT, _ALREADY_INITIALIZED, _NO_REPLICATION = 13, 23, 76
"""MongoDB's error codes Unauthorized, AlreadyInitialized and NoReplicationEnabled."""
_KINDS = ("hosts", "passives", "arbiters")
"""What MongoDB calls the members of a set that it tells of."""
_PORT = 27017
"""MongoDB's port where none is given."""
_POLL_SECONDS = 0.02
"""Seconds between two looks at a member that starts."""


def uri(address: str) -> str:
    """The connection string of the replica set whose only member is at `address` (`host:port`)."""
    return f"mongodb://{address}/?replicaSet={NAME}"


def address(uri: str) -> str:
    """The one `host:port` in a MongoDB URI. Raises `SetupError`."""
    try:
        [(host, port)] = parse_uri(uri)["nodelist"]
    except (PyMongoError, ValueError, OSError):
        raise SetupError("the URI must name one mongod; it looks like mongodb://127.0.0.1:27017") from None
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def primary(address: str) -> None:
    """Return when the mongod at `address` is the primary of its replica set. The caller limits the time."""
    await _listening(address)
    client: AsyncMongoClient[dict[str, object]]
    async with AsyncMongoClient(f"mongodb://{address}/?directConnection=true") as client:
        while not await _is_primary(client, address):  # noqa: ASYNC110  # nothing tells when to look
            await asyncio.sleep(_POLL_SECONDS)


async def initiate(host: str, uri: str) -> bool:
    """Make the mongod at `uri` (`mongodb://host:port`, perhaps with a user and TLS) a set whose first member is `host`.

    Returns when it is the primary: True if it was made a set now, False if it was one already. Raises `SetupError`,
    also for a set that does not have `host`, and `StoreUnavailable` where none answers.
    """
    try:
        client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(
            uri,
            directConnection=True,
            serverSelectionTimeoutMS=2000,
            connectTimeoutMS=1000,
            serverMonitoringMode="poll",  # a client so short-lived needs no second connection
        )
    except (PyMongoError, ValueError, OSError):
        raise SetupError("the URI cannot be read, or a file that it names (tlsCAFile) is missing") from None
    async with client:
        try:
            made = _refuse_other(await client.admin.command("hello"), host)
            if made:
                await _initiated(client, host, NAME)
            while not _has_primary(await client.admin.command("hello")):  # noqa: ASYNC110  # nothing tells when to look
                await asyncio.sleep(_POLL_SECONDS)
        except PyMongoError as error:
            seen = client.topology_description.server_descriptions().values()
            raise cause.refusal(error, seen) from None
    return made


def _refuse_other(hello: Mapping[str, Any], host: str) -> bool:
    """Whether there is no set yet. Raises `SetupError` for a router, and for a set of other members."""
    if hello.get("msg") == "isdbgrid":
        raise SetupError(cause.ROUTER)
    if "setName" not in hello:
        return True
    members = [str(member) for kind in _KINDS for member in hello.get(kind, ())]
    wanted = host if re.search(r":\d+$", host) else f"{host}:{_PORT}"
    if wanted.lower() not in map(str.lower, [*members, str(hello.get("me"))]):  # a hidden one names itself alone
        raise SetupError(
            f"this mongod is of the replica set {hello['setName']} already, whose members are {', '.join(members)}, "
            f"without {wanted}; nothing was changed: use that set, with --host {members[0]}, or another mongod"
        )
    return False


def _has_primary(hello: Mapping[str, object]) -> bool:
    """A member that becomes the primary names itself a little before it takes writes."""
    return bool(hello["isWritablePrimary"]) or hello.get("primary", hello.get("me")) != hello.get("me")


async def _initiated(client: AsyncMongoClient[dict[str, object]], host: str, name: str) -> None:
    """Initiate the set under the name that mongod was started with, which it tells where another is given."""
    member = {"_id": 0, "host": host}
    try:
        await client.admin.command("replSetInitiate", {"_id": name, "members": [member]})
    except OperationFailure as error:
        told = re.search(r"command line set name: (\S+?),? ", f"{error.details and error.details.get('errmsg')} ")
        if told and told[1] != name:
            await _initiated(client, host, told[1])
        elif error.code == _NO_REPLICATION:
            raise SetupError("this mongod was started without --replSet; start it with --replSet rs0 first") from None
        elif error.code == _NO_RIGHT:
            raise SetupError(
                "MongoDB does not let this connection initiate a set; run this on its machine, or name a user with the "
                "role clusterManager in the URI"
            ) from None
        elif error.code != _ALREADY_INITIALIZED:
            raise


async def _listening(address: str) -> None:
    """Return when the port is open. The driver looks again only every half second, so the port is watched first."""
    host, port = address.rsplit(":", 1)
    while True:
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            await asyncio.sleep(_POLL_SECONDS)
        else:
            writer.close()
            return


async def _is_primary(client: AsyncMongoClient[dict[str, object]], address: str) -> bool:
    """Whether the member is the primary. A member that starts or moves refuses commands, so a failure means not yet."""
    try:
        await _configure(client, address)
        return bool((await client.admin.command("hello"))["isWritablePrimary"])
    except PyMongoError:
        return False


async def _configure(client: AsyncMongoClient[dict[str, object]], address: str) -> None:
    try:
        config = (await client.admin.command("replSetGetConfig"))["config"]
    except OperationFailure as error:
        if error.code != _NOT_YET_INITIALIZED:
            raise
        await client.admin.command("replSetInitiate", {"_id": NAME, "members": [{"_id": 0, "host": address}]})
        return
    if config["members"][0]["host"] != address:
        config["members"][0]["host"] = address
        # Only by force: at its new address the member is not in its own set, so there cannot be a primary.
        await client.admin.command("replSetReconfig", config | {"version": config["version"] + 1}, force=True)
