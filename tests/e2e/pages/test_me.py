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


@pytest.fixture(scope="module")
async def own(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server on which a passkey counts at once."""
    async with placet(state, mongod.uri, http=Http(listen="127.0.0.1:0", passkey_wait="0")) as running:
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
