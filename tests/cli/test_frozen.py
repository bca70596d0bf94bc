"""A connection that freezes is noticed by `watch`, `wait` and the inbox, which then show what they missed."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import pytest

from pdp.client import Client
from pdp.client.link import ANSWER_SECONDS, KEEPALIVE_SECONDS
from pdp.dev import identity
from tests.cli.terminal import Terminal
from tests.cli.test_inbox import Inbox, select, until
from tests.cli.test_waiting import line, opened, watching
from tests.parts import Placet
from tests.proxy import Proxy, proxy

PING_SECONDS = 0.6
"""Fifty times as often as by default, so that the test takes no minute; the mechanism is the same."""
NOTICED_SECONDS = 20


def test_a_dead_connection_is_noticed_within_a_minute_by_default() -> None:
    assert KEEPALIVE_SECONDS + ANSWER_SECONDS < 60


@pytest.fixture
async def far(server: Placet) -> AsyncIterator[Proxy]:
    async with proxy(server.address) as far:
        yield far


async def said(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    return (await asyncio.wait_for(process.stderr.readline(), NOTICED_SECONDS)).decode()


async def test_watch_says_so_and_prints_what_it_missed(pdp: Terminal, server: Placet, far: Proxy) -> None:
    held = await opened(server)
    asked = ("--as", "bob", "--address", far.address, "--keepalive", str(PING_SECONDS))
    async with watching(pdp, *asked) as process:
        while "approval" in (message := json.loads(await line(process))):
            assert message["approval"]["approvalId"]
        far.freeze()
        await server.review(held, "carol", "DENY")
        began = time.monotonic()
        assert await said(process) == "not connected (UNAVAILABLE); trying again\n"
        assert time.monotonic() - began < NOTICED_SECONDS / 2
        far.thaw()
        missed = json.loads(await line(process))
        assert missed["approval"]["approvalId"] == held.approval_id
        assert missed["approval"]["state"] == "APPROVAL_STATE_DENIED"
        assert await said(process) == "connected again\n"


async def test_wait_says_so_and_ends_with_what_became_of_it(pdp: Terminal, server: Placet, far: Proxy) -> None:
    held = await opened(server)
    asked = ("--as", "report-bot", "--address", far.address, "--keepalive", str(PING_SECONDS), "--timeout", "5m")
    process = await pdp.start("approvals", "wait", held.approval_id, *asked)
    async with asyncio.timeout(NOTICED_SECONDS):
        while not far.connections:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)
    far.freeze()
    assert await said(process) == "not connected (UNAVAILABLE); trying again\n"
    await server.review(held, "carol", "DENY")
    far.thaw()
    out, err = await asyncio.wait_for(process.communicate(), NOTICED_SECONDS)
    assert (process.returncode, json.loads(out)["state"]) == (12, "APPROVAL_STATE_DENIED")
    assert err in {b"", b"connected again\n"}


async def test_the_inbox_says_so_and_shows_what_it_missed(server: Placet, far: Proxy) -> None:
    token = identity.token(server.state, "bob")
    async with Client(far.address, token, keepalive=PING_SECONDS) as client:
        app = Inbox(client)
        async with app.run_test(size=(100, 40)) as pilot:
            await until(pilot, lambda: "to review" in app.sub_title)
            far.freeze()
            await until(pilot, lambda: "not connected" in app.sub_title)
            held = await opened(server)
            far.thaw()
            await select(app, pilot, held)
