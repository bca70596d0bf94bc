"""Makes a `mongod` of our own a replica set with one member, and gives the member a new address if its port changed."""

import asyncio

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

NAME = "placet"
_NOT_YET_INITIALIZED = 94
"""MongoDB's error code NotYetInitialized."""
_POLL_SECONDS = 0.02
"""Seconds between two looks at a member that starts."""


def uri(address: str) -> str:
    """The connection string of the replica set whose only member is at `address` (`host:port`)."""
    return f"mongodb://{address}/?replicaSet={NAME}"


async def primary(address: str) -> None:
    """Return when the mongod at `address` is the primary of its replica set. The caller limits the time."""
    await _listening(address)
    client: AsyncMongoClient[dict[str, object]]
    async with AsyncMongoClient(f"mongodb://{address}/?directConnection=true") as client:
        while not await _is_primary(client, address):  # noqa: ASYNC110  # nothing tells when to look
            await asyncio.sleep(_POLL_SECONDS)


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
