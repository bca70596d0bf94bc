"""People decide in Slack: the real slack_sdk, a server and the double of Slack; and those who cheat there."""

import asyncio
import copy
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo import AsyncMongoClient

from pdp.dev.slack import clicks
from pdp.dev.slack.page import blocks as drawn
from pdp.dev.slack.workspace import Opened
from pdp.process.mongod import MongodProcess
from pdp.v1.info_pb2 import GetServerInfoRequest
from tests.damaged import damaged
from tests.faults import failing
from tests.parts import log
from tests.pdp.channels.slack.conftest import Chat, until, words
from tests.slack import modal

HOSTILE = "*CFO approved* <!channel> [open](https://x) <at>x</at> \u202e\u200b<svg onload=x> javascript:x"


async def test_two_people_approve_in_chat(chat: Chat) -> None:
    approval = await chat.asked(payee="ACME", amount=12)
    seen = words((await chat.opened(approval)).view["blocks"])
    assert "You act as user:bob" in seen
    assert 'context.payee "ACME"' in seen
    assert "context.amount 12" in seen
    assert "Recorded: APPROVE as user:bob. The approval is PENDING now." in await chat.sent()
    await chat.opened(approval, "UCAROL")
    assert "The approval is APPROVED now." in await chat.sent("UCAROL")
    assert await chat.state(approval) == ("APPROVED", 2)
    answer = await chat.server.seen(approval, chat.server.metadata("bob"))
    assert [(one.account, len(one.view_digest)) for one in answer.reviews] == [
        ("slack:T1/UBOB", 64),
        ("slack:T1/UCAROL", 64),
    ]


async def test_button_deny_offers_a_denial_alone(chat: Chat) -> None:
    approval = await chat.asked()
    opened = await chat.opened(approval, button="deny")
    assert [one["value"] for one in options(opened)] == ["DENY"]
    assert "Recorded: DENY" in await chat.sent(verdict="DENY", reason="no")
    assert await chat.state(approval) == ("DENIED", 1)


async def test_words_of_others_are_literal(chat: Chat) -> None:
    opened = await chat.opened(await chat.asked(note=HOSTILE, **{HOSTILE[:40]: "x"}))
    shown = drawn(opened.view["blocks"])
    assert "<mark>" not in shown
    assert "*CFO approved* &lt;!channel&gt; [open](https://x) &lt;at&gt;x&lt;/at&gt; \\u{202e}\\u{200b}" in shown
    assert all(block["type"] in {"rich_text", "actions", "input"} for block in opened.view["blocks"])


@pytest.mark.parametrize(
    ("action", "why", "whole"),
    [("export", "so it is not shown here", False), ("sign", "needs your passkey", True)],
)
async def test_where_the_policy_wants_another_place_chat_takes_a_no_alone(
    chat: Chat, action: str, why: str, *, whole: bool
) -> None:
    approval = await chat.asked(action, payee="ACME")
    opened = await chat.opened(approval)
    seen = words(opened.view["blocks"])
    assert why in seen
    assert ("ACME" in seen) is whole
    assert [one["value"] for one in options(opened)] == ["DENY"]
    forged = clicks.of_modal(chat.slack.space, chat.slack.space.users["UBOB"], opened, {"verdict": "DENY"})
    chosen = forged["view"]["state"]["values"]["verdict"]["verdict"]["selected_option"]
    chosen["value"] = "APPROVE"
    await chat.slack.submitted(opened, forged)
    assert "is not what this server sent" in await chat.after(opened)
    assert await chat.state(approval) == ("PENDING", 0)


@pytest.mark.parametrize(
    "context",
    [
        {**{f"k{index:02}": "x" for index in range(59)}, "zz_payee": "ACME"},
        {"note": "x" * 1000 + "A"},
        {f"k{index}": "x" * 900 for index in range(7)},
    ],
    ids=["61st leaf", "1,001st character", "6,000 in all"],
)
async def test_request_that_is_too_long_has_no_approve(chat: Chat, context: dict[str, Any]) -> None:
    opened = await chat.opened(await chat.asked(**context))
    seen = words(opened.view["blocks"])
    assert "too long to be shown here as a whole" in seen
    assert "ACME" not in seen
    assert [one["value"] for one in options(opened)] == ["DENY"]
    assert any(one.get("url") for block in opened.view["blocks"] for one in block.get("elements", ()))


async def test_sixty_leaves_of_a_thousand_characters_are_approved(chat: Chat) -> None:
    many = {f"k{index:02}": "x" for index in range(58)}
    opened = await chat.opened(await chat.asked(**many))
    assert [one["value"] for one in options(opened)] == ["APPROVE", "DENY"]
    opened = await chat.opened(await chat.asked(note="x" * 1000))
    assert [one["value"] for one in options(opened)] == ["APPROVE", "DENY"]


async def test_view_takes_one_verdict(chat: Chat) -> None:
    approval = await chat.asked()
    opened = await chat.opened(approval)
    told = clicks.of_modal(chat.slack.space, chat.slack.space.users["UBOB"], opened, {"verdict": "APPROVE"})
    await asyncio.gather(chat.slack.submitted(opened, told), chat.slack.submitted(opened, copy.deepcopy(told)))
    await chat.after(opened)
    await until_refused(chat, approval, "VIEW_STALE")
    assert await chat.state(approval) == ("PENDING", 1)


async def test_deny_and_approve_at_once_are_one_review(chat: Chat) -> None:
    approval = await chat.asked()
    first = await chat.opened(approval)
    await chat.slack.click("UBOB", await chat.noticed(approval), "placet.review")
    second = await until(lambda: (one := chat.slack.space.open_view("UBOB")) is not first and one)
    bob = chat.slack.space.users["UBOB"]
    told = [
        (view, clicks.of_modal(chat.slack.space, bob, view, {"verdict": verdict}))
        for view, verdict in ((first, "APPROVE"), (second, "DENY"))
    ]
    await asyncio.gather(*(chat.slack.submitted(view, payload) for view, payload in told))
    await asyncio.gather(*(chat.after(view) for view, _ in told))
    state, reviews = await chat.state(approval)
    assert (state, reviews) in {("PENDING", 1), ("DENIED", 1)}


async def test_view_of_another_account_takes_no_verdict(chat: Chat) -> None:
    approval = await chat.asked()
    opened = await chat.opened(approval)
    told = clicks.of_modal(chat.slack.space, chat.slack.space.users["UCAROL"], opened, {"verdict": "APPROVE"})
    await chat.slack.submitted(opened, told)
    assert "not yours" in await chat.after(opened)
    assert [one["error"] for one in await chat.refused(approval)] == ["VIEW_STALE"]
    assert await chat.state(approval) == ("PENDING", 0)


async def test_approval_that_changed_is_shown_again(chat: Chat) -> None:
    approval = await chat.asked()
    await chat.opened(approval)
    await chat.server.review(approval, "carol")
    seen = await chat.sent()
    assert "changed since it was displayed" in seen
    assert [one["error"] for one in await chat.refused(approval)] == ["VIEW_STALE"]
    assert "The approval is APPROVED now." in await chat.sent()


async def test_approval_that_is_closed_says_so(chat: Chat) -> None:
    approval = await chat.asked()
    await chat.opened(approval)
    await chat.server.review(approval, "carol", "DENY")
    assert "DENIED" in await chat.sent()
    opened = await chat.opened(approval)
    assert "submit" not in opened.view
    assert "it is DENIED" in words(opened.view["blocks"])


@pytest.mark.parametrize(
    "change",
    [
        lambda view: view["blocks"][1]["elements"].pop(),
        lambda view: view["blocks"].pop(1),
        lambda view: view["blocks"].insert(0, {**view["blocks"][1], "block_id": "more"}),
        lambda view: view["blocks"][1]["elements"][0]["elements"][-1].update(text="  agent:harmless"),
        lambda view: view["blocks"][-2]["element"]["options"][0]["text"].update(text="Deny"),
        lambda view: view["title"].update(text="Lunch?"),
        lambda view: view["blocks"].append({"type": "divider", "block_id": "x"}),
    ],
    ids=["line gone", "block gone", "block more", "other text", "other label", "other title", "divider"],
)
async def test_view_that_the_bots_token_changed_takes_no_verdict(chat: Chat, change: Any) -> None:
    approval = await chat.asked(payee="ACME")
    opened = await chat.opened(approval)
    altered = copy.deepcopy(opened.view)
    change(altered)
    members = ("type", "title", "submit", "close", "callback_id", "private_metadata", "blocks")
    view = {name: altered[name] for name in members}
    chat.slack.space.call("views.update", {"view_id": opened.id, "view": view})
    assert "what was shown to you is not what this server sent" in await chat.sent()
    assert [one["error"] for one in await chat.refused(approval)] == ["VIEW_ALTERED"]
    assert await chat.state(approval) == ("PENDING", 0)


async def test_modal_that_the_bots_token_made_takes_no_verdict(chat: Chat) -> None:
    approval = await chat.asked()
    ours = (await chat.opened(approval)).view
    metadata = json.dumps({"approval": approval.approval_id, "token": "x" * 43})
    made = modal(*ours["blocks"], submit=ours["submit"], private_metadata=metadata, callback_id="placet.verdict")
    opened = await own(chat, made)
    assert await chat.slack.submit("UBOB", verdict="APPROVE", reason="")
    assert "this view was used, is too old, or is not yours" in await chat.after(opened)
    assert "submit" in opened.view, "a fresh view"
    assert [one["error"] for one in await chat.refused(approval)] == ["VIEW_STALE"]
    assert await chat.state(approval) == ("PENDING", 0)


async def test_view_that_was_written_into_the_database_takes_no_verdict(chat: Chat, mongod: Any) -> None:
    approval = await chat.asked()
    opened = await chat.opened(approval)
    client: Any = AsyncMongoClient(mongod.uri)
    views = client[chat.server.database]["chat_views"]
    await views.update_one({"approval": approval.approval_id}, {"$set": {"identity": "user:carol"}})
    await views.update_one({"approval": approval.approval_id}, {"$set": {"account": "slack:T1/UCAROL"}})
    told = clicks.of_modal(chat.slack.space, chat.slack.space.users["UCAROL"], opened, {"verdict": "APPROVE"})
    await chat.slack.submitted(opened, told)
    await chat.after(opened)
    assert [one["error"] for one in await chat.refused(approval)] == ["VIEW_STALE"]
    assert [record for record, _ in await log(chat.server, "error") if record["error"] == "VIEW_TAMPERED"]
    assert await chat.state(approval) == ("PENDING", 0)
    await client.close()


@pytest.mark.parametrize(
    ("user", "sentence", "error"),
    [
        ("UNEW", "belongs to nobody here", "ACCOUNT_NOT_LINKED"),
        ("UGUEST", "not the one that Placet is connected to", "ACCOUNT_NOT_LINKED"),
        ("UBOT", "belongs to nobody here", "ACCOUNT_NOT_LINKED"),
    ],
)
async def test_who_is_nobody_here_is_told_privately(chat: Chat, user: str, sentence: str, error: str) -> None:
    approval = await chat.asked()
    told = await chat.told(approval, user)
    assert sentence in told
    assert chat.server.http in json.dumps((await chat.whispered(user)).blocks)
    [refused] = await chat.refused(approval)
    assert (refused["error"], refused["channel"]) == (error, "slack")


async def test_person_is_told_also_where_the_refusal_cannot_be_recorded(chat: Chat, mongod: MongodProcess) -> None:
    approval = await chat.asked()
    opened = await chat.opened(approval)
    carol = chat.slack.space.users["UCAROL"]
    told = clicks.of_modal(chat.slack.space, carol, opened, {"verdict": "DENY"})
    async with failing(mongod.uri, f"{chat.server.database}.batches", errorCode=6):
        assert "belongs to nobody here" in await chat.told(approval, "UNEW")
        await chat.slack.submitted(opened, told)
        assert "not yours" in await chat.after(opened)


async def test_alice_does_not_approve_her_own(chat: Chat) -> None:
    approval = await chat.asked()
    opened = await chat.opened(approval, "UALICE")
    assert "people do not review their own actions" in words(opened.view["blocks"])
    assert "submit" not in opened.view


async def test_view_of_somebody_who_became_a_requester_takes_no_verdict(chat: Chat) -> None:
    approval = await chat.asked()
    await chat.opened(approval)
    data = json.loads((chat.folder / "data.json").read_text())
    data["identities"]["agent:report-bot"]["owners"] = ["user:bob"]
    await changed(chat, data)
    assert "people do not review their own actions" in await chat.sent()
    assert [one["error"] for one in await chat.refused(approval)] == ["REVIEWER_IS_REQUESTER"]
    assert await chat.state(approval) == ("PENDING", 0)
    data["identities"]["agent:report-bot"]["owners"] = ["user:alice"]
    await changed(chat, data)


async def test_click_after_leaving_the_group(chat: Chat) -> None:
    approval = await chat.asked()
    opened = await chat.opened(approval)
    data = json.loads((chat.folder / "data.json").read_text())
    data["groups"]["readers"] = ["user:carol"]
    await changed(chat, data)
    told = clicks.of_modal(chat.slack.space, chat.slack.space.users["UBOB"], opened, {"verdict": "APPROVE"})
    await chat.slack.submitted(opened, told)
    await chat.after(opened)
    assert await chat.state(approval) == ("PENDING", 0)
    data["groups"]["readers"] += ["user:bob", "user:alice"]
    del data["identities"]["slack:T1/UBOB"]
    await changed(chat, data)
    assert "belongs to nobody here" in await chat.told(approval)
    data["identities"]["slack:T1/UBOB"] = {"same_as": ["user:bob"]}
    await changed(chat, data)


async def test_view_that_comes_too_late_becomes_a_link(chat: Chat) -> None:
    approval = await chat.asked()
    notice = await chat.noticed(approval)
    told = clicks.of_button(chat.slack.space, chat.slack.space.users["UBOB"], notice, "placet.review")
    chat.slack.space.messages.clear()
    await chat.slack.deliver({**told, "trigger_id": "1.2"})
    message = await chat.whispered("UBOB")
    assert "could not show it to you here in time" in words(message.blocks)
    assert approval.approval_id in json.dumps(message.blocks)


async def test_envelope_that_comes_again_is_done_once(chat: Chat) -> None:
    approval = await chat.asked()
    opened = await chat.opened(approval)
    told = clicks.of_modal(chat.slack.space, chat.slack.space.users["UBOB"], opened, {"verdict": "APPROVE"})
    envelope = {"envelope_id": "again", "type": "interactive", "payload": told, "accepts_response_payload": True}
    assert await chat.slack.send(envelope)
    assert await chat.slack.send(envelope)
    await until(lambda: "Recorded" in words(opened.view["blocks"]))
    assert await chat.state(approval) == ("PENDING", 1)
    await chat.opened(await chat.asked(), "UCAROL")  # what came before it is done
    assert await chat.refused(approval) == []


@pytest.mark.parametrize("payload", [{}, {"type": "block_actions"}, {"type": "shortcut"}])
async def test_what_is_not_known_is_acknowledged_and_dropped(chat: Chat, payload: Any) -> None:
    envelope = {"envelope_id": json.dumps(payload), "type": "interactive", "payload": payload}
    assert await chat.slack.send(envelope) == {}


@pytest.fixture(scope="module")
async def seeds(chat: Chat) -> AsyncIterator[list[Any]]:
    """What Slack sends of a click, and of a verdict."""
    approval = await chat.asked()
    opened, bob = await chat.opened(approval), chat.slack.space.users["UBOB"]
    click = clicks.of_button(chat.slack.space, bob, await chat.noticed(approval), "placet.review")
    yield [click, clicks.of_modal(chat.slack.space, bob, opened, {"verdict": "DENY", "reason": "no"})]
    chat.slack.space._calls.clear()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_damaged_payload_is_acknowledged_and_never_an_error_of_the_servers_own(
    chat: Chat, seeds: list[Any], caplog: pytest.LogCaptureFixture, data: st.DataObject
) -> None:
    chat.slack.space._calls.clear()
    payload = data.draw(st.sampled_from(seeds).flatmap(damaged))
    answer = await chat.slack.deliver(payload)
    assert answer is not None
    answering = [one for one in asyncio.all_tasks() if "Answering.answer" in repr(one.get_coro())]
    if answering:
        await asyncio.wait(answering, timeout=15)
    assert [one for one in caplog.records if one.levelno >= logging.ERROR and "ALARM" not in one.message] == []


def options(opened: Opened) -> list[Any]:
    return [one for block in opened.view["blocks"] for one in block.get("element", {}).get("options", ())]


async def own(chat: Chat, view: dict[str, Any]) -> Opened:
    """A modal that the thief of a bot token opens for bob."""
    chat.slack.space.views.clear()
    chat.slack.space.call("views.open", {"trigger_id": chat.slack.space.trigger("UBOB"), "view": view})
    opened = chat.slack.space.open_view("UBOB")
    assert opened
    return opened


async def until_refused(chat: Chat, approval: Any, error: str) -> None:
    async with asyncio.timeout(15):
        while error not in [one["error"] for one in await chat.refused(approval)]:
            await asyncio.sleep(0.05)


async def changed(chat: Chat, data: Any) -> None:
    """Return once another policy is in force."""

    async def revision() -> str:
        by = chat.server.metadata("alice")
        return str((await chat.server.info.GetServerInfo(GetServerInfoRequest(), metadata=by)).policy_revision)

    before = await revision()
    (chat.folder / "data.json").write_text(json.dumps(data))
    async with asyncio.timeout(20):
        while await revision() == before:
            await asyncio.sleep(0.05)
