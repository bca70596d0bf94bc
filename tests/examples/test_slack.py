"""The example with Slack, as its README says: two people press buttons in the page of the double."""

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from pdp.caller import Role
from pdp.chat_service import slack
from pdp.dev.chat import chat
from pdp.dev.stack import configuration
from pdp.inbox.linking import way_back
from pdp.process.mongod import MongodProcess
from tests.examples.visit import EXAMPLES, Visit
from tests.parts import placet


class Person:
    """Somebody at the page."""

    def __init__(self, browser: aiohttp.ClientSession, url: str, user: str) -> None:
        self._browser, self._url, self._user = browser, url, user

    async def reads(self, text: str) -> str:
        """The page once this stands there."""
        async with asyncio.timeout(20):
            while True:
                async with self._browser.get(self._url, params={"as": self._user}) as answer:
                    page = await answer.text()
                if text in page:
                    return page
                await asyncio.sleep(0.05)

    async def sends(self, **fields: str) -> None:
        form = {"as": self._user, **fields}
        await self._browser.post(f"{self._url}/act", data=form, headers={"Origin": self._url})


async def test_the_readme_runs(visit: Callable[[str], Visit], state: Path, mongod: MongodProcess) -> None:
    example = visit("slack")
    _, asked, used = example.blocks
    plain = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri=mongod.uri)
    issuers = tuple(
        one.model_copy(update={"roles": (Role.REVIEWER,)}) if one.kind == "person" else one for one in plain.issuers
    )
    async with chat(state) as beside, aiohttp.ClientSession() as browser:
        known = {"issuers": issuers, "slack": beside.settings, "slack_host": beside.url}
        policy = [example.folder / "policy", beside.people]
        async with placet(state, mongod.uri, policy=policy, **known) as server:
            example.reader.variables |= {"PDP_ADDRESS": server.address, "PDP_STATE": str(state)}
            await example.type(asked)
            for user in ("UBOB", "UCAROL"):
                person = Person(browser, beside.url, user)
                page = await person.reads("A request waits for review")
                assert "900" not in page, "a notice has no value"
                [(ts, _)] = re.findall(
                    r'name="ts" value="([\d.]+)">\n(?:(?!</form>).|\n)*?value="(placet.review)"', page
                )
                await person.sends(ts=ts, click="placet.review")
                assert "900" in await person.reads("Your verdict")
                await person.sends(verdict="APPROVE", reason="the parcel was lost")
                await person.reads("Recorded: APPROVE")
                await person.sends(close="yes")
            await Person(browser, beside.url, "UBOB").reads("APPROVED, 2 of 2")
            await example.type(used)


def test_manifest_is_that_of_an_app_that_nothing_reaches_from_outside() -> None:
    manifest = json.loads((EXAMPLES / "slack" / "manifest.json").read_text())
    assert manifest["settings"]["socket_mode_enabled"]
    assert manifest["oauth_config"]["scopes"]["bot"] == ["chat:write"]


def test_manifest_lets_people_connect_their_accounts_and_find_their_messages_again() -> None:
    manifest = json.loads((EXAMPLES / "slack" / "manifest.json").read_text())
    [redirect] = manifest["oauth_config"]["redirect_urls"]
    assert urlsplit(redirect).path == way_back(slack("T1"))
    assert manifest["oauth_config"]["scopes"]["user"] == ["openid", "profile"]
    assert manifest["features"]["app_home"]["messages_tab_enabled"]
