"""Every page for every person: what axe finds, the width of a phone, the console, the keyboard."""

from datetime import datetime
from typing import Any

import pytest
from playwright.async_api import Browser

from tests.chromium import LOOKS, reader
from tests.parts import Placet

PAGES = ["/inbox", "/inbox/history", "/inbox/me", "/inbox/nothing"]


@pytest.mark.parametrize("path", PAGES)
async def test_axe_finds_nothing_and_the_console_is_quiet(windows: Browser, server: Placet, path: str) -> None:
    async with reader(windows, server, "bob") as bob:
        status = await bob.open(path)
        assert await bob.faults_in_each_look() == []
        if status == 200:
            bob.require_quiet()


async def test_whoever_comes_by_the_door_logs_in_with_one_click(windows: Browser, server: Placet) -> None:
    async with reader(windows, server) as stranger:
        await stranger.open("/inbox/me")
        assert await stranger.violations() == []
        await stranger.page.get_by_role("button", name="bob").click()
        await stranger.page.wait_for_url("**/inbox/me")
        assert "You are user:bob" in await stranger.text()
        stranger.require_quiet()


@pytest.mark.parametrize("look", LOOKS[::2], ids=str)
async def test_header_says_who_one_is_and_logs_out(windows: Browser, server: Placet, look: Any) -> None:
    async with reader(windows, server, look=look) as bob:
        await bob.open("/inbox")
        await bob.page.get_by_role("button", name="bob").click()
        await bob.page.wait_for_url("**/inbox")
        assert await bob.page.locator("header").get_by_text("You are user:bob").is_visible()
        await bob.page.locator("header").get_by_role("button", name="Log out").click()
        await bob.page.get_by_role("heading", name="You are logged out").wait_for()
        assert await bob.page.locator("header button").count() == 0
        await bob.page.get_by_role("link", name="Log in again").click()
        await bob.page.get_by_role("button", name="bob").wait_for()


async def test_first_tab_leads_to_the_content_and_the_focus_is_seen(windows: Browser, server: Placet) -> None:
    async with reader(windows, server, "bob") as bob:
        await bob.open("/inbox/me")
        await bob.page.keyboard.press("Tab")
        assert await bob.page.evaluate("() => document.activeElement?.textContent") == "To the content"
        width = await bob.page.evaluate("() => getComputedStyle(document.activeElement).outlineWidth")
        assert width == "3px"
        await bob.page.keyboard.press("Enter")
        assert await bob.page.evaluate("() => document.activeElement?.id") == "main"


async def test_times_are_in_the_readers_zone_with_utc_beside(windows: Browser, server: Placet) -> None:
    async with reader(windows, server, "bob", timezone_id="Asia/Kolkata", locale="en-GB") as bob:
        await bob.open("/inbox/me")
        shown = bob.page.locator("time").first
        utc, text = await shown.get_attribute("datetime"), await shown.inner_text()
        assert utc is not None
        beside = f"({datetime.fromisoformat(utc):%Y-%m-%d %H:%M:%S} UTC)"
        assert beside in text
        assert text != beside


async def test_page_is_320_pixels_wide_without_scrolling_sideways(windows: Browser, server: Placet) -> None:
    async with reader(windows, server, "bob", look=((320, 640), "light")) as bob:
        await bob.open("/inbox/me")
        assert not await bob.is_wider_than_the_screen()
