"""Verdicts from chats: one a view, of its account, on the version that it showed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pdp.process.mongod import MongodProcess
from tests.pdp.channels.slack.conftest import Chat, connected


@pytest.fixture(scope="module")
async def chat(state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chat]:
    async with connected(state, mongod, tmp_path_factory.mktemp("slack")) as made:
        yield made


async def test_view_of_before_the_last_review_is_stale_and_shown_anew(chat: Chat) -> None:
    approval = await chat.asked()
    await chat.opened(approval)
    await chat.server.review(approval, "carol")
    assert "changed since it was displayed" in await chat.sent()
    assert [one["error"] for one in await chat.refused(approval)] == ["VIEW_STALE"]
    assert "The approval is APPROVED now." in await chat.sent()
