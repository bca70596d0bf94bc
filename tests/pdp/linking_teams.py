"""A server whose people link accounts of Teams, and what a person does to link one."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pdp.config import Http
from pdp.process.mongod import MongodProcess
from pdp.workflow.links import Links
from tests.browser import Browser, Shown
from tests.entra import EntraDouble
from tests.parts import Placet
from tests.pdp.accounts import linking
from tests.pdp.channels.teams.conftest import Chat, connected


@dataclass
class Stage:
    """A server that is connected to a double of Teams, and the links of its people."""

    chat: Chat
    links: Links

    @property
    def server(self) -> Placet:
        return self.chat.server

    @property
    def entra(self) -> EntraDouble:
        return self.chat.teams.entra


@asynccontextmanager
async def staged(state: Path, mongod: MongodProcess, folder: Path) -> AsyncIterator[Stage]:
    http = Http(listen="127.0.0.1:0", passkey_wait="0")
    async with connected(state, mongod, folder, http=http) as chat, linking(chat.server, mongod) as links:
        yield Stage(chat, links)


async def begun(person: Browser) -> str:
    """Press the button; where it leads."""
    me = await person.get("/inbox/me")
    shown = await person.post("/inbox/links/teams", {"form": me.hidden["form"]})
    assert shown.status == 200, shown.text
    [address] = re.findall(r'href="([^"]*/authorize[^"]*)"', shown.text)
    return html.unescape(address)


async def signed_in(person: Browser, address: str, name: str = "dave") -> str:
    """Sign in at Entra as somebody; where it leads back to."""
    page = await person.get(address)
    assert page.status == 200, page.text
    back = await person.post(page.url.partition("?")[0], {**page.hidden, "person": name})
    assert back.status == 302, back.text
    return back.location


async def shown(person: Browser, name: str = "dave") -> Shown:
    """What one is asked to confirm."""
    return await person.get(await signed_in(person, await begun(person), name))


async def confirm(person: Browser, seen: Shown, **changes: str) -> Shown:
    return await person.post("/inbox/links/teams/confirm", {**seen.hidden, **changes})
