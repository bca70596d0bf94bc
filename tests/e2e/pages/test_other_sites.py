"""What another site can do to somebody who is logged in here, tried from such a site in a real browser."""

import html
from collections.abc import Mapping

import pytest
from playwright.async_api import Browser, Route

from pdp.http.login import SESSION_COOKIE
from pdp.v1.approval_pb2 import Approval
from tests.approvals_page import fields, path
from tests.browser import browser
from tests.chromium import Reader, reader
from tests.parts import Placet, exporting

EVIL = "http://evil.example/"


async def visit(person: Reader, url: str, body: str) -> None:
    """Open a page of another site, which needs no server for that."""

    async def answer(route: Route) -> None:
        await route.fulfill(body=f"<!doctype html>{body}", content_type="text/html")

    await person.page.route(url, answer)
    await person.page.goto(url)


async def form(server: Placet, approval: Approval) -> Mapping[str, str]:
    """A form of bob's own that was stolen, token and all."""
    async with browser(server.http) as bob:
        await bob.log_in("bob")
        return await fields(bob, approval, "DENY")


@pytest.mark.parametrize("site", [EVIL, "http://evil.localhost/", "http://localhost:1/"])
async def test_form_of_another_site_reviews_nothing(windows: Browser, server: Placet, site: str) -> None:
    approval = (await server.authorize(exporting())).approval
    hidden = "".join(
        f'<input name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in (await form(server, approval)).items()
    )
    async with reader(windows, server, "bob") as bob:
        address = f"{server.http}{path(approval, '/review')}"
        await visit(bob, site, f'<form method="post" action="{address}">{hidden}<button>win</button></form>')
        await bob.page.get_by_role("button").click()
        await bob.page.wait_for_url(address)
        assert "page of another site; nothing was done" in await bob.text()
    assert not (await server.seen(approval, server.metadata("bob"))).reviews


@pytest.mark.parametrize("site", [EVIL, "http://localhost:1/"])
async def test_page_is_in_no_frame(windows: Browser, server: Placet, site: str) -> None:
    approval = (await server.authorize(exporting())).approval
    async with reader(windows, server, "bob") as bob:
        await visit(bob, site, f'<iframe src="{server.http}{path(approval)}"></iframe>')
        [frame] = bob.page.main_frame.child_frames
        content = await frame.content()
        assert "<nav" not in content
        assert approval.approval_id not in content


async def test_script_of_another_site_reads_nothing(windows: Browser, server: Placet) -> None:
    async with reader(windows, server, "bob") as bob:
        await visit(bob, EVIL, "<p>hello")
        read = "url => fetch(url, { credentials: 'include' }).then(got => got.text()).catch(() => 'refused')"
        assert await bob.page.evaluate(read, f"{server.http}/inbox/me") == "refused"


async def test_link_from_elsewhere_opens_the_page_and_changes_nothing(windows: Browser, server: Placet) -> None:
    approval = (await server.authorize(exporting())).approval
    async with reader(windows, server, "bob") as bob:
        await visit(bob, EVIL, f'<a href="{server.http}{path(approval)}">open</a>')
        await bob.page.get_by_role("link").click()
        await bob.page.wait_for_url(f"**{path(approval)}")
        assert "May this happen?" in await bob.text()
        assert await bob.page.evaluate("() => document.cookie") == ""
        names = [cookie["name"] for cookie in await bob.page.context.cookies()]
        assert SESSION_COOKIE in names
    seen = await server.seen(approval, server.metadata("bob"))
    assert (seen.version, len(seen.reviews)) == (1, 0)
