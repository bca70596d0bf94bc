"""Tokens that end while people decide: calls, waits and watches go on with the next one."""

import asyncio
import time
from contextlib import aclosing
from pathlib import Path

import pytest

from pdp.authn.bearer import LEEWAY_SECONDS
from pdp.client import CallError, Client
from pdp.client.waiting import watched
from pdp.dev import identity
from tests.parts import Placet, exporting
from tests.tokens import claims, counting, signed

SECONDS = 20


def ending(server: Placet, who: str, role: str, seconds: float) -> str:
    """A token that the server takes for so many seconds more."""
    ends = int(time.time()) - LEEWAY_SECONDS + seconds
    groups = ["data-stewards"] if role == "reviewer" else []
    return signed(server.state, claims(who, exp=ends, iat=int(time.time()) - 300, roles=[role], groups=groups))


async def test_a_wait_goes_on_with_the_next_token(server: Placet, tmp_path: Path) -> None:
    held = (await server.authorize(exporting())).approval
    file = tmp_path / "token"
    file.write_text(ending(server, "agent:report-bot", "requester", 2))
    async with Client(server.address, token_file=file) as pdp:
        wait = asyncio.create_task(pdp.wait(held.approval_id, timeout=SECONDS))
        await asyncio.sleep(3.5)  # the token has ended, and nothing has renewed it yet
        assert not wait.done()
        file.write_text(identity.token(server.state, "report-bot"))
        await server.review(held, "bob", "DENY")
        assert (await wait).approval_id == held.approval_id
        assert (await wait).state != held.state


async def test_a_watch_goes_on_with_the_next_token_and_misses_nothing(server: Placet) -> None:
    tokens = [ending(server, "user:bob", "reviewer", 2)]
    source, _ = counting(lambda: tokens[-1])
    async with Client(server.address, source) as pdp, aclosing(watched(pdp)) as messages, asyncio.timeout(SECONDS):
        async for message in messages:
            if not message.HasField("approval"):
                break
        tokens.append(identity.token(server.state, "bob"))
        await asyncio.sleep(3.5)
        held = (await server.authorize(exporting())).approval
        async for message in messages:
            if message.approval.approval_id == held.approval_id:
                break


async def test_a_token_that_nothing_renews_ends_the_wait(server: Placet) -> None:
    held = (await server.authorize(exporting())).approval
    async with Client(server.address, ending(server, "agent:report-bot", "requester", 2)) as pdp:
        with pytest.raises(CallError, match="the token expired during the call"):
            await pdp.wait(held.approval_id, timeout=SECONDS)


async def test_tokens_that_are_new_and_refused_end_the_wait(server: Placet) -> None:
    source, seen = counting(lambda: f"wrong{len(seen)}")
    async with Client(server.address, source) as pdp:
        with pytest.raises(CallError) as refused:
            await pdp.wait("apr_0", timeout=SECONDS)
        assert refused.value.code == "UNAUTHENTICATED"
        assert len(seen) < 10
