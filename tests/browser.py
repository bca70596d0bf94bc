"""A person's browser, over real HTTP: it keeps cookies, sends what a browser sends, and follows nothing by itself."""

import html
import itertools
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import aiohttp
from yarl import URL

from pdp.http.login import LOGIN_COOKIE, SESSION_COOKIE

_SOURCES = itertools.count(0x010001)
"""Addresses of this machine: a limit of one address is no other browser's."""
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@dataclass(frozen=True)
class Shown:
    """What came back."""

    status: int
    headers: Any
    text: str
    url: str

    @property
    def location(self) -> str:
        return str(self.headers.get("Location", ""))

    @property
    def query(self) -> dict[str, str]:
        """The query of the place to which it leads."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.location).query).items()}

    @property
    def hidden(self) -> dict[str, str]:
        """The hidden fields of its form."""
        found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', self.text)
        return {html.unescape(name): html.unescape(value) for name, value in found}


@dataclass
class Browser:
    """A browser at one server, `home`. Its jar is that of Python: cookies with `Secure` go to this machine, too."""

    home: str
    session: aiohttp.ClientSession
    seen: list[Shown] = field(default_factory=list)

    async def send(self, method: str, url: str, data: Any = None, **headers: str) -> Shown:
        """One request, with these headers beside the cookies."""
        own = {name.replace("_", "-"): value for name, value in headers.items()}
        address = URL(urljoin(self.home, url), encoded=True)
        async with self.session.request(method, address, data=data, headers=own, allow_redirects=False) as answer:
            shown = Shown(answer.status, answer.headers, await answer.text(), str(answer.url))
        self.seen.append(shown)
        return shown

    async def get(self, url: str, **headers: str) -> Shown:
        """Open a page."""
        return await self.send("GET", url, **{**NAVIGATION, **headers})

    async def post(self, url: str, fields: Mapping[str, str], **headers: str) -> Shown:
        """Send a form from a page of the server that the URL is on."""
        parts = urlsplit(urljoin(self.home, url))
        own = {"Origin": f"{parts.scheme}://{parts.netloc}", "Sec-Fetch-Site": "same-origin", **NAVIGATION}
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self.send("POST", url, urlencode(fields), **{**own, **kind, **headers})

    async def follow(self, shown: Shown) -> Shown:
        """Go where it leads, until a page comes."""
        for _ in range(8):
            if shown.status != 303:
                return shown
            shown = await self.get(shown.location)
        raise AssertionError("it leads nowhere")

    async def log_in(self, person: str, path: str = "/inbox/me") -> Shown:
        """Open a page, choose who to be at the provider, and come back."""
        chooser = await self.follow(await self.get(path))
        return await self.follow(await self.choose(chooser, person))

    async def choose(self, chooser: Shown, person: str) -> Shown:
        """Choose who to be; returns what leads back."""
        assert chooser.status == 200, chooser.text
        path = urljoin(chooser.url, "/dev/idp/authorize")
        return await self.post(path, {**chooser.hidden, "person": person})

    async def log_out(self) -> Shown:
        """Press the button on the page of oneself."""
        me = await self.get("/inbox/me")
        return await self.post("/logout", {"form": me.hidden["form"]})

    def cookie(self, name: str = SESSION_COOKIE) -> str:
        """A cookie that it has; empty if it has none."""
        return next((one.value for one in self.session.cookie_jar if one.key == name), "")

    def keep(self, value: str, name: str = SESSION_COOKIE) -> None:
        """Put a cookie into its jar."""
        self.session.cookie_jar.update_cookies({name: value}, URL(self.home))

    @property
    def login_cookie(self) -> str:
        """What it has of a login under way."""
        return self.cookie(LOGIN_COOKIE)


@asynccontextmanager
async def browser(home: str, *others: str) -> AsyncIterator[Browser]:
    """A browser of its own; `others` are further servers of this machine to which it sends cookies."""
    jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=[URL(url) for url in (home, *others)])
    source = next(_SOURCES)
    own = (f"127.{source >> 16 & 255}.{source >> 8 & 255}.{source & 255}", 0)
    connector = aiohttp.TCPConnector(family=socket.AF_INET, local_addr=own)
    async with aiohttp.ClientSession(cookie_jar=jar, connector=connector) as session:
        yield Browser(home, session)
