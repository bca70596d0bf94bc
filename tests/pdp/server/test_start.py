"""What a server waits for before it starts, and what ends its start at once."""

import asyncio
import gc
from pathlib import Path

import pytest

from pdp.config import Config
from pdp.dev.stack import configuration
from pdp.errors import SetupError
from pdp.identity_source import Issuer
from pdp.process.mongod import MongodProcess
from pdp.server.start import NotReady, Stopped, awaited, stoppable

AWAY = Issuer(issuer="https://127.0.0.1:9", audience="placet", type="away", kind="workload")


@pytest.fixture
def config(state: Path, mongod: MongodProcess) -> Config:
    return configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri=mongod.uri)


async def waited(config: Config, seconds: float = 0.1) -> list[str]:
    """What it said."""
    said: list[str] = []
    await awaited(config, seconds, said.append, asyncio.Event())
    return said


async def test_what_is_there_is_not_waited_for(config: Config) -> None:
    assert await waited(config) == []


async def test_keys_of_an_issuer_are_waited_for_and_stop_no_other_caller(config: Config) -> None:
    both = config.model_copy(update={"issuers": (*config.issuers, AWAY)})
    assert await waited(both) == ["waiting for the keys of issuer away: cannot be read (Connection refused)"]
    alone = config.model_copy(update={"issuers": (AWAY,)})
    with pytest.raises(NotReady, match=r"not ready after 0\.1 s: the keys of issuer away"):
        await waited(alone)


async def test_opa_that_is_away_is_waited_for(config: Config) -> None:
    with pytest.raises(NotReady, match=r"OPA: opa_url http://127\.0\.0\.1:1: OPA does not answer"):
        await waited(config.model_copy(update={"opa_url": "http://127.0.0.1:1"}))


async def test_what_somebody_has_to_mend_ends_the_start_at_once(config: Config) -> None:
    uri = config.mongodb_uri.partition("?")[0] + "?replicaSet=another"
    with pytest.raises(SetupError, match="`replicaSet` must be what mongod has as --replSet"):
        await waited(config.model_copy(update={"mongodb_uri": uri}), 60)


async def test_without_a_wait_nothing_is_looked_at(config: Config) -> None:
    assert await waited(config.model_copy(update={"mongodb_uri": "mongodb://127.0.0.1:1"}), 0) == []


async def test_signal_ends_a_start_that_hangs_and_nothing_that_has_started() -> None:
    stop, told = asyncio.Event(), list[str]()
    asyncio.get_running_loop().call_later(0.05, stop.set)
    with stoppable(stop):
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(0)
            told.append("what had started has ended")
    with stoppable(stop) as started:
        started()
        await asyncio.sleep(0.02)
        told.append("it runs")
    assert told == ["what had started has ended", "it runs"]
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


async def test_start_that_is_cancelled_by_others_is_cancelled() -> None:
    async def starts() -> None:
        with stoppable(asyncio.Event()):
            await asyncio.sleep(10)

    task = asyncio.create_task(starts())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_signal_ends_a_look_without_a_word(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    stop = asyncio.Event()
    away = config.model_copy(update={"mongodb_uri": "mongodb://127.0.0.1:1/?replicaSet=rs0"})
    asyncio.get_running_loop().call_later(0.3, stop.set)  # a look at MongoDB takes two seconds
    with pytest.raises(Stopped):
        await asyncio.wait_for(awaited(away, 60, lambda _: None, stop), 10)
    await asyncio.sleep(0)
    gc.collect()
    assert caplog.text == ""


async def test_signal_ends_the_wait(config: Config) -> None:
    stop = asyncio.Event()
    away = config.model_copy(update={"opa_url": "http://127.0.0.1:1"})
    with pytest.raises(Stopped):
        await asyncio.wait_for(awaited(away, 60, lambda _: stop.set(), stop), 30)
