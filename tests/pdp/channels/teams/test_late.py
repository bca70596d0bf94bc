"""Clicks that take longer than Teams waits: they are answered in time, and go on. Here it waits for 2 s."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pdp.channels.beside import OF_ONE
from pdp.channels.teams.answering import BUSY
from pdp.process.mongod import MongodProcess
from tests.faults import slow
from tests.pdp.channels.teams.conftest import Chat, buttons, connected, reads
from tests.teams import PEOPLE, double, words
from tests.told import until

LATE = "could not answer here in time"
EACH = 250
"""Milliseconds of each command: five of them are too long, and one is not."""


@pytest.fixture(scope="module")
async def chat(state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chat]:
    async with double() as teams:
        teams.waits_seconds = 2.0
        async with connected(state, mongod, tmp_path_factory.mktemp("teams"), teams=teams) as made:
            yield made


def private(chat: Chat, who: str, said: str) -> list[Any]:
    """The cards of messages to one person alone that say this."""
    mine = [one.activity for one in chat.teams.messages if one.conversation == f"a:{PEOPLE[who]}"]
    cards = [one["attachments"][0]["content"] for one in mine]
    return [card for card in cards if said in words(card)]


async def test_click_that_takes_too_long_is_answered_in_time_and_then_in_private(
    chat: Chat, mongod: MongodProcess
) -> None:
    approval = await chat.asked()
    async with slow(mongod.uri, EACH):
        assert LATE in reads(await chat.opened(approval))
    await until(lambda: private(chat, "bob", LATE))
    [message] = private(chat, "bob", LATE)
    assert buttons(message) == {"Open": f"{chat.server.http}/inbox/approvals/{approval.approval_id}"}


async def test_verdict_that_takes_too_long_counts_and_its_person_hears_it_in_private(
    chat: Chat, mongod: MongodProcess
) -> None:
    approval = await chat.asked()
    given = buttons(await chat.opened(approval, "carol"))["Approve"]
    async with slow(mongod.uri, EACH):
        assert LATE in reads(await chat.sent(given, "carol"))
        await until(lambda: private(chat, "carol", "Recorded: APPROVE as user:carol"))
    [message] = private(chat, "carol", "Recorded: APPROVE as user:carol")
    assert buttons(message) == {"Open": f"{chat.server.http}/inbox/approvals/{approval.approval_id}"}
    assert await chat.state(approval) == ("PENDING", 1)


async def test_one_account_that_clicks_without_end_leaves_room_for_others(chat: Chat, mongod: MongodProcess) -> None:
    approval = await chat.asked()
    async with slow(mongod.uri, EACH):
        mine = asyncio.gather(*(chat.opened(approval) for _ in range(OF_ONE + 12)))
        assert BUSY not in reads(await chat.opened(approval, "carol"))
        said = [reads(one) for one in await mine]
    assert 1 <= [BUSY in one for one in said].count(True) <= 12
    assert BUSY not in reads(await chat.opened(approval))
