"""Clicks are acknowledged at once; how many are worked on at one time, of one account and of all."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pdp.channels.beside import AT_ONCE, OF_ONE
from pdp.channels.slack.answering import BUSY
from pdp.channels.slack.taking import Taking
from pdp.process.mongod import MongodProcess
from tests.pdp.channels.slack.conftest import Chat, connected
from tests.pdp.channels.slack.test_interaction import click, sent


class Waiting:
    """What answers clicks, and takes its time."""

    def __init__(self) -> None:
        self.may_end, self.begun = asyncio.Event(), list[Any]()

    async def answer(self, done: Any) -> None:
        self.begun.append(done.by.user)
        await self.may_end.wait()

    def checking(self) -> dict[str, Any]:
        return {"type": "modal"}


def of(user: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {**payload, "user": {"id": user, "team_id": "T1"}}


async def test_one_account_leaves_room_and_hears_that_its_verdict_was_not_looked_at() -> None:
    answering: Any = Waiting()
    taking = Taking(answering)
    for _ in range(AT_ONCE):
        assert taking.take(of("UNOISY", click())) == {}
    told = taking.take(of("UNOISY", sent()))
    assert told == {"response_action": "errors", "errors": {"verdict": BUSY}}
    assert taking.take(of("UBOB", sent()))["response_action"] == "update"
    await asyncio.sleep(0)
    assert answering.begun == [*["UNOISY"] * OF_ONE, "UBOB"]
    answering.may_end.set()
    await taking.settled()
    assert taking.take(of("UNOISY", sent()))["response_action"] == "update"
    await taking.settled()


async def test_all_accounts_together_have_as_many_at_once_as_a_process_works_on() -> None:
    answering: Any = Waiting()
    taking = Taking(answering)
    for number in range(AT_ONCE + 1):
        taking.take(of(f"U{number}", click()))
    assert "errors" in taking.take(of("UBOB", sent()))
    await asyncio.sleep(0)
    assert len(answering.begun) == AT_ONCE
    answering.may_end.set()
    await taking.settled()


async def test_envelope_that_comes_again_is_acknowledged_and_not_begun_again() -> None:
    answering: Any = Waiting()
    taking = Taking(answering)
    for _ in range(2):
        assert taking.take(of("UBOB", sent()), "e1")["response_action"] == "update"
    answering.may_end.set()
    await taking.settled()
    assert answering.begun == ["UBOB"]


@pytest.fixture
async def chat(state: Path, mongod: MongodProcess, tmp_path: Path) -> AsyncIterator[Chat]:
    async with connected(state, mongod, tmp_path) as made:
        yield made


async def test_modal_of_a_verdict_that_was_not_looked_at_stays_open(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval = await chat.asked()
    opened = await chat.opened(approval)
    monkeypatch.setattr("pdp.channels.beside.OF_ONE", 0)
    assert await chat.slack.submit("UBOB", verdict="DENY", reason="words")
    assert chat.slack.trouble["UBOB"] == BUSY
    assert not opened.is_closed
    monkeypatch.undo()
    assert "Recorded: DENY" in await chat.sent(verdict="DENY")
