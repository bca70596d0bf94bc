"""What the inbox shows of a queue: few rows of many at once, each unlike the others, and what becomes of them."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from pdp.cli.inbox import Inbox
from pdp.cli.inbox_queue import InboxQueue
from pdp.cli.reading import Reading
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval
from tests.cli.test_inbox import LONG, inbox, opened, read, select, until
from tests.parts import Placet, exporting, placet
from tests.pdp.seeding import seed
from tests.pdp.steps import revoke, use


@pytest.fixture
async def quiet(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    async with placet(state, mongod.uri) as server:
        yield server


def rows(app: Inbox) -> list[str]:
    return [str(option.prompt) for option in app.query_one("#queue", OptionList).options]


def text(app: Inbox) -> str:
    return str(app.query_one("#text", Static).render())


def unbroken(app: Inbox) -> str:
    return text(app).replace("\n    ... ", "")


def said(app: Inbox) -> list[str]:
    return [notice.message for notice in app._notifications]


async def approve(app: Inbox, pilot: Pilot[None], held: Approval) -> None:
    await select(app, pilot, held)
    await read(app, pilot)
    await pilot.press("a")
    await until(pilot, lambda: len(app.screen_stack) == 2)
    await pilot.press(*"fine", "enter")
    await until(pilot, lambda: held.approval_id not in app._queue)


async def test_first_rows_come_at_once_among_thousands_and_more_as_one_scrolls(
    quiet: Placet, mongod: MongodProcess
) -> None:
    like = (await quiet.authorize(exporting())).approval
    await seed(mongod, quiet, like, 5000)
    began = time.monotonic()
    async with inbox(quiet) as (app, pilot):
        await until(pilot, lambda: len(rows(app)) == 50)
        assert time.monotonic() - began < 5, "the bench holds it to a second"
        assert len({*rows(app)}) == 50
        assert "50 to review, more below" in app.sub_title
        deadlines = [held.expires_at.ToMilliseconds() for held in app._queue.ordered()]
        assert deadlines == sorted(deadlines)
        for _ in range(45):
            await pilot.press("down")
        await until(pilot, lambda: len(rows(app)) == 100)
        options = app.query_one("#queue", OptionList)
        assert options.highlighted in (44, 45), "the place stays"
        under = app._queue.ordered()[options.highlighted]
        await until(pilot, lambda: app.shown and app.shown.approval.approval_id == under.approval_id)


async def test_what_is_on_screen_follows_what_becomes_of_it(quiet: Placet) -> None:
    request = exporting()
    held = (await quiet.authorize(request)).approval
    other = (await quiet.authorize(request := exporting())).approval
    await quiet.review(held, "carol")
    async with inbox(quiet) as (app, pilot):
        await approve(app, pilot, held)
        await until(pilot, lambda: f"{held.approval_id}  APPROVED" in unbroken(app))
        await revoke(quiet, held, quiet.metadata("carol"))
        await until(pilot, lambda: f"{held.approval_id}  REVOKED" in unbroken(app))
        await until(pilot, lambda: any("REVOKED  export" in row for row in rows(app)))
        await select(app, pilot, other)
        await until(pilot, lambda: len(rows(app)) == 1)
        await quiet.review(other, "bob")
        await quiet.review(other, "carol")
        await use(quiet, request, other)
        await until(pilot, lambda: f"{other.approval_id}  CONSUMED" in unbroken(app))


async def test_own_review_is_answered_by_one_sentence_that_says_what_is_still_open(quiet: Placet) -> None:
    held = (await quiet.authorize(exporting())).approval
    async with inbox(quiet) as (app, pilot):
        await approve(app, pilot, held)
        await until(pilot, lambda: "you may not review it: you have reviewed it" in unbroken(app))
        another = (await quiet.authorize(exporting())).approval
        await until(pilot, lambda: another.approval_id in app._queue)  # so the watch has told of the review, too
        assert said(app) == ["Approve: it is PENDING now\nstill open    1 of group data-stewards  [tags.pii.export]"]
        await quiet.review(held, "carol")
        await until(pilot, lambda: f"{held.approval_id}  APPROVED" in unbroken(app))
        assert said(app)[1:] == ["it is APPROVED now"]


async def test_change_while_the_reason_is_asked_is_taken(quiet: Placet) -> None:
    held = (await quiet.authorize(exporting())).approval
    async with inbox(quiet) as (app, pilot):
        await select(app, pilot, held)
        await read(app, pilot)
        await pilot.press("a")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        another = (await quiet.authorize(exporting())).approval
        await until(pilot, lambda: another.approval_id in app._queue and len(app._options.options) == 2)
        await quiet.review(held, "carol")
        await until(pilot, lambda: "read it again" in "".join(said(app)))
        await pilot.press(*"fine", "enter")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        await until(pilot, lambda: len(said(app)) == 2)
        assert said(app)[1] == "it changed while you wrote; read it again"


async def test_rows_say_what_differs_for_whom_which_rule_and_how_far(quiet: Placet) -> None:
    for number in (1000, 1_000_000):
        await quiet.authorize(exporting(context={"rows": number}))
    async with inbox(quiet) as (app, pilot):
        await until(pilot, lambda: len(rows(app)) == 2)
        first, second = rows(app)
    assert first.startswith(
        "export table:customers\n  context.rows = 1000\n  agent:report-bot for user:alice\n"
        "  carries unclassified\n  tags.pii.export 0 of 2  "
    )
    assert "context.rows = 1000000" in second


async def test_resize_keeps_the_place_and_wraps_anew(server: Placet) -> None:
    lines = {"text": " ".join(f"word{number}" for number in range(1500)), **LONG}
    held = await opened(server, context=lines)
    async with inbox(server) as (app, pilot):
        await select(app, pilot, held)
        pane = app.query_one(Reading)
        for columns, rows_of_terminal in ((70, 30), (150, 30), (60, 50)):
            await pilot.press("space")
            await pilot.pause()
            top = marks(text(app), int(pane.scroll_y))
            await pilot.resize_terminal(columns, rows_of_terminal)
            await until(pilot, lambda top=top: top & marks(text(app), int(pane.scroll_y)))
            width = pane.scrollable_content_region.width
            assert max(map(len, text(app).split("\n"))) <= width
            assert max(map(len, text(app).split("\n"))) > width - 10
        assert not app.read_to_end
        await read(app, pilot)
        await pilot.resize_terminal(100, 40)
        await pilot.pause()
        assert app.read_to_end, "it is the same text"


def marks(shown: str, top: int) -> set[str]:
    """Words by which the lines around the top are recognised."""
    unbroken = " ".join(shown.split("\n")[max(top - 3, 0) : top + 4])
    return {word for word in unbroken.replace("\\u{a}", " ").split() if word[-1:].isdigit() or "=" not in word}


def waiting(name: str, seconds: int, version: int = 1) -> Approval:
    held = Approval(approval_id=name, version=version)
    held.expires_at.FromSeconds(seconds)
    return held


def test_change_behind_what_was_read_waits_for_its_page() -> None:
    queue = InboxQueue()
    queue.add([waiting("a", 10), waiting("b", 20)], more="token")
    queue.take(waiting("far", 30), may_review=True, on_screen=False)
    queue.take(waiting("near", 15), may_review=True, on_screen=False)
    assert [held.approval_id for held in queue.ordered()] == ["a", "near", "b"]
    queue.add([waiting("far", 30)], more="")
    queue.take(waiting("last", 40), may_review=True, on_screen=False)
    assert [held.approval_id for held in queue.ordered()] == ["a", "near", "b", "far", "last"]


def test_page_does_not_bring_back_what_a_change_took_away_or_made_newer() -> None:
    queue = InboxQueue()
    queue.add([waiting("a", 10)], more="token")
    queue.take(waiting("b", 20, version=2), may_review=False, on_screen=False)
    queue.take(waiting("a", 10, version=3), may_review=True, on_screen=False)
    queue.add([waiting("a", 10, version=2), waiting("b", 20)], more="")
    assert [(held.approval_id, held.version) for held in queue.ordered()] == [("a", 3)]


def test_what_left_the_queue_stays_in_its_place_until_one_goes_on() -> None:
    queue = InboxQueue()
    queue.add([waiting("a", 10), waiting("b", 20), waiting("c", 30)], more="")
    queue.take(waiting("b", 99, version=2), may_review=False, on_screen=True)
    assert [held.approval_id for held in queue.ordered()] == ["a", "b", "c"]
    assert "b" not in queue
    queue.take(waiting("b", 5, version=3), may_review=False, on_screen=True)
    queue.let_go("b")
    assert [held.approval_id for held in queue.ordered()] == ["a", "b", "c"]
    queue.let_go("c")
    assert [held.approval_id for held in queue.ordered()] == ["a", "c"]
