"""OPA killed and stopped under a stream of calls."""

import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pdp.audit.record import Kind
from pdp.process.mongod import MongodProcess
from tests.faults import Ledger, Served, eventually, journey, served, stopped, stream, verified_log

MARGIN = 0.25
"""For a machine that others use, too."""


@pytest.fixture
async def server(tmp_path: Path, state: Path, mongod: MongodProcess) -> AsyncIterator[Served]:
    async with served(tmp_path, state, mongod.uri) as running:
        yield running


async def test_killed_opa_allows_nothing_and_is_back_within_seconds(server: Served) -> None:
    ledger = Ledger()
    async with stream(server, ledger):
        await journey(server, ledger)
        killed = time.monotonic()
        os.kill(server.opa, signal.SIGKILL)
        await eventually(lambda: _refused(ledger), seconds=0.3 + MARGIN)
        assert ledger.refused[0].began + ledger.refused[0].took - killed < 0.3 + MARGIN
        refused = time.monotonic()
        await eventually(lambda: _answered(ledger, refused), seconds=5)
        used = await journey(server, ledger)
    assert ledger.refusals == {("UNAVAILABLE", "ENGINE_UNAVAILABLE")}
    assert max(reply.took for reply in ledger.refused) < 0.3 + MARGIN
    log = await verified_log(server)
    log.accounts_for(ledger)
    log.used_once(used)


async def test_stopped_opa_allows_nothing_and_needs_no_restart(server: Served) -> None:
    ledger = Ledger()
    async with stream(server, ledger):
        await journey(server, ledger)
        async with stopped(server.opa):
            began = time.monotonic()
            await eventually(lambda: _refused(ledger), seconds=1)
            await eventually(lambda: _after(began + 1.5), seconds=3)
            assert not [reply for reply in ledger.replies if reply.answer and reply.began > began]
        resumed = time.monotonic()
        await eventually(lambda: _answered(ledger, resumed), seconds=2)
        used = await journey(server, ledger)
    assert ledger.refusals == {("UNAVAILABLE", "ENGINE_UNAVAILABLE")}
    assert max(reply.took for reply in ledger.refused) < 1.0 + MARGIN
    log = await verified_log(server)
    log.accounts_for(ledger)
    log.used_once(used)
    assert len(log.of(Kind.ERROR)) == len(ledger.refused)


async def _refused(ledger: Ledger) -> bool:
    return bool(ledger.refused)


async def _answered(ledger: Ledger, since: float) -> bool:
    return ledger.answered_after(since)


async def _after(moment: float) -> bool:
    return time.monotonic() > moment
