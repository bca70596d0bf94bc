"""What the page of an approval takes and refuses, for whoever sends it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from pdp.inbox import verdict_form
from pdp.v1.approval_pb2 import Approval, ApprovalState, ReviewChannel
from tests.approvals_page import fields, path, reviewed
from tests.browser import Browser, browser
from tests.parts import Placet, asking, exporting

WORDS = "I <b>typed</b> this"
TYPED = "I &lt;b&gt;typed&lt;/b&gt; this"


@pytest.fixture(scope="module")
async def bob(server: Placet) -> AsyncIterator[Browser]:
    async with browser(server.http) as person:
        assert (await person.log_in("bob")).status == 200
        yield person


@pytest.fixture
async def approval(server: Placet) -> Approval:
    return (await server.authorize(exporting())).approval


async def now(server: Placet, approval: Approval) -> Approval:
    return await server.seen(approval, server.metadata("bob"))


async def test_verdict_of_the_page_is_a_review_in_the_web(server: Placet, bob: Browser, approval: Approval) -> None:
    done = await reviewed(bob, approval, "APPROVE", reason="two\r\nlines")
    assert (done.status, done.location) == (303, path(approval))
    [review] = (await now(server, approval)).reviews
    assert (review.reviewer, review.reason) == ("user:bob", "two\nlines")
    assert review.channel == ReviewChannel.REVIEW_CHANNEL_WEB


@pytest.mark.parametrize("displayed", ["", "x", "a" * 43])
async def test_approval_that_no_script_displayed_is_refused_and_a_denial_is_not(
    server: Placet, bob: Browser, approval: Approval, displayed: str
) -> None:
    refused = await reviewed(bob, approval, "APPROVE", displayed=displayed, reason=WORDS)
    assert refused.status == 400
    assert "<code>displayed</code>" in refused.text
    assert TYPED in refused.text
    assert not (await now(server, approval)).reviews
    assert (await reviewed(bob, approval, "DENY", displayed=displayed)).status == 303


async def test_what_another_request_displayed_approves_nothing(
    server: Placet, bob: Browser, approval: Approval
) -> None:
    other = (await server.authorize(exporting())).approval
    lent = (await fields(bob, other, "APPROVE"))["displayed"]
    assert (await reviewed(bob, approval, "APPROVE", displayed=lent)).status == 400


@pytest.mark.parametrize("name", [*verdict_form.FIELDS])
async def test_field_that_is_missing_or_there_twice_is_named(bob: Browser, approval: Approval, name: str) -> None:
    sent = await fields(bob, approval, "APPROVE", reason=WORDS)
    missing = await bob.post(path(approval, "/review"), {key: value for key, value in sent.items() if key != name})
    assert missing.status == 400
    assert f"<code>{name}</code>: is required" in missing.text
    twice = await bob.post(path(approval, "/review"), [*sent.items(), (name, "x")])
    assert twice.status == 400
    assert f"<code>{name}</code>: stands twice" in twice.text
    assert TYPED in twice.text or name == "reason"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"verdict": "YES"}, "verdict"),
        ({"verdict": ""}, "verdict"),
        ({"expected_version": "one"}, "expected_version"),
        ({"expected_version": "-1"}, "expected_version"),
        ({"expected_version": "1e3"}, "expected_version"),
        ({"reason": "x" * 2001}, "reason"),
        ({"suggestion": "{}"}, "suggestion"),
        ({"verdict": "CHANGES_REQUESTED"}, "reason"),
        ({"verdict": "CHANGES_REQUESTED", "reason": "r", "suggestion": "[]"}, "suggestion"),
        ({"verdict": "CHANGES_REQUESTED", "reason": "r", "suggestion": '{"who": 1}'}, "suggestion"),
        ({"verdict": "CHANGES_REQUESTED", "reason": "r", "suggestion": "{}"}, "suggestion.subject.type"),
        ({"_method": "DELETE"}, "_method"),
        ({"signature": "AA"}, "statement"),
        ({"credential_id": "?"}, "credential_id"),
    ],
)
async def test_bad_field_is_400_with_its_name(
    server: Placet, bob: Browser, approval: Approval, changes: dict[str, str], field: str
) -> None:
    refused = await reviewed(bob, approval, changes.pop("verdict", "APPROVE"), **changes)
    assert refused.status == 400
    assert f"<code>{field}</code>" in refused.text
    assert not (await now(server, approval)).reviews


async def test_body_that_is_no_form_is_refused(bob: Browser, approval: Approval) -> None:
    own = {"Origin": bob.home.rstrip("/"), "Sec_Fetch_Site": "same-origin"}
    for kind in ("application/json", "multipart/form-data; boundary=x"):
        refused = await bob.send("POST", path(approval, "/review"), "{}", Content_Type=kind, **own)
        assert refused.status == 400, kind


async def test_old_version_other_digest_and_closed_approval_say_what_it_is_now(
    server: Placet, bob: Browser, approval: Approval
) -> None:
    old = await fields(bob, approval, "APPROVE", reason=WORDS)
    await server.review(approval, "carol")
    stale = await bob.post(path(approval, "/review"), old)
    assert (stale.status, TYPED in stale.text) == (409, True)
    assert "this approval changed since it was displayed: it is PENDING with 1 review by now" in stale.text
    other = await reviewed(bob, approval, "DENY", expected_digest="other")
    assert "expected_digest is not this approval" in other.text
    await server.review(approval, "bob", "DENY")
    closed = await bob.post(path(approval, "/review"), old)
    assert "it is DENIED with 2 reviews by now" in closed.text


async def test_double_click_and_a_no_beside_a_yes_are_one_review(
    server: Placet, bob: Browser, approval: Approval
) -> None:
    yes, no = await fields(bob, approval, "APPROVE"), await fields(bob, approval, "DENY")
    sent = await asyncio.gather(*(bob.post(path(approval, "/review"), each) for each in (yes, yes, no)))
    assert min(one.status for one in sent) == 303
    assert all(one.status in {303, 409} for one in sent)
    assert len((await now(server, approval)).reviews) == 1


async def test_alice_does_not_approve_her_own(server: Placet, approval: Approval) -> None:
    async with browser(server.http) as alice:
        await alice.log_in("alice")
        shown = await alice.get(path(approval))
        assert shown.status == 200
        assert "people do not review their own actions" in shown.text
        assert 'id="approve"' not in shown.text
        hidden = {"form": (await alice.get("/inbox/me")).hidden["form"]}
        good = {**await fields(alice, approval, "APPROVE"), **hidden} if "expected_digest" in shown.hidden else hidden
        sent = dict.fromkeys(verdict_form.FIELDS, "") | good
        sent |= {"verdict": "DENY", "expected_version": "1", "expected_digest": approval.request_digest}
        refused = await alice.post(path(approval, "/review"), sent)
        assert (refused.status, "people do not review their own" in refused.text) == (403, True)
    assert not (await now(server, approval)).reviews


async def test_what_is_not_ones_business_is_the_404_of_what_is_not_there(server: Placet) -> None:
    async with browser(server.http) as carol:
        await carol.log_in("carol")
        private = (await server.authorize(asking("delete", ["pii"]))).approval
        ids = [private.approval_id or "apr_" + "1" * 32, "apr_" + "0" * 32, "x", "..%2fme"]
        shown = [await carol.get(f"/inbox/approvals/{text}") for text in ids]
        assert {one.status for one in shown} == {404}


async def test_revoke_and_take_back(server: Placet, bob: Browser) -> None:
    approved = await server.approved(exporting())
    token = (await bob.get(path(approved))).hidden["form"]
    nothing = await bob.post(path(approved, "/revoke"), {"form": token, "reason": " "})
    assert (nothing.status, "<code>reason</code>" in nothing.text) == (400, True)
    assert (await bob.post(path(approved, "/revoke"), {"form": token, "reason": WORDS})).status == 303
    assert (await now(server, approved)).state == ApprovalState.APPROVAL_STATE_REVOKED
    again = await bob.post(path(approved, "/revoke"), {"form": token, "reason": WORDS})
    assert (again.status, "only an APPROVED one" in again.text) == (409, True)
    denied = (await server.authorize(exporting())).approval
    assert (await reviewed(bob, denied, "DENY")).status == 303
    assert 'id="take-back"' in (await bob.get(path(denied))).text
    assert (await bob.post(path(denied, "/take-back"), {"form": token})).status == 303
    assert (await bob.post(path(denied, "/take-back"), {"form": token})).status == 409
    assert "denial taken back" in (await bob.get(path(denied))).text


async def test_unchanged_request_suggests_nothing(server: Placet, bob: Browser, approval: Approval) -> None:
    shown = await bob.get(path(approval))
    text = shown.text.partition('name="suggestion" rows')[2].partition(">\n")[2].partition("</textarea>")[0]
    same = text.replace("&#34;", '"')
    assert (await reviewed(bob, approval, "CHANGES_REQUESTED", reason="why", suggestion=same)).status == 303
    [review] = (await now(server, approval)).reviews
    assert not review.HasField("suggestion")


async def test_get_changes_nothing_and_other_doors_stay_shut(server: Placet, bob: Browser, approval: Approval) -> None:
    for step in ("/review", "/begin", "/revoke", "/take-back"):
        assert (await bob.get(path(approval, step))).status == 405
    assert (await bob.get(path(approval), Authorization="Bearer x")).status == 400
    told = await bob.get(path(approval, "/now"))
    assert told.text == '{"version":1,"state":"PENDING","what":"ASKED","result":"","who":"agent:report-bot"}'
    assert (await now(server, approval)).version == 1
