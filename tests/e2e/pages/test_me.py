"""One's own page in a real browser, with a virtual authenticator."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from pdp.config import Http
from pdp.process.mongod import MongodProcess
from tests.chromium import LOOKS, Reader, reader
from tests.parts import Placet, placet
from tests.told import Chat, way


@pytest.fixture(scope="module")
async def own(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server on which a passkey counts at once, and which can tell bob something."""
    ways = [way(Chat(name="mail"), "bob"), way(Chat(name="slack"), "bob")]
    async with placet(state, mongod.uri, http=Http(listen="127.0.0.1:0", passkey_wait="0"), ways=ways) as running:
        yield running


async def logged_in(person: Reader, name: str) -> None:
    """A session of this test alone."""
    await person.open("/inbox/me")
    await person.page.get_by_role("button", name=name).click()
    await person.page.wait_for_url("**/inbox/me", timeout=8000)


async def passkeys(person: Reader) -> int:
    return await person.page.get_by_role("button", name="Remove the passkey").count()


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_passkey_is_added_lets_another_in_and_is_removed(windows: Browser, own: Placet, look: Any) -> None:
    async with reader(windows, own, look=look) as bob:
        await bob.have_authenticator()
        await logged_in(bob, "bob")
        await bob.page.get_by_role("button", name="Add a passkey").click()
        assert await bob.violations() == []
        assert not await bob.is_wider_than_the_screen()
        await bob.page.get_by_role("button", name="Make the passkey").click()
        await bob.page.wait_for_url("**/inbox/me", timeout=8000)
        assert await passkeys(bob) == 1
        assert await bob.violations() == []
        assert not await bob.is_wider_than_the_screen()
        await bob.page.get_by_role("button", name="Remove the passkey").click()
        await bob.page.wait_for_url("**/inbox/me", timeout=8000)
        assert "You have none" in await bob.text()
        bob.require_quiet()


async def test_passkey_that_counts_signs_for_a_new_one_on_another_device(windows: Browser, own: Placet) -> None:
    async with reader(windows, own) as carol:
        first = await carol.have_authenticator()
        await logged_in(carol, "carol")
        await carol.page.get_by_role("button", name="Add a passkey").click()
        await carol.page.get_by_role("button", name="Make the passkey").click()
        await carol.page.wait_for_url("**/inbox/me", timeout=8000)
        await carol.touch(await carol.have_authenticator("usb"))
        await carol.page.get_by_role("button", name="Add a passkey").click()
        await carol.page.get_by_role("button", name="Make the passkey").click()
        sign = carol.page.get_by_role("button", name="Sign with a passkey that you have")
        await sign.wait_for()
        assert await carol.violations() == []
        await carol.touch(first)
        await sign.click()
        await carol.page.wait_for_url("**/inbox/me", timeout=8000)
        assert await passkeys(carol) == 2
        carol.require_quiet()


async def test_device_that_says_no_is_said_and_nothing_is_added(windows: Browser, own: Placet) -> None:
    async with reader(windows, own) as alice:
        await alice.have_authenticator(verifies=False)
        await logged_in(alice, "alice")
        await alice.page.get_by_role("button", name="Add a passkey").click()
        await alice.page.get_by_role("button", name="Make the passkey").click()
        await alice.page.get_by_text("Your device did not do it").wait_for()
        await alice.page.get_by_role("link", name="Back, without a new passkey").click()
        assert "You have none" in await alice.text()


NARROW = ((320, 700), "light")


@pytest.mark.parametrize(("look", "scripts"), [*((look, True) for look in (*LOOKS, NARROW)), (NARROW, False)], ids=str)
async def test_person_chooses_by_keyboard_how_to_be_told(
    windows: Browser, own: Placet, look: Any, *, scripts: bool
) -> None:
    async with reader(windows, own, look=look, java_script_enabled=scripts) as bob:
        await logged_in(bob, "bob")
        page = bob.page
        assert await page.get_by_label("E-mail").is_checked()
        await page.get_by_label("Slack").focus()
        await page.keyboard.press("Space")
        for text in ("22:00", "7 am", "Europe/Berlin"):
            await page.keyboard.press("Tab")
            await page.keyboard.type(text)
        await page.keyboard.press("Enter")
        await page.get_by_role("alert").wait_for()
        end = page.get_by_role("textbox", name="To")
        assert await end.input_value() == "7 am"
        assert await end.get_attribute("aria-invalid") == "true"
        assert await page.get_by_role("textbox", name="Time zone").input_value() == "Europe/Berlin"
        assert not await page.get_by_label("Slack").is_checked()
        if scripts:
            assert await bob.violations() == []
            assert not await bob.is_wider_than_the_screen()
        await end.fill("07:00")
        await page.get_by_role("button", name="Save how I am told").click()
        await page.get_by_text("You chose this").wait_for()
        assert await page.get_by_label("E-mail").is_checked()
        assert not await page.get_by_label("Slack").is_checked()
        assert await end.input_value() == "07:00"
        if scripts:
            assert await bob.violations() == []
            assert not await bob.is_wider_than_the_screen()
        await page.get_by_role("button", name="Go back to what the policy's data says").click()
        await page.get_by_text("You chose this").wait_for(state="detached")
        assert await page.get_by_label("Slack").is_checked()
        refused = [one for one in bob.complaints if "400 (Bad Request)" in one]
        assert len(refused) == 1
        bob.complaints.remove(refused[0])
        bob.require_quiet()
