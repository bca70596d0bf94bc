"""The page of one approval in a real browser: all is shown, and only what was shown and read is approved."""

import json
import re
from typing import Any

import pytest
from playwright.async_api import Browser, Route, expect

from pdp.caller import Caller
from pdp.inbox import displayed, look
from pdp.inbox.whole_page import members, told
from pdp.v1.approval_pb2 import Approval, ReviewChannel
from pdp.v1.review_pb2 import RevokeApprovalRequest
from pdp.view.request import items
from tests.approvals_page import HOSTILE, LONG, answered, generated, hostile, path
from tests.chromium import PHONE, Reader, reader
from tests.parts import Placet, exporting

READ = "You have read to the end; you may approve."
AT_THE_END = """() => {
    document.getElementById("end")?.scrollIntoView();
    return document.getElementById("why")?.textContent.startsWith("You have read to the end");
}"""
DIFFERS = "What this page shows is not the request that the form is about. Nothing can be approved here."
BOB = Caller("user:bob", "person", frozenset({"reviewer"}), (), b"")


async def opened(server: Placet, **asked: Any) -> Approval:
    return (await server.authorize(exporting(**asked))).approval


async def why(person: Reader, sentence: str) -> None:
    await expect(person.page.locator("#why")).to_have_text(sentence)


async def read_to_the_end(person: Reader) -> None:
    await person.page.locator("#end").scroll_into_view_if_needed()
    await why(person, READ)


async def now(server: Placet, approval: Approval, by: str = "bob") -> Approval:
    return await server.seen(approval, server.metadata(by))


async def test_axe_finds_nothing_and_the_console_is_quiet(windows: Browser, server: Placet) -> None:
    approval = (await server.authorize(hostile())).approval
    await server.review(approval, "carol", reason="<b>looked</b>")
    async with reader(windows, server, "bob") as bob:
        assert await bob.open(path(approval)) == 200
        assert await bob.faults_in_each_look() == []
        bob.require_quiet()


async def test_approve_waits_for_the_end_and_the_review_says_web(windows: Browser, server: Placet) -> None:
    approval = await opened(server)
    async with reader(windows, server, "bob", look=(PHONE, "light")) as bob:
        await bob.open(path(approval))
        await why(bob, "Approve becomes active when you have read to the end of the request.")
        await expect(bob.page.locator("#approve")).to_be_disabled()
        await read_to_the_end(bob)
        await bob.page.fill("#reason", "looked\nat it")
        await bob.page.click("#approve")
        await expect(bob.page.get_by_text("You may not review it")).to_be_visible()
        bob.require_quiet()
    [review] = (await now(server, approval)).reviews
    assert (review.reviewer, review.reason) == ("user:bob", "looked\nat it")
    assert review.channel == ReviewChannel.REVIEW_CHANNEL_WEB


async def test_link_leads_through_the_login_to_the_page(windows: Browser, server: Placet) -> None:
    approval = await opened(server)
    async with reader(windows, server, look=(PHONE, "light")) as stranger:
        await stranger.open(path(approval))
        await stranger.page.get_by_role("button", name="bob").click()
        await stranger.page.wait_for_url(f"**{path(approval)}")
        await read_to_the_end(stranger)
        stranger.require_quiet()


async def test_focus_of_who_does_not_see_the_end_counts(windows: Browser, server: Placet) -> None:
    approval = await opened(server, context={f"line {number}": number for number in range(200)})
    async with reader(windows, server, "bob", look=(PHONE, "dark")) as bob:
        await bob.open(path(approval))
        await bob.page.evaluate("() => document.getElementById('end').focus({ preventScroll: true })")
        await why(bob, READ)
        await bob.page.keyboard.press("d")
        assert await bob.page.evaluate("() => document.activeElement?.id") == "deny"


async def test_without_scripts_one_reads_and_denies_and_does_not_approve(windows: Browser, server: Placet) -> None:
    approval = await opened(server)
    async with reader(windows, server, "bob", java_script_enabled=False) as bob:
        await bob.open(path(approval))
        assert "context.run" in await bob.text()
        assert await bob.page.locator("#approve").is_disabled()
        await bob.page.fill("#reason", "no")
        await bob.page.click("#deny")
        assert "denied" in await bob.text()
    assert (await now(server, approval)).reviews[0].verdict == 2


@pytest.mark.parametrize("lie", ["a leaf", "a leaf less", "the digest", "the bytes", "a hidden character"])
async def test_page_that_shows_something_else_than_the_bytes_sends_nothing(
    windows: Browser, server: Placet, lie: str
) -> None:
    approval = await opened(server, context={"payee": "mallory", "raw": "a\u200bb"})
    lies = {
        "a leaf": ("&#34;mallory&#34;", "&#34;alice&#34;"),
        "a leaf less": (
            '<dt class="value">context.payee</dt>\n<dd><bdi class="value">&#34;mallory&#34;</bdi></dd>\n',
            "",
        ),
        "the digest": (f'name="expected_digest" value="{approval.request_digest}"', 'name="expected_digest" value="A"'),
        "the bytes": ('data-bytes="ey', 'data-bytes="e3'),
        "a hidden character": ("a\\u{200b}b", "a\u200bb"),
    }

    async def lying(route: Route) -> None:
        answer = await route.fetch()
        true = await answer.text()
        assert lies[lie][0] in true
        await route.fulfill(response=answer, body=true.replace(*lies[lie]))

    async with reader(windows, server, "bob") as bob:
        await bob.page.route("**" + path(approval), lying)
        await bob.open(path(approval))
        await why(bob, DIFFERS)
        await bob.page.locator("#end").scroll_into_view_if_needed()
        await bob.page.evaluate(
            "() => { const one = document.getElementById('approve'); one.disabled = false; one.click(); }"
        )
        await why(bob, DIFFERS)
        assert f"{bob.home}{path(approval, '/review')}" not in bob.requests
    assert not (await now(server, approval)).reviews


async def test_text_that_changes_after_the_check_is_not_approved(windows: Browser, server: Placet) -> None:
    approval = await opened(server)
    async with reader(windows, server, "bob") as bob:
        await bob.open(path(approval))
        await read_to_the_end(bob)
        await bob.page.evaluate("() => { document.querySelector('#lines bdi').textContent = 'user:bob'; }")
        await bob.page.click("#approve")
        await why(bob, DIFFERS)
    assert not (await now(server, approval)).reviews


async def test_live_change_disables_approve_says_what_changed_and_keeps_the_words(
    windows: Browser, server: Placet
) -> None:
    approval = await opened(server)
    async with reader(windows, server, "bob") as bob:
        await bob.open(path(approval))
        await read_to_the_end(bob)
        await bob.page.fill("#reason", "half a word")
        await server.review(approval, "carol")
        await why(bob, "It changed since this page was opened; open it again to approve.")
        await expect(bob.page.locator("#approve")).to_be_disabled()
        await expect(bob.page.locator("#changed")).to_contain_text("last: reviewed approve by user:carol")
        assert await bob.page.input_value("#reason") == "half a word"
        assert await bob.page.evaluate("() => document.activeElement?.id") == "reason"
        assert await bob.violations() == []


async def test_page_of_what_is_approved_follows_changes_and_its_key_leads_to_revoking(
    windows: Browser, server: Placet
) -> None:
    approval = await opened(server)
    await server.review(approval, "bob")
    await server.review(approval, "carol")
    async with reader(windows, server, "bob") as bob:
        await bob.open(path(approval))
        await bob.page.keyboard.press("r")
        assert await bob.page.evaluate("() => document.activeElement?.id") == "revoking"
        await bob.page.fill("#revoking", "a mistake")
        metadata = server.metadata("carol")
        revoked = RevokeApprovalRequest(approval_id=approval.approval_id, reason="no")
        await server.reviews.RevokeApproval(revoked, metadata=metadata)
        await expect(bob.page.locator("#changed")).to_contain_text("it is revoked")
        assert await bob.page.input_value("#revoking") == "a mistake"


async def test_end_that_was_scrolled_past_in_one_jump_counts(windows: Browser, server: Placet) -> None:
    approval = await opened(server, context={f"line {number}": number for number in range(100)})
    async with reader(windows, server, "bob") as bob:
        await bob.open(path(approval))
        await bob.page.evaluate("() => window.scrollTo(0, document.body.scrollHeight)")
        await why(bob, READ)


async def test_who_came_to_approve_has_approve_under_the_keys_where_all_is_on_the_screen(
    windows: Browser, server: Placet
) -> None:
    approval = await opened(server)
    async with reader(windows, server, "bob", look=((1280, 6000), "light")) as bob:
        await bob.open(f"{path(approval)}#to-approve")
        await expect(bob.page.locator("#approve")).to_be_focused()
    async with reader(windows, server, "bob", look=((1280, 6000), "light")) as bob:
        await bob.open(f"{path(approval)}#deny")
        await expect(bob.page.locator("#deny")).to_be_focused()


async def deaf(phone: Reader) -> None:
    """It hears of no change."""
    await phone.page.route("**/inbox/events", lambda route: route.fulfill(status=204))


async def test_of_two_phones_one_approves_and_the_other_is_told(windows: Browser, server: Placet) -> None:
    approval = await opened(server)
    async with reader(windows, server, "bob") as one, reader(windows, server, "bob", look=(PHONE, "dark")) as other:
        await deaf(other)
        for phone in (one, other):
            await phone.open(path(approval))
            await read_to_the_end(phone)
            await phone.page.fill("#reason", "from a phone")
        await one.page.click("#approve")
        await expect(one.page.get_by_text("you have reviewed it")).to_be_visible()
        await other.page.click("#approve")
        await expect(other.page.get_by_role("alert")).to_contain_text("Nothing was done: this approval changed since")
        assert await other.violations() == []
    assert len((await now(server, approval)).reviews) == 1


async def test_approve_after_a_change_says_what_it_is_now_and_keeps_the_words(windows: Browser, server: Placet) -> None:
    approval = await opened(server)
    async with reader(windows, server, "bob") as bob:
        await deaf(bob)
        await bob.open(path(approval))
        await read_to_the_end(bob)
        await bob.page.fill("#reason", "<b>mine</b>\nsecond")
        await server.review(approval, "carol")
        await bob.page.click("#approve")
        alert = bob.page.get_by_role("alert")
        await expect(alert).to_contain_text("this approval changed since it was displayed: it is PENDING with 1 review")
        assert await bob.page.input_value("#reason") == "<b>mine</b>\nsecond"
        await read_to_the_end(bob)
        await bob.page.click("#approve")
        await expect(bob.page.get_by_text("It is approved, so it takes no more approvals.")).to_be_visible()
    assert (await now(server, approval)).reviews[1].reason == "<b>mine</b>\nsecond"


async def test_send_back_with_an_edited_request_and_revoke(windows: Browser, server: Placet) -> None:
    sent, approved = await opened(server), await opened(server)
    await server.review(approved, "bob")
    await server.review(approved, "carol")
    async with reader(windows, server, "bob") as bob:
        await bob.open(path(sent))
        edited = json.loads(await bob.page.input_value("#suggestion"))
        edited["resource"]["properties"] = {"tags": ["pii"], "rows": 10, "sign": "\u202e"}
        await bob.page.fill("#suggestion", json.dumps(edited))
        await bob.page.fill("#what", "fewer rows")
        await bob.page.click("#send")
        await expect(bob.page.get_by_text("It would accept:")).to_be_visible()
        assert await bob.violations() == []
        await bob.open(path(approved))
        assert await bob.violations() == []
        await bob.page.fill("#revoking", "too early")
        await bob.page.click("#revoke")
        await expect(bob.page.get_by_text("revoked").first).to_be_visible()
        bob.require_quiet()
    [review] = (await now(server, sent)).reviews
    assert review.suggestion.resource.properties["rows"] == 10


async def test_every_hostile_text_is_literal_and_visible(windows: Browser, server: Placet) -> None:
    approval = (await server.authorize(hostile())).approval
    async with reader(windows, server, "bob", look=(PHONE, "light")) as bob:
        await bob.open(path(approval))
        await read_to_the_end(bob)
        text = await bob.text()
        assert await bob.page.locator("main img, main svg, main script, main a[href^=javascript]").count() == 0
        assert await bob.page.locator("h1").count() == 1
        assert not {"\u202e", "\u200b", "\u2066", "\ufeff", "\x1b"} & set(text)
        for item in items(approval.request):
            assert displayed.line(item).text in text
        assert LONG in text
        for literal in (HOSTILE[0], HOSTILE[1], HOSTILE[2], "APPROVED</h1>"):
            assert literal in text
        assert "untrusted" in text
        bob.require_quiet()


async def test_hundredth_leaf_and_the_end_of_a_long_one_are_shown_like_the_first(
    windows: Browser, server: Placet
) -> None:
    payee = "x" * 1_000 + "mallory"
    approval = await opened(server, context={**{f"n{number:03}": number for number in range(100)}, "to": payee})
    async with reader(windows, server, "bob", look=((320, 640), "dark")) as bob:
        await bob.open(path(approval))
        await read_to_the_end(bob)
        last = bob.page.locator("#lines > dd", has_text="mallory")
        await expect(last).to_be_visible()
        first = bob.page.locator("#lines > dd").first
        styles = [await one.evaluate("one => getComputedStyle(one).font") for one in (first, last)]
        assert styles[0] == styles[1]
        assert payee in await bob.text()
        assert not await bob.is_wider_than_the_screen()


ANOTHER = """async page => {
    const made = new DOMParser().parseFromString(page, "text/html");
    document.body.replaceWith(document.adoptNode(made.body));
    const { checked } = await import(new URL("compared.js", document.scripts[0].src));
    const [about, lines] = ["approval", "lines"].map(id => document.getElementById(id));
    const form = document.getElementById("review");
    return [document.body.innerText, (await checked(about.dataset, lines)) === form.elements.expected_digest.value];
}"""
"""Puts a page in the place of another one, whose scripts stay; returns what is seen, and whether the check agrees."""
LOADED = 8
"""Requests whose page is loaded as a whole, which takes ten times as long."""


async def test_every_leaf_of_200_requests_is_in_the_visible_text_and_the_script_agrees(
    windows: Browser, server: Placet
) -> None:
    current: list[str] = []

    async def made(route: Route) -> None:
        await route.fulfill(body=current[-1], content_type="text/html; charset=utf-8")

    async with reader(windows, server, "bob") as bob:
        await deaf(bob)
        await bob.page.route(re.compile("/inbox/approvals/apr_[0-9a-f]{32}$"), made)
        for number, asked in enumerate(generated(200)):
            held = answered(asked)
            current.append(look.page("approval", {**members(held, "dev", BOB, "t"), **told(None, {})}).decode())
            if number < LOADED:
                await bob.page.goto(bob.home + path(held.approval), wait_until="commit")
                await bob.page.wait_for_function(AT_THE_END)
                text = await bob.text()
            else:
                text, agrees = await bob.page.evaluate(ANOTHER, current[-1])
                assert agrees, asked
            for item in items(asked):
                line = displayed.line(item)
                assert line.label in text, line
                assert line.text in text, line
        bob.require_quiet()
