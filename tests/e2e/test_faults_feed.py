"""Waits and watches while MongoDB is killed or loses its primary, and while servers are killed and started again."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from itertools import groupby
from pathlib import Path

import pytest
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from pdp.client import Client
from pdp.client.waiting import watched
from pdp.dev import identity
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import ApprovalState
from pdp.v1.decision_pb2 import AuthorizeResponse
from tests.faults import Ledger, Served, eventually, reviewed, served
from tests.parts import Placet, exporting, placet

Fault = Callable[[MongodProcess], Awaitable[None]]
Told = list[tuple[str, bool]]
AGAIN = 20.0
"""Until everybody is back after a fault."""


@pytest.fixture(scope="module")
async def fragile(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MongodProcess]:
    """A MongoDB to break."""
    folder = tmp_path_factory.mktemp("fragile")
    async with MongodProcess(toolcache.mongod(), folder, say=print, test_commands=True) as process:
        yield process


@pytest.fixture
async def server(tmp_path: Path, state: Path, fragile: MongodProcess) -> AsyncIterator[Served]:
    async with served(tmp_path, state, fragile.uri) as running:
        yield running


def client(server: Placet, name: str) -> Client:
    return Client(server.address, identity.token(server.state, name))


async def killed(mongod: MongodProcess) -> None:
    with suppress(ProcessLookupError):
        os.kill(mongod.pid, signal.SIGKILL)


async def stepped_down(mongod: MongodProcess) -> None:
    """Nobody is primary for two seconds, then the same one again."""
    async with AsyncMongoClient[dict[str, object]](mongod.uri) as admin:
        with suppress(PyMongoError):
            await admin.admin.command({"replSetStepDown": 2, "force": True})


async def opened(server: Placet) -> AuthorizeResponse:
    return await Ledger().answered(server, exporting())


async def approved(server: Placet, asked: AuthorizeResponse) -> None:
    for name in ("bob", "carol"):
        await eventually(lambda by=name: reviewed(server, asked, by), seconds=AGAIN)


@pytest.mark.parametrize("fault", [killed, stepped_down])
async def test_whoever_waits_learns_of_a_step_made_after_the_fault(
    server: Served, fragile: MongodProcess, fault: Fault
) -> None:
    asked = await opened(server)
    async with client(server, "report-bot") as bot:
        waits = [asyncio.create_task(bot.wait(asked.approval.approval_id, timeout=100)) for _ in range(20)]
        done, _ = await asyncio.wait(waits, timeout=0.5)
        assert not done
        await fault(fragile)
        await approved(server, asked)
        stepped = time.monotonic()
        answers = await asyncio.gather(*waits)
        assert time.monotonic() - stepped < 5
    assert {answer.state for answer in answers} == {ApprovalState.APPROVAL_STATE_APPROVED}


@pytest.mark.parametrize("fault", [killed, stepped_down])
async def test_watcher_is_told_everything_once_over_the_fault(
    server: Served, fragile: MongodProcess, fault: Fault
) -> None:
    first = await opened(server)
    async with client(server, "bob") as bob:
        told: Told = []
        task = asyncio.create_task(_collect(bob, told))
        await eventually(lambda: _has(told, 1), seconds=AGAIN)
        await fault(fragile)
        second = await opened(server)
        await approved(server, first)
        await eventually(lambda: _has(told, 3), seconds=AGAIN)
        third = await opened(server)
        last = (third.approval.approval_id, True)
        await eventually(lambda: _ends_with(told, last), seconds=AGAIN)
        task.cancel()
    ids = [asked.approval.approval_id for asked in (first, second, first, third)]
    steps = [
        step for step, _ in groupby(told)
    ]  # the second review may be told of, too: it left the queue, not the watch
    assert steps == list(zip(ids, (True, True, False, True), strict=True))


async def test_killed_server_is_replaced_and_whoever_waits_or_watches_goes_on(
    server: Served, fragile: MongodProcess
) -> None:
    asked = await opened(server)
    async with client(server, "report-bot") as bot, client(server, "carol") as carol:
        told: Told = []
        wait = asyncio.create_task(bot.wait(asked.approval.approval_id, timeout=100))
        task = asyncio.create_task(_collect(carol, told))
        await eventually(lambda: _has(told, 1), seconds=AGAIN)
        async with placet(server.state, fragile.uri, database=server.database) as elsewhere:
            await server.kill()
            await elsewhere.review(asked.approval, "bob")
            await elsewhere.review(asked.approval, "carol")
            second = await opened(elsewhere)
        async with placet(server.state, fragile.uri, database=server.database, listen=server.address):
            assert (await wait).state == ApprovalState.APPROVAL_STATE_APPROVED
            await eventually(lambda: _has(told, 3), seconds=AGAIN)
            task.cancel()
    ids = [one.approval.approval_id for one in (asked, asked, second)]
    assert told == list(zip(ids, (True, False, True), strict=True))


async def _ends_with(told: Told, last: tuple[str, bool]) -> bool:
    return told[-1:] == [last]


async def _collect(reader: Client, told: Told) -> None:
    async with aclosing(watched(reader)) as messages:
        async for message in messages:
            if message.HasField("approval"):
                told.append((message.approval.approval_id, message.may_review))


async def _has(told: Told, count: int) -> bool:
    return len(told) >= count
