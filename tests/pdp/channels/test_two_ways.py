"""One person at the page and in Slack: both show the same words, take one verdict, and say what has changed."""

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.protobuf import json_format

from pdp.dev.slack import clicks
from pdp.dev.slack.rules import texts
from pdp.dev.slack.workspace import Opened
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval, Verdict
from pdp.v1.request_pb2 import Request
from pdp.v1.review_pb2 import ReviewRequest
from tests.approvals_page import fields, path
from tests.browser import Browser, browser
from tests.hostile_words import ALL, WORDS, asked, is_literal, members
from tests.pdp.accounts import linking
from tests.pdp.channels.slack.conftest import Chat, connected, until, words
from tests.pdp.channels.slack.test_answering import changed, options
from tests.pdp.steps import cancel

TAGS = ("<img", "<svg", "<script>", "<b>", "<i>", "<at>", 'href="javascript', 'href="https://x')
"""What the words would be if they were markup."""


@pytest.fixture(scope="module")
async def chat(state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chat]:
    async with connected(state, mongod, tmp_path_factory.mktemp("slack")) as made:
        yield made


@pytest.fixture(scope="module")
async def bob(chat: Chat) -> AsyncIterator[Browser]:
    async with browser(chat.server.http) as person:
        assert (await person.log_in("bob")).status == 200
        yield person


def written(page: str) -> str:
    """What a page says without its markup."""
    return html.unescape(re.sub(r"<[^>]*>", "", page))


def told(chat: Chat, view: Opened, verdict: str, user: str = "UBOB") -> dict[str, object]:
    return clicks.of_modal(chat.slack.space, chat.slack.space.users[user], view, {"verdict": verdict})


async def sent_back(chat: Chat, approval: Approval, reason: str = "other columns", **members: object) -> None:
    """Carol would accept another request."""
    by = chat.server.metadata("carol")
    seen = await chat.server.seen(approval, by)
    suggestion = ReviewRequest(
        approval_id=approval.approval_id,
        expected_digest=approval.request_digest,
        expected_version=seen.version,
        expected_lineage=seen.lineage.digest,
        verdict=Verdict.VERDICT_CHANGES_REQUESTED,
        reason=reason,
        **members,  # type: ignore[arg-type]
    )
    await chat.server.reviews.Review(suggestion, metadata=by)


@pytest.mark.parametrize(("here", "there"), [("APPROVE", "DENY"), ("DENY", "APPROVE"), ("APPROVE", "APPROVE")])
async def test_verdicts_of_one_person_through_two_channels_at_once_are_one_review(
    chat: Chat, bob: Browser, here: str, there: str
) -> None:
    approval = await chat.asked()
    form, view = await fields(bob, approval, here), await chat.opened(approval)
    page, _ = await asyncio.gather(
        bob.post(path(approval, "/review"), form), chat.slack.submitted(view, told(chat, view, there))
    )
    in_slack = await chat.after(view)
    kept = "DENIED" if (page.status == 303 and here == "DENY") or ("Recorded: DENY" in in_slack) else "PENDING"
    assert [page.status == 303, "Recorded" in in_slack].count(True) == 1, (page.status, in_slack)
    assert page.status in {303, 409}
    assert await chat.state(approval) == (kept, 1)


async def test_both_say_what_it_is_now_once_it_was_sent_back(chat: Chat, bob: Browser) -> None:
    approval = await chat.asked()
    form, view = await fields(bob, approval, "APPROVE", reason="half <b>a\u202e word"), await chat.opened(approval)
    await sent_back(chat, approval)
    page = await bob.post(path(approval, "/review"), form)
    assert page.status == 409
    assert "changed since it was displayed: it is DENIED with 1 review by now" in page.text
    assert "half &lt;b&gt;a\\u{202e} word" in page.text
    await chat.slack.submitted(view, told(chat, view, "APPROVE"))
    assert "it is DENIED" in await chat.after(view)
    assert "submit" not in view.view
    again = await chat.opened(approval)
    assert "submit" not in again.view
    assert await chat.state(approval) == ("DENIED", 1)


@pytest.mark.parametrize("name", WORDS)
async def test_words_of_a_caller_are_literal_in_slack_and_on_the_page(chat: Chat, bob: Browser, name: str) -> None:
    hostile = WORDS[name]
    request = asked(hostile, action={"name": "share", "properties": {hostile: hostile}})
    approval = await chat.server.opened(request)
    view = await chat.opened(approval)
    runs = "\n".join(texts(view.view["blocks"]))
    assert is_literal(runs, hostile, 1 + 3 * 4 + 3 + 2), runs
    assert [one["value"] for one in options(view)] == ["APPROVE", "DENY"]
    page = await bob.get(path(approval))
    assert is_literal(written(page.text), hostile, 1 + 3 * 4 + 3 + 2)
    assert not [tag for tag in TAGS if tag in page.text]
    queue = await bob.get("/inbox")
    assert not [tag for tag in TAGS if tag in queue.text]
    assert is_literal(written(queue.text.partition(approval.approval_id)[2]), hostile, 3)


async def test_words_and_request_of_who_sent_it_back_are_literal_on_the_page(chat: Chat, bob: Browser) -> None:
    approval = await chat.asked()
    await sent_back(chat, approval, ALL, suggestion=json_format.ParseDict(members(ALL), Request()))
    page = await bob.get(path(approval))
    assert page.status == 200
    assert is_literal(written(page.text.partition("Who has reviewed")[2]), ALL, 1 + 4 * 5 + 4)
    assert not [tag for tag in TAGS if tag in page.text]


async def test_approval_that_was_withdrawn_says_so(chat: Chat, bob: Browser) -> None:
    approval = await chat.asked()
    form, view = await fields(bob, approval, "DENY"), await chat.opened(approval)
    await cancel(chat.server, approval)
    page = await bob.post(path(approval, "/review"), form)
    assert (page.status, "it is CANCELLED" in page.text) == (409, True)
    await chat.slack.submitted(view, told(chat, view, "DENY"))
    assert "it is CANCELLED" in await chat.after(view)
    assert await chat.state(approval) == ("CANCELLED", 0)


async def test_verdict_after_unlinking_is_told_and_refused(chat: Chat, mongod: MongodProcess) -> None:
    approval = await chat.asked()
    async with linking(chat.server, mongod) as links:
        await links.add("user:dave", "slack:T1/UNEW")
        view = await chat.opened(approval, "UNEW")
        assert "You act as user:dave" in words(view.view["blocks"])
        await links.remove("user:dave", "slack:T1/UNEW")
    await chat.slack.submitted(view, told(chat, view, "APPROVE", "UNEW"))
    assert "belongs to nobody here" in await chat.after(view)
    assert [one["error"] for one in await chat.refused(approval)] == ["ACCOUNT_NOT_LINKED"]
    assert await chat.state(approval) == ("PENDING", 0)
    assert "belongs to nobody here" in await chat.told(approval, "UNEW")


async def test_page_and_view_after_leaving_the_group_or_coming_to_stand_behind_the_request(
    chat: Chat, bob: Browser
) -> None:
    approval = await chat.asked(payee="ACME")
    many = await chat.asked()
    forms = {verdict: await fields(bob, approval, verdict, reason="my words") for verdict in ("APPROVE", "DENY")}
    both = await bob.get(f"/inbox/review-many?{approval.approval_id}=on&{many.approval_id}=on")
    carols, view = await chat.opened(many, "UCAROL"), await chat.opened(approval)
    chat.slack.space.views[carols.id] = carols
    whole = (chat.folder / "data.json").read_text()
    data = json.loads(whole)
    data["groups"]["readers"].remove("user:bob")
    data["identities"]["agent:report-bot"]["owners"].append("user:carol")
    await changed(chat, data)
    for form in forms.values():
        page = await bob.post(path(approval, "/review"), form)
        assert (page.status, "my words" in page.text, "ACME" in page.text) == (404, True, False)
    assert (await bob.get(path(approval))).status == 404
    assert (await bob.post(path(approval, "/revoke"), {"form": both.hidden["form"], "reason": "x"})).status == 404
    denied = await bob.post("/inbox/review-many", {**both.hidden, "verdict": "DENY", "reason": "x"})
    assert denied.text.count("not yours to review") == 2
    await chat.slack.submitted(view, told(chat, view, "APPROVE"))
    assert "there is no approval with this id that you requested or may review" in await chat.after(view)
    assert [one["error"] for one in await chat.refused(approval)] == ["APPROVAL_NOT_FOUND"]
    await chat.slack.submitted(carols, told(chat, carols, "APPROVE", "UCAROL"))
    assert "people do not review their own actions" in await chat.after(carols)
    assert [one["error"] for one in await chat.refused(many)] == ["REVIEWER_IS_REQUESTER"]
    for one in (approval, many):
        assert await chat.state(one) == ("PENDING", 0)
    await changed(chat, json.loads(whole))


async def test_notice_that_the_bots_token_edited_leads_to_what_is_true(chat: Chat) -> None:
    """A thief edits a notice: it says something harmless, and its button names another approval."""
    harmless, true = await chat.asked(payee="BOB"), await chat.asked(payee="MALLORY")
    notice = await chat.noticed(harmless)
    for block in notice.blocks:
        for one in block["elements"]:
            one["value"] = true.approval_id
    changed_to = {"channel": notice.channel, "ts": notice.ts, "text": "approved", "blocks": notice.blocks}
    chat.slack.space.call("chat.update", changed_to)
    chat.slack.space.views.clear()
    await chat.slack.click("UBOB", notice, "placet.review")
    view = await until(lambda: chat.slack.space.open_view("UBOB"))
    assert "MALLORY" in words(view.view["blocks"])
    assert true.approval_id in view.view["private_metadata"]
    for value in ("APPROVE", f"{true.approval_id} APPROVE", "apr_x"):
        click = clicks.of_button(chat.slack.space, chat.slack.space.users["UBOB"], notice, "placet.review")
        click["actions"][0]["value"] = value
        await chat.slack.deliver(click)
    assert await chat.state(true) == ("PENDING", 0)


async def test_token_of_one_window_in_another_takes_no_verdict(chat: Chat) -> None:
    """Who has the bot's token puts the content of a harmless request over the token of a true one, or beside it."""
    harmless, true = await chat.asked(payee="BOB"), await chat.asked(payee="MALLORY")
    shown = (await chat.opened(harmless)).view
    opened = await chat.opened(true)
    members = ("type", "title", "submit", "close", "callback_id", "blocks")
    made = {name: shown[name] for name in members} | {"private_metadata": opened.view["private_metadata"]}
    chat.slack.space.call("views.update", {"view_id": opened.id, "view": made})
    assert "what was shown to you is not what this server sent" in await chat.sent()
    for one in (harmless, true):
        assert await chat.state(one) == ("PENDING", 0)
    assert [one["error"] for one in await chat.refused(true)] == ["VIEW_ALTERED"]
