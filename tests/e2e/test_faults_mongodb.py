"""MongoDB killed and stopped under a stream of calls."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from tests.faults import Ledger, Served, eventually, journey, served, stopped, stream, verified_log
from tests.parts import asking

WAIT = 1.0
"""What a call waits for MongoDB at most."""
MARGIN = 0.35
"""For a machine that others use, too."""
STALE = {("UNAVAILABLE", "LINEAGE_STALE")}
"""What a server says, too, where MongoDB was away so long that it may have missed what became known of data."""


@pytest.fixture(scope="module")
async def fragile(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MongodProcess]:
    """A MongoDB to break."""
    folder = tmp_path_factory.mktemp("fragile")
    async with MongodProcess(toolcache.mongod(), folder, say=print, test_commands=True) as process:
        yield process


@pytest.fixture(scope="module")
async def server(
    tmp_path_factory: pytest.TempPathFactory, state: Path, fragile: MongodProcess
) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("server"), state, fragile.uri) as running:
        yield running


async def test_killed_mongodb_allows_nothing_and_every_use_is_finished(server: Served, fragile: MongodProcess) -> None:
    ledger = Ledger()
    async with stream(server, ledger):
        journeys = [asyncio.create_task(journey(server, ledger)) for _ in range(4)]
        await eventually(lambda: _answers(ledger, 50))

        async def refused_while_killed() -> bool:
            """Killed again as often as it is started again: back within a second, nobody would notice."""
            with suppress(ProcessLookupError):
                os.kill(fragile.pid, signal.SIGKILL)
            return await _refused(ledger)

        await eventually(refused_while_killed, seconds=2 * WAIT + MARGIN)
        refused = time.monotonic()
        await eventually(lambda: _answered(ledger, refused), seconds=15)
        journeys.append(asyncio.create_task(journey(server, ledger)))
        used = await asyncio.gather(*journeys)
    assert ledger.refusals - STALE == {("UNAVAILABLE", "STORE_UNAVAILABLE")}
    assert max(reply.took for reply in ledger.refused) < WAIT + MARGIN
    log = await verified_log(server)
    log.accounts_for(ledger)
    for one in used:
        log.used_once(one)


async def test_stopped_mongodb_allows_nothing_and_needs_no_restart(server: Served, fragile: MongodProcess) -> None:
    ledger = Ledger()
    async with stream(server, ledger):
        journeys = [asyncio.create_task(journey(server, ledger)) for _ in range(4)]
        await eventually(lambda: _answers(ledger, 50))
        async with stopped(fragile.pid):
            began = time.monotonic()
            await eventually(lambda: _refused(ledger), seconds=WAIT + MARGIN)
            await eventually(lambda: _after(began + 2.5), seconds=4)
            assert not [reply for reply in ledger.replies if reply.answer and reply.began > began]
            quick = [reply.took for reply in ledger.refused if reply.began > began + WAIT + MARGIN]
            assert quick
            assert sorted(quick)[len(quick) // 2] < 0.05
        resumed = time.monotonic()
        await eventually(lambda: _answered(ledger, resumed), seconds=5)
        used = await asyncio.gather(*journeys)
    assert ledger.refusals - STALE == {("UNAVAILABLE", "STORE_UNAVAILABLE")}
    assert max(reply.took for reply in ledger.refused) < WAIT + MARGIN
    log = await verified_log(server)
    log.accounts_for(ledger)
    for one in used:
        log.used_once(one)


@pytest.mark.parametrize("seconds", [0.1, 0.3])
async def test_a_short_deadline_hears_why_before_it_ends(
    server: Served, fragile: MongodProcess, seconds: float
) -> None:
    ledger = Ledger()
    await ledger.answered(server, asking())
    async with stopped(fragile.pid):
        replies = await asyncio.gather(*(ledger.ask(server, asking(), seconds=seconds) for _ in range(9)))
    heard = [reply for reply in replies if reply.refusal and reply.refusal.reason == "STORE_UNAVAILABLE"]
    assert len(heard) >= 5  # the others, on a busy machine, DEADLINE_EXCEEDED
    assert {code for code, _ in ledger.refusals} <= {"UNAVAILABLE", "DEADLINE_EXCEEDED"}
    assert all(reply.took < seconds for reply in heard)
    assert not any(reply.answer for reply in replies)
    await ledger.answered(server, asking())


async def _answers(ledger: Ledger, count: int) -> bool:
    return len(ledger.answers) >= count


async def _refused(ledger: Ledger) -> bool:
    return bool(ledger.refused)


async def _answered(ledger: Ledger, since: float) -> bool:
    return ledger.answered_after(since)


async def _after(moment: float) -> bool:
    return time.monotonic() > moment
