"""Linking an account in a real browser: over to the service and back, with a virtual authenticator that signs."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Route

from pdp.process.mongod import MongodProcess
from tests.chromium import PHONE, WIDE, Reader, reader
from tests.pdp import linking_teams
from tests.pdp.linking import Stage, staged
from tests.teams import account


@pytest.fixture(scope="module")
async def own(state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folders = tmp_path_factory.mktemp("policy"), tmp_path_factory.mktemp("slack")
    async with staged(state, mongod, *folders) as running:
        yield running


@pytest.fixture(scope="module")
async def teams(
    state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[linking_teams.Stage]:
    async with linking_teams.staged(state, mongod, tmp_path_factory.mktemp("teams")) as running:
        yield running


async def connect(person: Reader, name: str) -> None:
    """Go over to Slack, be somebody there, and come back; each page of ours is looked at."""
    await person.page.get_by_role("button", name="Connect Slack").click()
    await looked_at(person)
    await person.page.get_by_role("link", name="Go on to Slack").click()
    await person.page.get_by_role("button", name=name).click()
    await person.page.get_by_role("link", name="Back to Placet").click()
    await person.page.get_by_role("heading", name="Is this account yours?").wait_for(timeout=10000)
    await looked_at(person)


async def late(route: Route) -> None:
    """A script that arrives when its page has been there for a while: its buttons cannot be pressed before."""
    await asyncio.sleep(0.5)
    await route.continue_()


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
        await bob.page.route("**/passkeys.js", late)
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


@pytest.mark.parametrize("look", [(WIDE, "light"), (PHONE, "dark"), ((320, 640), "light")], ids=str)
async def test_account_of_teams_is_linked_and_unlinked(
    windows: Browser, teams: linking_teams.Stage, look: object
) -> None:
    async with reader(windows, teams.server, look=look) as bob:
        await bob.open("/inbox/me")
        await bob.page.get_by_role("button", name="bob").click()
        await bob.page.wait_for_url("**/inbox/me")
        await bob.page.get_by_role("button", name="Connect Teams").click()
        await looked_at(bob)
        await bob.page.get_by_role("link", name="Go on to Teams").click()
        await bob.page.get_by_role("button", name="dave").click()
        await bob.page.get_by_role("heading", name="Is this account yours?").wait_for(timeout=10000)
        assert account("dave") in await bob.text()
        await looked_at(bob)
        await bob.page.get_by_role("button", name="Link it").click()
        await bob.page.get_by_role("button", name=f"Unlink {account('dave')}").wait_for(timeout=10000)
        await looked_at(bob)
        await bob.page.get_by_role("button", name=f"Unlink {account('dave')}").click()
        await bob.page.get_by_text("You have linked none").wait_for(timeout=10000)
        assert bob.complaints == []


async def looked_at(person: Reader) -> None:
    """The page that is open now can be used by everybody."""
    assert await person.violations() == []
    assert not await person.is_wider_than_the_screen()
