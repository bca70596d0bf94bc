"""A person at a real browser: Debian's Chromium, driven by Playwright, with axe to find what keeps people out.

Its shell without windows takes a third of the processor time of the whole browser, and has the same engine.
"""

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright

from pdp.http.login import SESSION_COOKIE
from tests.browser import browser as plain_browser
from tests.parts import Placet

WIDE, PHONE = (1280, 900), (390, 844)
LOOKS = [(size, scheme) for size in (WIDE, PHONE) for scheme in ("light", "dark")]
"""Every page is looked at in each of these."""
PROGRAMS = ("chromium-headless-shell", "chromium")
"""The first that is on the PATH is taken."""
MISSING = (
    f"no {PROGRAMS[0]} on the PATH: `make setup` installs it as root on Debian, else: apt-get install {PROGRAMS[0]}"
)
_AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
_COOKIES: dict[tuple[str, str], str] = {}
"""Sessions by server and person: logging in again and again would meet the limit of one address."""


@dataclass
class Reader:
    """One person's window. `complaints` are what the console and the policy of the page said."""

    page: Page
    home: str
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    devices: Any = None
    held: list[str] = field(default_factory=list)

    async def open(self, path: str) -> int:
        """Open a page of the server; returns its status."""
        answer = await self.page.goto(self.home + path)
        assert answer is not None
        return answer.status

    async def text(self) -> str:
        """What can be read on the page."""
        return str(await self.page.inner_text("body"))

    async def violations(self) -> list[str]:
        """What axe finds on the page, each with the elements that have it."""
        await self.page.evaluate(_AXE)
        found = await self.page.evaluate("() => axe.run()")
        return [f"{one['id']}: {json.dumps([node['html'] for node in one['nodes']])}" for one in found["violations"]]

    async def faults_in_each_look(self) -> list[str]:
        """What axe finds on the page, and whether one must scroll sideways, in each of `LOOKS`."""
        found: list[str] = []
        for (width, height), scheme in LOOKS:
            await self.page.set_viewport_size({"width": width, "height": height})
            await self.page.emulate_media(color_scheme=scheme)
            assert await self.page.evaluate("() => [innerWidth, innerHeight]") == [width, height]
            found += [f"{width} {scheme}: {one}" for one in await self.violations()]
            if await self.is_wider_than_the_screen():
                found.append(f"{width} {scheme}: wider than the screen")
        return found

    async def is_wider_than_the_screen(self) -> bool:
        """Whether one must scroll sideways."""
        script = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
        return bool(await self.page.evaluate(script))

    async def keep(self, secret: str) -> None:
        """Have this session; Playwright's own way knows no cookie whose name begins with `__Host-`."""
        devtools = await self.page.context.new_cdp_session(self.page)
        named = {"name": SESSION_COOKIE, "value": secret, "url": self.home.replace("http:", "https:"), "path": "/"}
        kept = await devtools.send("Network.setCookie", {**named, "secure": True, "httpOnly": True, "sameSite": "Lax"})
        assert kept["success"]

    async def have_authenticator(self, transport: str = "internal", *, verifies: bool = True) -> str:
        """Have a device that makes passkeys, and whose user is there; with `verifies` it knows its user."""
        if self.devices is None:
            self.devices = await self.page.context.new_cdp_session(self.page)
            await self.devices.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": transport, "hasResidentKey": True, "hasUserVerification": True}
        always = {"isUserVerified": verifies, "automaticPresenceSimulation": True}
        made = await self.devices.send("WebAuthn.addVirtualAuthenticator", {"options": {**options, **always}})
        self.held.append(made["authenticatorId"])
        return self.held[-1]

    async def touch(self, device: str) -> None:
        """From now on the user is at this device alone."""
        for one in self.held:
            members = {"authenticatorId": one, "enabled": one == device}
            await self.devices.send("WebAuthn.setAutomaticPresenceSimulation", members)

    def require_quiet(self) -> None:
        """The console has said nothing, and everything came from the server."""
        assert self.complaints == []
        assert [url for url in self.requests if not url.startswith(self.home + "/")] == []

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        self.requests.append(request.url)

    def listen(self) -> None:
        """Hear from now on."""
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._asked)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A headless Chromium, a process of its own."""
    path = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert path is not None, MISSING
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield started
        finally:
            await started.close()


@asynccontextmanager
async def reader(
    started: Browser, server: Placet, person: str = "", *, look: Any = (WIDE, "light"), **context: Any
) -> AsyncIterator[Reader]:
    """A window of a person who is logged in at the server, or of nobody yet. `context` are Playwright's options."""
    (width, height), scheme = look
    own = await started.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **context)
    try:
        own.set_default_timeout(15_000)
        window = Reader(await own.new_page(), server.http)
        if person:
            await window.keep(await session(server, person))
        window.listen()
        yield window
    finally:
        await own.close()


async def session(server: Placet, person: str) -> str:
    """The secret of a session of this person, which other windows have, too."""
    if (server.http, person) not in _COOKIES:
        async with plain_browser(server.http) as own:
            assert (await own.log_in(person)).status == 200
            _COOKIES[server.http, person] = own.cookie()
    return _COOKIES[server.http, person]
