"""People decide in Teams: a server and a double of Teams; and those who cheat there."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo import AsyncMongoClient

from pdp.channels.teams.cards import FETCH, SUBMIT
from pdp.process.mongod import MongodProcess
from pdp.v1.info_pb2 import GetServerInfoRequest
from tests.approvals_page import fields, path
from tests.browser import browser
from tests.damaged import damaged
from tests.faults import failing
from tests.parts import log
from tests.pdp.accounts import linking
from tests.pdp.channels.teams.conftest import Chat, buttons, reads
from tests.pdp.server.test_edge_mutation import edited, edits
from tests.pdp.steps import verdict as verdict_of
from tests.teams import ELSEWHERE, PEOPLE, account


async def test_two_people_approve_in_teams(chat: Chat) -> None:
    approval = await chat.asked(payee="ACME", amount=12)
    opened = await chat.opened(approval)
    seen = reads(opened)
    assert "You act as user:bob" in seen
    assert 'context.payee "ACME"' in seen
    assert "context.amount 12" in seen
    assert list(buttons(opened)) == ["Approve", "Deny", "Open the page"]
    done = await chat.sent(buttons(opened)["Approve"])
    assert "Recorded: APPROVE as user:bob. The approval is PENDING now." in reads(done)
    opened = await chat.opened(approval, "carol")
    assert "The approval is APPROVED now." in reads(await chat.sent(buttons(opened)["Approve"], "carol"))
    assert await chat.state(approval) == ("APPROVED", 2)
    answer = await chat.server.seen(approval, chat.server.metadata("bob"))
    assert [(one.account.partition("/")[2], len(one.view_digest), one.reason) for one in answer.reviews] == [
        (PEOPLE["bob"], 64, "read it"),
        (PEOPLE["carol"], 64, "read it"),
    ]


async def test_button_deny_offers_a_denial_alone(chat: Chat) -> None:
    approval = await chat.asked()
    opened = await chat.denying(approval)
    assert list(buttons(opened)) == ["Deny", "Open the page"]
    assert "Recorded: DENY" in reads(await chat.sent(buttons(opened)["Deny"], reason="no"))
    assert await chat.state(approval) == ("DENIED", 1)


@pytest.mark.parametrize(
    ("action", "why", "whole"),
    [("export", "so it is not shown here", False), ("sign", "needs your passkey", True)],
)
async def test_where_the_policy_wants_another_place_teams_takes_a_no_alone(
    chat: Chat, action: str, why: str, *, whole: bool
) -> None:
    approval = await chat.asked(action, payee="ACME")
    opened = await chat.opened(approval)
    assert why in reads(opened)
    assert ("ACME" in reads(opened)) is whole
    held = buttons(opened)
    assert list(held) == ["Deny", "Open the page"]
    assert "is not what this server sent" in reads(await chat.sent({**held["Deny"], "verdict": "APPROVE"}))
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
    assert "too long to be shown here as a whole" in reads(opened)
    assert "ACME" not in reads(opened)
    assert list(buttons(opened)) == ["Deny", "Open the page"]


@pytest.mark.parametrize(
    "context", [{"note": "x" * 1001}, {f"k{number:02}": "x" for number in range(61)}, {}], ids=["long", "many", "small"]
)
async def test_view_that_offers_a_denial_alone_takes_no_yes(chat: Chat, context: dict[str, str]) -> None:
    approval = await chat.asked(**context)
    opened = await (chat.opened(approval) if context else chat.denying(approval))
    assert "Approve" not in buttons(opened)
    await chat.sent({**buttons(opened)["Deny"], "verdict": "APPROVE"})
    assert await chat.state(approval) == ("PENDING", 0)
    assert [one["error"] for one in await chat.refused(approval)] == ["VIEW_ALTERED"]


async def test_token_takes_one_verdict(chat: Chat) -> None:
    approval = await chat.asked()
    given = buttons(await chat.opened(approval))["Approve"]
    both = await asyncio.gather(chat.sent(given), chat.sent(given))
    assert sorted("Recorded" in reads(card) for card in both) == [False, True]
    assert [one["error"] for one in await chat.refused(approval)] == ["VIEW_STALE"]
    assert await chat.state(approval) == ("PENDING", 1)
    assert "Recorded" not in reads(await chat.sent(given))
    assert await chat.state(approval) == ("PENDING", 1)


async def test_deny_and_approve_at_once_are_one_review(chat: Chat) -> None:
    approval = await chat.asked()
    yes, no = buttons(await chat.opened(approval))["Approve"], buttons(await chat.denying(approval))["Deny"]
    both = await asyncio.gather(chat.sent(yes), chat.sent(no))
    assert sorted("Recorded" in reads(card) for card in both) == [False, True]
    assert await chat.state(approval) in {("PENDING", 1), ("DENIED", 1)}


async def test_token_of_another_account_takes_no_verdict(chat: Chat) -> None:
    approval = await chat.asked()
    given = buttons(await chat.opened(approval))["Approve"]
    fresh = await chat.sent(given, "carol")
    assert "not yours" in reads(fresh)
    assert "You act as user:carol" in reads(fresh)
    [refused] = await chat.refused(approval)
    assert (refused["error"], refused["channel"], refused["identity"]) == ("VIEW_STALE", "teams", "user:carol")
    assert await chat.state(approval) == ("PENDING", 0)


@pytest.mark.parametrize("token", ["", "x" * 43])
async def test_card_that_a_stolen_secret_made_takes_no_verdict(chat: Chat, token: str) -> None:
    approval = await chat.asked()
    made = {"placet": "verdict", "verdict": "APPROVE", "approval": approval.approval_id, "token": token}
    fresh = await chat.sent(made)
    assert "this view was used, is too old, or is not yours" in reads(fresh)
    assert "Approve" in buttons(fresh), "a fresh view"
    assert [one["error"] for one in await chat.refused(approval)] == ["VIEW_STALE"]
    assert await chat.state(approval) == ("PENDING", 0)


async def test_token_counts_for_its_approval_whatever_the_card_names(chat: Chat) -> None:
    seen, other = await chat.asked(), await chat.asked()
    given = buttons(await chat.opened(seen))["Approve"]
    await chat.sent({**given, "approval": other.approval_id})
    assert await chat.state(other) == ("PENDING", 0)
    assert await chat.state(seen) == ("PENDING", 1)


async def test_approval_that_changed_is_shown_again(chat: Chat) -> None:
    approval = await chat.asked()
    given = buttons(await chat.opened(approval))["Approve"]
    await chat.server.review(approval, "carol")
    fresh = await chat.sent(given)
    assert "changed since it was displayed" in reads(fresh)
    assert [one["error"] for one in await chat.refused(approval)] == ["VIEW_STALE"]
    assert "The approval is APPROVED now." in reads(await chat.sent(buttons(fresh)["Approve"]))


async def test_approval_that_is_closed_says_so(chat: Chat) -> None:
    approval = await chat.asked()
    given = buttons(await chat.opened(approval))["Approve"]
    await chat.server.review(approval, "carol", "DENY")
    assert "DENIED" in reads(await chat.sent(given))
    opened = await chat.opened(approval)
    assert list(buttons(opened)) == ["Open the page"]
    assert "it is DENIED" in reads(opened)


async def test_view_that_was_written_into_the_database_takes_no_verdict(chat: Chat, mongod: Any) -> None:
    approval = await chat.asked()
    given = buttons(await chat.opened(approval))["Approve"]
    client: Any = AsyncMongoClient(mongod.uri)
    views = client[chat.server.database]["chat_views"]
    planted = {"identity": "user:carol", "account": account("carol")}
    await views.update_one({"approval": approval.approval_id}, {"$set": planted})
    await chat.sent(given, "carol")
    assert [one["error"] for one in await chat.refused(approval)] == ["VIEW_STALE"]
    assert [record for record, _ in await log(chat.server, "error") if record["error"] == "VIEW_TAMPERED"]
    assert await chat.state(approval) == ("PENDING", 0)
    await client.close()


@pytest.mark.parametrize(
    ("who", "sender", "sentence"),
    [
        ("nobody", {}, "belongs to nobody here"),
        ("bob", {"tenantId": ELSEWHERE}, "only people of the tenant"),
        ("bob", {"role": "bot"}, "only people of the tenant"),
    ],
)
async def test_who_is_nobody_here_is_told_privately(
    chat: Chat, who: str, sender: dict[str, Any], sentence: str
) -> None:
    approval = await chat.asked(payee="ACME")
    told = await chat.opened(approval, who, **{"from": {"id": "29:x", "aadObjectId": PEOPLE[who], **sender}})
    assert sentence in reads(told)
    assert "ACME" not in json.dumps(told)
    assert buttons(told) == {"Open the page": f"{chat.server.http}/inbox/approvals/{approval.approval_id}"}
    [refused] = await chat.refused(approval)
    assert (refused["error"], refused["channel"]) == ("ACCOUNT_NOT_LINKED", "teams")
    assert sentence not in json.dumps([one.activity for one in chat.teams.messages]), "nobody else sees it"


async def test_alice_does_not_approve_her_own(chat: Chat) -> None:
    approval = await chat.asked()
    opened = await chat.opened(approval, "alice")
    assert "people do not review their own actions" in reads(opened)
    assert list(buttons(opened)) == ["Open the page"]
    given = buttons(await chat.opened(approval))["Approve"]
    await chat.sent(given, "alice")
    assert await chat.state(approval) == ("PENDING", 0)


async def test_verdict_after_leaving_the_group_and_after_unlinking(chat: Chat) -> None:
    approval = await chat.asked()
    given = buttons(await chat.opened(approval))["Approve"]
    data = json.loads((chat.folder / "data.json").read_text())
    whole = json.dumps(data)
    data["groups"]["readers"] = ["user:carol"]
    await changed(chat, json.dumps(data))
    await chat.sent(given)
    assert await chat.state(approval) == ("PENDING", 0)
    data = json.loads(whole)
    del data["identities"][account("bob")]
    await changed(chat, json.dumps(data))
    assert "belongs to nobody here" in reads(await chat.opened(approval))
    await changed(chat, whole)


async def test_what_cannot_be_recorded_is_said_in_the_dialog_and_nothing_is_shown(
    chat: Chat, mongod: MongodProcess
) -> None:
    approval = await chat.asked(payee="ACME")
    given = buttons(await chat.opened(approval))["Approve"]
    async with failing(mongod.uri, f"{chat.server.database}.batches", errorCode=6):
        told = await chat.opened(approval, "nobody")
        assert "MongoDB did not confirm" in reads(told)
        assert "ACME" not in reads(told)
        assert "Recorded" not in reads(await chat.sent(given))


async def test_unknown_approval_is_not_found(chat: Chat) -> None:
    told = await chat.opened("apr_" + "0" * 32)
    assert "Approve" not in buttons(told)
    assert "Deny" not in buttons(told)


@pytest.mark.parametrize(
    "data", [None, [], {}, {"placet": "review"}, {"placet": "lunch", "approval": "apr_" + "0" * 32}, {"approval": 1}]
)
async def test_what_is_not_known_is_acknowledged_and_dropped(chat: Chat, data: Any) -> None:
    assert await chat.teams.send(chat.teams.activity("task/fetch", data)) == (200, None)
    assert await chat.teams.send(chat.teams.activity("composeExtension/query", data)) == (200, None)
    assert await chat.teams.send(chat.teams.activity(SUBMIT, data, type="message")) == (200, None)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_damaged_message_is_never_an_error_of_the_servers_own(chat: Chat, data: st.DataObject) -> None:
    named = "apr_" + "0" * 32
    click = chat.teams.activity(FETCH, {"placet": "review", "approval": named})
    verdict = chat.teams.activity(SUBMIT, {"placet": "verdict", "verdict": "APPROVE", "approval": named, "token": "t"})
    made = json.dumps(data.draw(st.sampled_from([click, verdict]).flatmap(damaged))).encode()
    status, answer = await chat.teams.send(edited(made, data.draw(edits | st.just([]))))
    assert status in {200, 400, 401, 413}, answer
    assert "Traceback" not in json.dumps(answer)


async def test_approval_that_was_sent_back_says_so(chat: Chat) -> None:
    approval = await chat.asked()
    given = buttons(await chat.opened(approval))["Approve"]
    by = chat.server.metadata("carol")
    await verdict_of(chat.server, approval, "CHANGES_REQUESTED", by)
    assert "it is DENIED" in reads(await chat.sent(given))
    assert list(buttons(await chat.opened(approval))) == ["Open the page"]
    assert await chat.state(approval) == ("DENIED", 1)


async def test_verdict_after_unlinking_is_told_and_refused(chat: Chat, mongod: Any) -> None:
    approval = await chat.asked()
    async with linking(chat.server, mongod) as links:
        await links.add("user:dave", account("dave"))
        opened = await chat.opened(approval, "dave")
        assert "You act as user:dave" in reads(opened)
        await links.remove("user:dave", account("dave"))
    assert "belongs to nobody here" in reads(await chat.sent(buttons(opened)["Approve"], "dave"))
    assert [one["error"] for one in await chat.refused(approval)] == ["ACCOUNT_NOT_LINKED"]
    assert await chat.state(approval) == ("PENDING", 0)


async def test_verdicts_at_the_page_and_in_teams_at_once_are_one_review(chat: Chat) -> None:
    async with browser(chat.server.http) as bob:
        await bob.log_in("bob")
        for here, there in (("APPROVE", "Deny"), ("DENY", "Approve")):
            approval = await chat.asked()
            form, given = await fields(bob, approval, here), buttons(await chat.opened(approval))[there]
            page, card = await asyncio.gather(bob.post(path(approval, "/review"), form), chat.sent(given))
            assert sorted([page.status == 303, "Recorded" in reads(card)]) == [False, True]
            assert (await chat.state(approval))[1] == 1


async def changed(chat: Chat, data: str) -> None:
    """Return once another policy is in force."""

    async def revision() -> str:
        by = chat.server.metadata("alice")
        return str((await chat.server.info.GetServerInfo(GetServerInfoRequest(), metadata=by)).policy_revision)

    before = await revision()
    (chat.folder / "data.json").write_text(data)
    async with asyncio.timeout(20):
        while await revision() == before:
            await asyncio.sleep(0.05)
