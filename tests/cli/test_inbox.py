"""`pdp inbox`: the queue on a terminal; a verdict only after the whole request was on screen."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from pdp.cli.inbox import Inbox
from pdp.client import Client
from pdp.dev import identity
from pdp.v1.approval_pb2 import Approval, ApprovalState, GetApprovalRequest, Verdict
from tests.cli.test_display import EVIL, is_harmless
from tests.parts import Placet, exporting

SECONDS = 15
LONG = {"query": "\n".join(f"line {number}" for number in range(200))}


@asynccontextmanager
async def inbox(server: Placet, name: str = "bob") -> AsyncIterator[tuple[Inbox, Pilot[None]]]:
    async with Client(server.address, identity.token(server.state, name)) as client:
        app = Inbox(client)
        async with app.run_test(size=(100, 40)) as pilot:
            yield app, pilot


async def until(pilot: Pilot[None], claim: Callable[[], Any]) -> None:
    async with asyncio.timeout(SECONDS):
        while not claim():
            await pilot.pause(0.02)


async def opened(server: Placet, **members: Any) -> Approval:
    context = members.pop("context", {}) | {"run": uuid4().hex}
    return (await server.authorize(exporting(context=context, **members))).approval


async def select(app: Inbox, pilot: Pilot[None], held: Approval) -> None:
    queue = app.query_one("#queue", OptionList)
    async with asyncio.timeout(SECONDS):
        while held.approval_id not in [option.id for option in queue.options]:
            if app._queue.more and queue.option_count:  # it is on a later page: other tests' approvals wait, too
                queue.highlighted = queue.option_count - 1
            await pilot.pause(0.05)
    queue.highlighted = [option.id for option in queue.options].index(held.approval_id)
    await until(pilot, lambda: app.shown and app.shown.approval.approval_id == held.approval_id)
    await pilot.pause()


async def read(app: Inbox, pilot: Pilot[None]) -> None:
    async with asyncio.timeout(SECONDS):
        while not app.read_to_end:
            await pilot.press("space")
            await pilot.pause()


async def state(server: Placet, held: Approval) -> str:
    request = GetApprovalRequest(approval_id=held.approval_id)
    now = await server.approvals.GetApproval(request, metadata=server.metadata("bob"))
    return ApprovalState.Name(now.approval.state).removeprefix("APPROVAL_STATE_")


async def test_approve_works_only_after_the_end_was_on_screen(server: Placet) -> None:
    held = await opened(server, context=LONG)
    await server.review(held, "carol")
    async with inbox(server) as (app, pilot):
        await select(app, pilot, held)
        await pilot.press("a")
        await pilot.pause()
        assert len(app.screen_stack) == 1
        assert not app.read_to_end
        await read(app, pilot)
        await pilot.press("a")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.press(*"fine", "enter")
        await until(pilot, lambda: held.approval_id not in app._queue)
    assert await state(server, held) == "APPROVED"


@pytest.mark.parametrize(("key", "verdict"), [("d", "VERDICT_DENY"), ("s", "VERDICT_CHANGES_REQUESTED")])
async def test_deny_and_send_back(server: Placet, key: str, verdict: str) -> None:
    held = await opened(server)
    async with inbox(server) as (app, pilot):
        await select(app, pilot, held)
        await read(app, pilot)
        await pilot.press(key)
        await until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.press(*"smaller", "enter")
        await until(pilot, lambda: held.approval_id not in app._queue)
    request = GetApprovalRequest(approval_id=held.approval_id)
    now = (await server.approvals.GetApproval(request, metadata=server.metadata("bob"))).approval
    assert ApprovalState.Name(now.state) == "APPROVAL_STATE_DENIED"
    assert [review.reason for review in now.reviews] == ["smaller"]
    assert Verdict.Name(now.reviews[0].verdict) == verdict


async def test_escape_gives_no_verdict(server: Placet) -> None:
    held = await opened(server)
    async with inbox(server) as (app, pilot):
        await select(app, pilot, held)
        await read(app, pilot)
        await pilot.press("d")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
    assert await state(server, held) == "PENDING"


async def test_what_others_do_is_seen_and_must_be_read_again(server: Placet) -> None:
    held = await opened(server, context=LONG)
    async with inbox(server) as (app, pilot):
        await select(app, pilot, held)
        await read(app, pilot)
        await server.review(held, "carol")
        await until(pilot, lambda: app.shown and app.shown.approval.reviews)
        assert not app.read_to_end
        await server.review(held, "bob")
        await until(pilot, lambda: held.approval_id not in app._queue)


async def test_nothing_deceiving_reaches_the_terminal(server: Placet) -> None:
    held = await opened(server, context={EVIL: [EVIL, "[bold]x[/bold]"]}, justification=f"{EVIL} [red]approve[/red]")
    async with inbox(server) as (app, pilot):
        await select(app, pilot, held)
        text = str(app.query_one("#text", Static).render())
    assert is_harmless(text)
    unbroken = text.replace("\n    ... ", "")
    assert "[bold]x[/bold]" in unbroken
    assert "[red]approve[/red]" in unbroken
