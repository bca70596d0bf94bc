"""The log is read by several calls at one time, over tokens that end, and each writer's batches stay in order."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import grpc
import pytest

from pdp import keys
from pdp.authn.bearer import LEEWAY_SECONDS
from pdp.client import CallError, Client, log
from pdp.dev import identity
from pdp.dev.stack import configuration
from pdp.process.mongod import MongodProcess
from pdp.server import edge
from pdp.v1.audit_pb2 import Batch, ExportRecordsRequest
from tests.parts import Placet, placet, refusal
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


async def read(
    client: Client, after: dict[bytes, int], pause: float = 0, found: log.Extent | None = None
) -> dict[bytes, list[int]]:
    """The numbers of each writer's batches, as they came; up to what was found, by default now."""
    seen = defaultdict[bytes, list[int]](list)
    async with aclosing(log.read(client, found or await log.extent(client), after)) as arriving:
        async for batches in arriving:
            await asyncio.sleep(pause)
            for batch in batches:
                seen[batch.writer].append(batch.seq)
    return seen


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


async def test_log_that_ends_before_its_newest_batch_is_not_taken_for_whole(long: Placet) -> None:
    async with Client(long.address, identity.token(long.state, "dana")) as client:
        extent = await log.extent(client)
        extent.newest[LONG[1]] += 1
        with pytest.raises(CallError, match=f"ended behind batch {BATCHES - 1}, and batch {BATCHES} had been") as ended:
            await read(client, {}, found=extent)
    assert ended.value.code == "DATA_LOSS"


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


async def test_reading_that_lasts_longer_than_a_stream_may_goes_on(
    long: Placet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "STREAM_SECONDS", 0.5)
    source, given = counting(lambda: identity.token(long.state, "dana"))
    async with Client(long.address, source) as client, asyncio.timeout(60):
        found = await read(client, {}, pause=0.03)
        assert len(given) > 1 + 2 * log.LANES, "no stream ended while it was read"
        assert all(found[writer] == list(range(BATCHES)) for writer in LONG)


async def test_slow_reader_of_many_streams_gets_the_status_of_each(
    long: Placet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is full of the first streams' answers when the time of the last ones ends, with their first."""
    monkeypatch.setattr(edge, "STREAM_SECONDS", 0.5)
    streams = []
    for _ in range(6):
        streams.append(long.audit.ExportRecords(ExportRecordsRequest(writers=LONG), metadata=long.metadata("dana")))
        await asyncio.sleep(0.05)
    await asyncio.sleep(1.5)
    async with asyncio.timeout(20):
        for stream in streams:
            with pytest.raises(grpc.aio.AioRpcError) as ended:
                await read_to_the_end(stream)
            assert refusal(ended.value).reason == "STREAM_TIMEOUT"


async def read_to_the_end(stream: Any) -> None:
    while await stream.read() is not grpc.aio.EOF:
        pass


async def test_of_large_messages_the_next_is_read_when_the_last_was_used() -> None:
    lanes, read, used = log.Lanes(), 0, 0
    large = Batch(records=[b"x" * (log.LARGE_BYTES + 1)])

    async def messages() -> AsyncGenerator[list[Batch]]:
        nonlocal read
        for _ in range(5):
            await asyncio.sleep(0)
            read += 1
            yield [large]

    async def lane() -> None:
        await lanes.take(messages())
        await lanes.end()

    held = []
    async with asyncio.TaskGroup() as carrying:
        for _ in range(log.LANES):
            carrying.create_task(lane())
        async for batches in lanes.of(log.LANES):
            for _ in range(5):
                await asyncio.sleep(0)
            held.append(read - used)
            used += len(batches)
    assert used == 5 * log.LANES
    assert max(held[: log.LANES]) == log.LANES
    assert set(held[log.LANES :]) == {1}


async def test_token_that_nothing_renews_ends_the_reading(long: Placet) -> None:
    async with Client(long.address, ending(long, -1)) as client:
        with pytest.raises(CallError, match="token"):
            await log.extent(client)
        everything = log.Extent(dict.fromkeys(LONG, BATCHES - 1))
        with pytest.raises(CallError, match="token"):
            _ = [batches async for batches in log.read(client, everything, {})]
