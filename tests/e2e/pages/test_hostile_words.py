"""Words of others in every field, as a real browser shows them: text that people see, and nothing else."""

import re
from http import HTTPStatus

from playwright.async_api import Browser, Route

from pdp.caller import Caller
from pdp.channels.notice import Aim
from pdp.channels.slack import notices, rendering
from pdp.dev.slack.page import blocks as drawn
from pdp.http.origin import Origin
from pdp.http.pages import Failure
from pdp.inbox import look, rows
from pdp.inbox.queue import STATES
from pdp.inbox.review_many import Became
from pdp.inbox.whole_page import members, told
from tests.chromium import reader
from tests.hostile_words import ALL, APPROVAL_ID, LONG, answer, is_literal, only_request
from tests.parts import Placet
from tests.pdp.channels.test_hostile_words import LEAVES, NAMES, WHOLE, notice, shown

BOB = Caller("user:bob", "person", frozenset({"reviewer"}), (), b"")
ALIVE = """() => [...document.querySelectorAll("main *")].filter(one =>
  ["IMG", "SVG", "SCRIPT", "IFRAME", "OBJECT", "AT", "MARK", "B", "I"].includes(one.nodeName.toUpperCase())
  || [...one.attributes].some(held => held.name.startsWith("on") || held.name === "style")
  || (one.hasAttribute("href") && !one.getAttribute("href").startsWith("/inbox"))
).map(one => one.outerHTML)"""
"""Elements of a page that are not ours: pictures, scripts, links elsewhere, handlers, markup of chats."""
FILTERS = ("action", "resource_type", "caller", "person", "group", "state")


def pages(words: str) -> dict[str, tuple[str, int]]:
    """Each page that shows words of others, and how often it has these at least."""
    held = answer(words)
    whole = {**members(held, "dev", BOB, "t"), **told(None, {})}
    row = rows.told([held.approval], look.now())
    given = {name: look.Exact(words) for name in FILTERS} | {"mine_only": True, "asked_in_my_name": True}
    listed = {"rows": row, "given": given, "is_narrowed": True, "further": "", "first": "", "states": STATES}
    many = {"items": [{**whole, "row": row[0], "alone": words}], "form_token": "t"}
    failure = Failure(HTTPStatus.BAD_REQUEST, words, [{"field": words, "description": words}], {words: words}, words)
    return {
        "approval": (look.page("approval", whole).decode(), 3 * LEAVES),
        "queue": (look.page("queue", {**listed, "place": "", "rows_address": "/inbox/rows"}).decode(), NAMES),
        "history": (look.page("history", listed).decode(), NAMES),
        "review_many": (look.page("review_many", many).decode(), LEAVES + NAMES),
        "reviewed_many": (look.page("reviewed_many", {"became": [Became(APPROVAL_ID, row[0], "", words)]}).decode(), 1),
        "failed": (look.failed(failure).decode(), 6),
    }


async def test_words_of_others_in_every_field_of_every_page_are_text_that_one_sees(
    windows: Browser, server: Placet
) -> None:
    made: list[str] = []

    async def given(route: Route) -> None:
        headers = {**Origin.of(server.http).headers, "content-type": "text/html; charset=utf-8"}
        await route.fulfill(body=made[-1], headers=headers)

    async with reader(windows, server, "bob") as bob:
        await bob.page.route(re.compile("/inbox/(events|rows|.*/now)"), lambda route: route.fulfill(status=204))
        await bob.page.route("**/inbox/tried", given)
        for page, (text, times) in pages(ALL).items():
            made.append(text)
            await bob.open("/inbox/tried")
            assert await bob.page.evaluate(ALIVE) == [], page
            assert is_literal(await bob.text(), ALL, times), page
            assert await bob.page.locator("h1").count() == 1
        assert [one for one in bob.complaints if "alert" in one or "Content Security" in one] == []
        assert [url for url in bob.requests if not url.startswith(server.http + "/")] == []


async def test_names_of_a_thousand_characters_fit_on_a_phone(windows: Browser, server: Placet) -> None:
    """One word without a break in every field, and one of 20 kB as a key."""
    made: list[str] = []
    async with reader(windows, server, "bob", look=((320, 640), "dark")) as bob:
        await bob.page.route(re.compile("/inbox/(events|rows|.*/now)"), lambda route: route.fulfill(status=204))
        await bob.page.route("**/inbox/tried", lambda route: route.fulfill(body=made[-1], content_type="text/html"))
        for page, (text, _) in pages("w" * 1000).items():
            made.append(text)
            await bob.open("/inbox/tried")
            assert not await bob.is_wider_than_the_screen(), page
        held = only_request("x")
        held.approval.request.context[LONG] = "x"
        made.append(look.page("approval", {**members(held, "dev", BOB, "t"), **told(None, {})}).decode())
        await bob.open("/inbox/tried")
        assert not await bob.is_wider_than_the_screen()
        assert LONG in await bob.text()


async def test_words_of_others_in_slack_are_text_that_one_sees(windows: Browser, server: Placet) -> None:
    """As the double of Slack draws a view and a notice, markup where a program made any."""
    async with reader(windows, server) as bob:
        view = rendering.view(shown(ALL), WHOLE, f"user:{ALL}", "t" * 43, note=ALL)
        told_of = notices.blocks(notice(ALL, Aim.END))
        body = drawn([*view["blocks"], *told_of]).replace('href="https://pdp.example', 'href="/inbox')
        await bob.page.set_content(f"<main>{body}</main>")
        assert await bob.page.evaluate(ALIVE) == []
        assert is_literal(await bob.text(), ALL, LEAVES + NAMES)
        assert bob.requests == []
