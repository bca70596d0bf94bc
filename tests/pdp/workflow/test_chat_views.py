"""Views of chats on a real database: taken once, by their account, and only as a server wrote them."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from pdp.caller import Caller
from pdp.chat_view import VIEW_COUNTS, ChatView, ChatViewSealer
from pdp.session import hashed
from pdp.store.chat_views import StoredChatViews
from pdp.store.database import Database
from pdp.view_errors import ViewAltered, ViewStale
from pdp.workflow.chat_views import ChatViews, Displayed, fresh
from tests.pdp.chain import KEY, recorded, writing

BOB, CAROL = Caller.requester("user:bob"), Caller.requester("user:carol")
ACCOUNT, SHOWN = "slack:T1/UBOB", "a" * 64


@pytest.fixture
async def views(database: Database) -> AsyncIterator[ChatViews]:
    async with writing(database) as writer:
        yield ChatViews(database, writer, ChatViewSealer(KEY, "dev"))


async def offered(views: ChatViews) -> str:
    token = fresh()
    shown = Displayed(approval="apr_1", digest="d", version=3, lineage="", takes="DENY", rendered=SHOWN)
    await views.offer(token, BOB, ACCOUNT, shown)
    return token


async def is_stale(views: ChatViews, token: str, caller: Caller = BOB, account: str = ACCOUNT) -> bool:
    with pytest.raises(ViewStale):
        await views.take(token, caller, account, {SHOWN})
    return True


async def test_view_is_taken_once_and_its_token_is_not_stored(views: ChatViews, database: Database) -> None:
    token = await offered(views)
    [document] = await database.database["chat_views"].find({}).to_list()
    assert token not in str(document)
    view = await views.take(token, BOB, ACCOUNT, {SHOWN})
    assert (view.approval, view.digest, view.version, view.takes, view.rendered) == ("apr_1", "d", 3, "DENY", SHOWN)
    assert await is_stale(views, token)


async def test_view_of_another_account_stays_with_its_own(views: ChatViews) -> None:
    token = await offered(views)
    assert await is_stale(views, token, CAROL, "slack:T1/UCAROL")
    assert await views.take(token, BOB, ACCOUNT, {SHOWN})
    token = await offered(views)
    assert await is_stale(views, token, CAROL), "whose account it is has changed"


async def test_what_was_shown_otherwise_ends_the_view_with_an_alarm(
    views: ChatViews, caplog: pytest.LogCaptureFixture
) -> None:
    token = await offered(views)
    with pytest.raises(ViewAltered):
        await views.take(token, BOB, ACCOUNT, {"b" * 64, "c" * 64})
    assert "ALARM" in caplog.text
    assert await is_stale(views, token)


async def test_view_ends_after_ten_minutes(views: ChatViews, database: Database) -> None:
    token = fresh()
    view = ChatView(
        id=hashed(token),
        identity="user:bob",
        account=ACCOUNT,
        approval="apr_1",
        digest="d",
        version=3,
        lineage="",
        takes="DENY",
        rendered=SHOWN,
        at=await database.now() - VIEW_COUNTS - timedelta(seconds=1),
    )
    await StoredChatViews(database).insert(ChatViewSealer(KEY, "dev").view(view))
    assert await is_stale(views, token)
    assert await recorded(database) == []


@pytest.mark.parametrize(
    "change",
    [
        {"identity": "user:carol"},
        {"approval": "apr_2"},
        {"version": 4},
        {"version": "3"},
        {"digest": None},
        {"lineage": "x"},
        {"takes": "APPROVE DENY"},
        {"rendered": "b" * 64},
        {"seal": ""},
    ],
)
async def test_view_that_no_server_wrote_is_refused(
    views: ChatViews, database: Database, change: dict[str, Any]
) -> None:
    token = await offered(views)
    await database.database["chat_views"].update_one({"_id": hashed(token)}, {"$set": change})
    assert await is_stale(views, token)
    assert [kind for kind, _ in await recorded(database)] == ["error"]


async def test_view_of_another_realm_is_refused(views: ChatViews, database: Database) -> None:
    token = await offered(views)
    async with writing(database) as writer:
        elsewhere = ChatViews(database, writer, ChatViewSealer(KEY, "other"))
        assert await is_stale(elsewhere, token)


async def test_signature_is_new_once(views: ChatViews) -> None:
    assert [await views.is_new("v0=1"), await views.is_new("v0=1"), await views.is_new("v0=2")] == [True, False, True]
