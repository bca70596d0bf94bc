"""The log is read by several calls at one time, over tokens that end, and each writer's batches stay in order."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from pdp import keys
from pdp.authn.bearer import LEEWAY_SECONDS
from pdp.client import CallError, Client, log
from pdp.dev import identity
from pdp.dev.stack import configuration
from pdp.process.mongod import MongodProcess
from tests.parts import Placet, placet
from tests.pdp.long_log import grow
from tests.tokens import claims, counting, signed

WRITERS, BATCHES, RECORDS = 3, 150, 60
LONG = [b"long" + number.to_bytes(12, "big") for number in range(WRITERS)]


@pytest.fixture(scope="module")
async def long(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server with a log of a few megabytes, more than lies on the way to a reader."""
    config = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri="none")
    async with placet(state, mongod.uri) as server:
        key = keys.signing(keys.private_key(config.audit_key))
        await grow(mongod.uri, server.database, key, WRITERS, BATCHES, RECORDS)
        yield server


def ending(server: Placet, seconds: int) -> str:
    ends = int(time.time()) - LEEWAY_SECONDS + seconds
    return signed(server.state, claims("user:dana", exp=ends, iat=int(time.time()) - 300, roles=["auditor"]))


async def read(client: Client, after: dict[bytes, int], pause: float = 0) -> dict[bytes, list[int]]:
    """The numbers of each writer's batches, as they came."""
    found = defaultdict[bytes, list[int]](list)
    async with aclosing(log.read(client, await log.extent(client), after)) as arriving:
        async for batches in arriving:
            await asyncio.sleep(pause)
            for batch in batches:
                found[batch.writer].append(batch.seq)
    return found


async def test_each_writer_comes_whole_and_in_order_behind_its_place(long: Placet) -> None:
    async with Client(long.address, identity.token(long.state, "dana")) as client:
        extent = await log.extent(client)
        assert [extent.newest[writer] for writer in LONG] == [BATCHES - 1] * WRITERS
        found = await read(client, {LONG[1]: 150, LONG[2]: BATCHES - 1})
        assert found[LONG[0]] == list(range(BATCHES))
        assert found[LONG[1]] == list(range(151, BATCHES))
        assert LONG[2] not in found
        first = await log.first_behind(client, LONG[0], 6)
        assert first is not None
        assert (first.writer, first.seq) == (LONG[0], 7)
        assert await log.first_behind(client, LONG[0], BATCHES) is None


async def test_reading_goes_on_with_the_next_token_and_misses_nothing(long: Placet) -> None:
    tokens = [ending(long, 3)]
    source, given = counting(lambda: tokens[-1])

    async def renewed() -> None:
        await asyncio.sleep(2)
        tokens.append(identity.token(long.state, "dana"))

    async with Client(long.address, source) as client, asyncio.timeout(60):
        renewing = asyncio.create_task(renewed())
        found = await read(client, {}, pause=0.03)
        await renewing
        assert len(given) > 1 + log.LANES, "the token did not end while it was read"
        assert all(found[writer] == list(range(BATCHES)) for writer in LONG)


async def test_token_that_nothing_renews_ends_the_reading(long: Placet) -> None:
    async with Client(long.address, ending(long, -1)) as client:
        with pytest.raises(CallError, match="token"):
            await log.extent(client)
        everything = log.Extent(dict.fromkeys(LONG, BATCHES - 1))
        with pytest.raises(CallError, match="token"):
            _ = [batches async for batches in log.read(client, everything, {})]
