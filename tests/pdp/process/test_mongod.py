"""MongoDB as a supervised child, with the real binary."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import OperationFailure

from pdp.errors import SetupError
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
async def mongod(tmp_path: Path, said: list[str]) -> AsyncIterator[MongodProcess]:
    async with MongodProcess(toolcache.mongod(), tmp_path / "mongod", say=said.append) as process:
        yield process


async def until(claim: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not claim():
            await asyncio.sleep(0.02)


async def remember(mongod: MongodProcess, word: str) -> list[str]:
    """Write a word as the server writes; every word there is now."""
    client: AsyncMongoClient[dict[str, Any]]
    async with AsyncMongoClient(mongod.uri, w="majority", journal=True) as client:
        words: AsyncCollection[dict[str, Any]] = client.get_database("test").get_collection("words")
        await words.insert_one({"word": word})
        return await words.distinct("word")


async def test_it_is_a_primary_for_majority_writes(mongod: MongodProcess, said: list[str]) -> None:
    assert await remember(mongod, "one") == ["one"]
    assert said == []


async def test_killed_it_is_back_at_the_same_uri_with_its_data(mongod: MongodProcess, said: list[str]) -> None:
    await remember(mongod, "one")
    os.kill(mongod.pid, signal.SIGKILL)
    await until(lambda: "MongoDB runs again" in said)
    assert await remember(mongod, "two") == ["one", "two"]


async def test_a_folder_is_continued_on_another_port(tmp_path: Path, said: list[str]) -> None:
    uris = []
    for run in range(3):
        async with MongodProcess(toolcache.mongod(), tmp_path, say=said.append) as mongod:
            uris.append(mongod.uri)
            words = await remember(mongod, str(run))
    assert words == ["0", "1", "2"]
    assert len(set(uris)) == 3
    assert said == []


async def test_a_folder_in_use_is_an_error_in_its_own_words(
    mongod: MongodProcess, tmp_path: Path, said: list[str]
) -> None:
    second = MongodProcess(toolcache.mongod(), tmp_path / "mongod", say=said.append)
    with pytest.raises(SetupError, match="Another mongod instance is already running"):
        await second.start()
    assert await remember(mongod, "still there") == ["still there"]


async def test_test_commands_are_off_unless_asked_for(mongod: MongodProcess, tmp_path: Path) -> None:
    with pytest.raises(OperationFailure, match="no such command"):
        await fail_next_ping(mongod)
    async with MongodProcess(toolcache.mongod(), tmp_path / "other", say=print, test_commands=True) as other:
        await fail_next_ping(other)


async def fail_next_ping(mongod: MongodProcess) -> None:
    client: AsyncMongoClient[dict[str, Any]]
    async with AsyncMongoClient(mongod.uri) as client:
        await client.admin.command(
            "configureFailPoint",
            "failCommand",
            mode={"times": 1},
            data={"failCommands": ["ping"], "errorCode": 2},
        )


async def test_stopped_it_leaves_nothing_running(mongod: MongodProcess) -> None:
    pid = mongod.pid
    await mongod.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
