"""The header of every page: who one is, and the way out."""

from uuid import uuid4

from pdp.http.route import Page
from pdp.session import form_token
from tests.browser import Browser, browser
from tests.parts import Placet, asking

WHO = 'You are <bdi class="value">user:bob</bdi>'
NOT_PAGES = {"/inbox/events", "/inbox/approvals/{id}/now"}
"""What a page asks for by itself."""


async def test_every_page_says_who_one_is_and_has_a_way_out(asked: Placet, bob: Browser) -> None:
    held = (await asked.authorize(asking("share", context={"run": uuid4().hex}))).approval.approval_id
    paths = {route.path for route in asked.routes if isinstance(route, Page) and route.method == "GET"} - NOT_PAGES
    assert {"/inbox", "/inbox/history", "/inbox/me", "/inbox/approvals/{id}", "/inbox/review-many"} <= paths
    way_out = f'<input type="hidden" name="form" value="{form_token(bob.cookie())}">'
    for path in [*paths, "/inbox/passkeys/begin"]:
        query = f"?{held}=on" if path == "/inbox/review-many" else ""
        address = path.replace("{id}", held) + query
        form = {"form": form_token(bob.cookie())}
        page = await (bob.post(address, form) if path.endswith("/begin") else bob.get(address))
        header = page.text.partition("<header>")[2].partition("</header>")[0]
        assert WHO in header, path
        assert 'action="/logout"' in header
        assert way_out in header


async def test_way_out_ends_the_session(asked: Placet) -> None:
    async with browser(asked.http) as bob:
        await bob.log_in("bob", "/inbox")
        left = await bob.post("/logout", {"form": (await bob.get("/inbox")).hidden["form"]})
        assert "You are logged out" in left.text
        assert "You are <bdi" not in left.text
        assert (await bob.get("/inbox")).status == 303
