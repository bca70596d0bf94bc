"""The whole way: a request is told in Slack, two people review it there, and what was told follows."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pdp.process.mongod import MongodProcess
from tests.pdp.channels.slack.conftest import Chat, connected, until, words


@pytest.fixture
async def chat(state: Path, mongod: MongodProcess, tmp_path: Path) -> AsyncIterator[Chat]:
    """One of its own, as a person is told at most 20 times an hour."""
    async with connected(state, mongod, tmp_path) as made:
        yield made


async def test_server_tells_people_and_their_clicks_lead_to_the_end(chat: Chat) -> None:
    approval = await chat.asked()
    notices = {user: await until(lambda user=user: noticed(chat, user, approval)) for user in ("DBOB", "DCAROL")}
    assert not noticed(chat, "DALICE", approval)
    assert "customers" not in words(notices["DBOB"].blocks), "no resource id in a notice"
    for user in ("UBOB", "UCAROL"):
        chat.slack.space.views.clear()
        await chat.slack.click(user, notices[f"D{user[1:]}"], "placet.review")
        await until(lambda user=user: chat.slack.space.open_view(user))
        assert "Recorded" in await chat.sent(user)
    for notice in notices.values():
        await until(lambda notice=notice: "APPROVED" in words(notice.blocks))
        assert not [one for block in notice.blocks for one in block["elements"] if one.get("value")]


def noticed(chat: Chat, channel: str, approval: Any) -> Any:
    """The notice that the server posted of an approval."""
    mine = [one for one in chat.slack.space.messages if one.channel == channel and not one.only]
    return next((one for one in mine if approval.approval_id in json.dumps(one.blocks)), None)
