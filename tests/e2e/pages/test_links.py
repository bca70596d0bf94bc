"""Linking an account in a real browser: over to the service and back, with a virtual authenticator that signs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from pdp.process.mongod import MongodProcess
from tests.chromium import PHONE, WIDE, Reader, reader
from tests.pdp.linking import Stage, staged


@pytest.fixture(scope="module")
async def own(state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folders = tmp_path_factory.mktemp("policy"), tmp_path_factory.mktemp("slack")
    async with staged(state, mongod, *folders) as running:
        yield running


async def connect(person: Reader, name: str) -> None:
    """Go over to Slack, be somebody there, and come back; each page of ours is looked at."""
    await person.page.get_by_role("button", name="Connect Slack").click()
    assert await person.violations() == []
    assert not await person.is_wider_than_the_screen()
    await person.page.get_by_role("link", name="Go on to Slack").click()
    await person.page.get_by_role("button", name=name).click()
    await person.page.get_by_role("link", name="Back to Placet").click()
    await person.page.get_by_role("heading", name="Is this account yours?").wait_for(timeout=10000)
    assert await person.violations() == []
    assert not await person.is_wider_than_the_screen()


@pytest.mark.parametrize("look", [(WIDE, "dark"), (PHONE, "light")], ids=str)
async def test_account_is_linked_and_unlinked_with_a_passkey_and_without(
    windows: Browser, own: Stage, look: object
) -> None:
    async with reader(windows, own.server, look=look) as bob:
        await bob.have_authenticator()
        await bob.open("/inbox/me")
        await bob.page.get_by_role("button", name="bob").click()
        await bob.page.wait_for_url("**/inbox/me")
        await connect(bob, "carol")
        await bob.page.get_by_role("button", name="Link it").click()
        await bob.page.get_by_role("button", name="Unlink slack:T1/UCAROL").click()
        await bob.page.get_by_text("You have linked none").wait_for(timeout=10000)
        await bob.page.get_by_role("button", name="Add a passkey").click()
        await bob.page.get_by_role("button", name="Make the passkey").click()
        await bob.page.wait_for_url("**/inbox/me")
        await connect(bob, "carol")
        await bob.page.get_by_role("button", name="Link it with my passkey").click()
        await bob.page.get_by_role("button", name="Unlink slack:T1/UCAROL").click()
        await bob.page.get_by_text("You have linked none").wait_for(timeout=10000)
        await bob.page.get_by_role("button", name="Remove the passkey").click()
        await bob.page.get_by_text("You have none").wait_for(timeout=10000)
        assert bob.complaints == []
