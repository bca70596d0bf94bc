"""The driver's warnings come as our sentences, which name the option and no value; its waits can be cancelled."""

import asyncio
import gc
import os
import random
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from pdp.errors import StoreUnavailable
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from pdp.store.database import Database
from pdp.store.driver import remarks
from tests.faults import eventually

REMARKS = {
    "replicSet=rs0": "the driver does not know the option replicSet; mend its name, or leave it out",
    "replicaSet=rs0&replicaset=rs1": "the option replicaset stands there twice; keep one",
    "compressors=x": "the driver goes on without what compressors names: it does not know it, or lacks its package",
    "journal=maybe": "the value of journal does not fit, so its default counts; mend it",
    "w=1": "the option w does not count: servers write with majority and journal, and read so; leave it out",
    "readPreference=secret": "the value of readPreference does not fit, so its default counts; mend it",
}


@pytest.mark.parametrize(("options", "wanted"), REMARKS.items(), ids=REMARKS.keys())
def test_remark_names_the_option(options: str, wanted: str) -> None:
    assert remarks(f"mongodb://user:secret@host:27017/?{options}") == [wanted]


@pytest.mark.parametrize("uri", ["mongodb://host", "mongodb://host/?replicaSet=rs0&w=majority&journal=true", "no URI"])
def test_good_options_have_no_remark(uri: str) -> None:
    assert remarks(uri) == []


LEAVES_SOCKETS = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed")
"""The driver does not close the socket of a connection that it did not get ready."""


@LEAVES_SOCKETS
async def test_log_has_our_sentence_and_no_warning_of_the_driver(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(StoreUnavailable):
        await Database.open("mongodb://127.0.0.1:1/?replicSet=rs0", "x")
    assert caplog.messages == [
        "mongodb_uri: the driver does not know the option replicSet; mend its name, or leave it out"
    ]
    gc.collect()  # the driver does not close the socket of a handshake that failed; its warning is of this test


@LEAVES_SOCKETS
async def test_it_recovers_from_calls_that_were_cancelled_while_mongodb_was_away(tmp_path: Path) -> None:
    """The driver looks for a server every half second, and calls end after a second: just when it looks."""
    async with MongodProcess(toolcache.mongod(), tmp_path, say=print) as mongod:
        database = await Database.open(mongod.uri, "x")
        refused, ends = [0] * 200, asyncio.Event()

        async def away() -> bool:
            with suppress(ProcessLookupError):
                os.kill(mongod.pid, signal.SIGKILL)
            return min(refused) > 1

        async with asyncio.TaskGroup() as group:
            for at in range(len(refused)):
                group.create_task(_ask(database, at, refused, ends.is_set))
            await eventually(away, seconds=30)
            await eventually(database.is_healthy, seconds=30)
            ends.set()
        await database.close()
    gc.collect()


async def test_client_that_is_closed_while_it_connects_leaves_no_socket_open() -> None:
    """Its server takes nobody; a warning of a socket that nobody closed fails this test."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as stack:
        for _ in range(4):  # what the system takes by itself
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        opening = asyncio.create_task(Database.open(f"mongodb://127.0.0.1:{full.getsockname()[1]}", "x"))
        await asyncio.wait({opening}, timeout=0.3)
        opening.cancel()
        await asyncio.wait({opening})
        gc.collect()
        left = {task for task in asyncio.all_tasks() if "create_connection" in repr(task)}
        if left:
            await asyncio.wait(left)  # the driver's own time to connect


async def _ask(database: Database, at: int, refused: list[int], ends: Callable[[], bool]) -> None:
    """Ask for the time again and again, every third time with a task that is cancelled, perhaps twice."""
    chance = random.Random(at)
    while not ends():
        asking = asyncio.create_task(database.now())
        await asyncio.wait({asking}, timeout=None if at % 3 else chance.uniform(0.2, 1.2))
        for _ in range(chance.randint(1, 2)):
            asking.cancel()
            await asyncio.sleep(0)
        try:
            await asking
        except (StoreUnavailable, asyncio.CancelledError):
            refused[at] += 1
        await asyncio.sleep(0.005)
