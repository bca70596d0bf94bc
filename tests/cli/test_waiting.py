"""`pdp approvals wait` and `watch`: statuses for scripts, a line a change, restarts survived."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval
from tests.cli.terminal import Terminal
from tests.cli.test_display import EVIL, is_harmless
from tests.parts import Placet, exporting, placet


async def opened(server: Placet, **members: Any) -> Approval:
    return (await server.authorize(exporting(**members))).approval


async def test_status_says_what_became_of_it(pdp: Terminal, server: Placet) -> None:
    held = await opened(server)
    asked = ("approvals", "wait", held.approval_id, "--as", "report-bot")
    pending = await pdp(*asked, "--timeout", "1s")
    assert (pending.status, pending.json["state"]) == (11, "APPROVAL_STATE_PENDING")
    waits = asyncio.create_task(pdp(*asked, "--timeout", "1m", "-o", "table"))
    await server.review(held, "bob")
    await server.review(held, "carol")
    approved = await waits
    assert approved.status == 0
    assert approved.out.splitlines()[1].startswith(f"{held.approval_id}  APPROVED")
    assert (await pdp(*asked)).status == 0
    use = exporting()
    use.context.CopyFrom(held.request.context)
    use.approval_id = held.approval_id
    assert (await server.authorize(use)).grant
    used = await pdp(*asked)
    assert (used.status, used.json["state"]) == (12, "APPROVAL_STATE_CONSUMED")


async def test_denied_has_ended(pdp: Terminal, server: Placet) -> None:
    held = await opened(server)
    waits = asyncio.create_task(pdp("approvals", "wait", held.approval_id, "--as", "alice"))
    await server.review(held, "bob", "DENY")
    denied = await waits
    assert (denied.status, denied.json["state"]) == (12, "APPROVAL_STATE_DENIED")


@pytest.mark.parametrize("duration", ["10", "", "soon", "0s", "-1m", "1 m"])
async def test_timeout_is_a_duration(pdp: Terminal, duration: str) -> None:
    done = await pdp("approvals", "wait", f"apr_{uuid4().hex}", "--as", "bob", f"--timeout={duration}")
    assert (done.status, done.out) == (2, "")
    assert "90s, 10m or 1h30m" in done.err


async def test_what_is_not_mine_or_nowhere_ends_at_once(pdp: Terminal) -> None:
    gone = await pdp("approvals", "wait", f"apr_{uuid4().hex}", "--as", "bob")
    assert (gone.status, gone.out) == (1, "")
    assert "APPROVAL_NOT_FOUND" in gone.err
    nobody = await pdp("approvals", "watch", "--as", "bob", "--address", "127.0.0.1:1")
    assert (nobody.status, nobody.out) == (69, "")


@asynccontextmanager
async def watching(pdp: Terminal, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Ended as people end it."""
    process = await pdp.start("approvals", "watch", *arguments)
    try:
        yield process
        process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.wait(), 10)
        assert process.returncode == 130
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), 20)).decode()


async def test_watch_prints_a_line_a_change_over_a_restart(pdp: Terminal, state: Path, mongod: MongodProcess) -> None:
    async with AsyncExitStack() as life:
        first = await life.enter_async_context(placet(state, mongod.uri))
        held = await opened(first)
        async with watching(pdp, "--as", "bob", "--address", first.address) as process:
            begun, all_told = [json.loads(await line(process)) for _ in range(2)]
            assert (begun["approval"]["approvalId"], begun["mayReview"]) == (held.approval_id, True)
            assert sorted(all_told) == ["resumeToken"]
            await life.aclose()
            async with placet(state, mongod.uri, database=first.database) as elsewhere:
                await elsewhere.review(held, "carol", "DENY")
            async with placet(state, mongod.uri, database=first.database, listen=first.address) as again:
                left = json.loads(await line(process))
                assert left["approval"]["state"] == "APPROVAL_STATE_DENIED"
                assert "mayReview" not in left
                assert sorted(json.loads(await line(process))) == ["resumeToken"]
                entered = await opened(again)
                assert json.loads(await line(process))["approval"]["approvalId"] == entered.approval_id


async def test_watch_shows_people_what_to_do(pdp: Terminal, state: Path, mongod: MongodProcess) -> None:
    async with placet(state, mongod.uri) as server:
        held = await opened(server, context={EVIL: EVIL}, justification=EVIL)
        async with watching(pdp, "--as", "bob", "--address", server.address, "-o", "table") as process:
            review = await line(process)
            assert review.startswith(f"review  {held.approval_id}  export table:customers  ")
            assert "agent:report-bot for user:alice  unclassified  tags.pii.export 0 of 2" in review
            await server.review(held, "carol", "DENY")
            gone = await line(process)
            assert gone.startswith(f"gone    {held.approval_id}  DENIED  export")
            assert is_harmless(review + gone)
            assert process.stderr is not None
            assert await process.stderr.readline() == b"this is all for now; changes follow\n"
