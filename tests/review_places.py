"""Where people review beside gRPC, on servers of one deployment: the page of an approval, and a Slack of all."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pdp.dev.slack import clicks
from pdp.dev.slack.rules import texts
from pdp.dev.slack.service import SlackDouble
from pdp.dev.slack.workspace import Message, Opened
from pdp.inbox import displayed
from pdp.inbox.verdict_form import FIELDS
from pdp.session import form_token
from pdp.v1.approval_pb2 import Approval
from tests.approvals_page import path
from tests.browser import Browser, browser
from tests.parts import Placet
from tests.slack import TEAM, Clock, double

PEOPLE = ("alice", "bob", "carol")
REFUSED = {403, 404, 409, 503, 504}
"""What a page may say instead of taking a verdict."""
BAD = 400
"""What it also says of a form that the page did not offer: it lacks the digest of what is known of the data."""
NOT_YOUR_OWN = "people do not review their own actions"
SECONDS = 3.0
"""For what a click leads to. It comes at once; where MongoDB has no primary it may not come at all."""
_ALERT = re.compile(r'role="alert">(.*)')
_RECORDED = re.compile(r"Recorded: (\w+) as (\S+)\.")


def account(name: str) -> str:
    """The chat account of a person."""
    return f"slack:{TEAM}/U{name.upper()}"


@dataclass(frozen=True)
class Pages:
    """A browser of each person at each server, logged in."""

    browsers: Mapping[tuple[str, str], Browser]

    async def review(self, server: Placet, who: str, held: Approval, verdict: str) -> bool:
        """Whether the page took a verdict, as its script sends it.

        Where the page has no form for that, one is sent all the same, as a program can.
        """
        person = self.browsers[server.http, who]
        shown = await person.get(path(held))
        assert shown.status in {200, *REFUSED}, shown.text
        found = re.search(r'data-version="(\d+)"', shown.text)
        if found is None:
            return False
        own = {"form": form_token(person.cookie()), "expected_digest": held.request_digest}
        hidden = {**dict.fromkeys(FIELDS, ""), **own, "expected_version": found[1], **shown.hidden}
        seen = hidden["expected_digest"], int(hidden["expected_version"]), hidden["expected_lineage"]
        typed = {"verdict": verdict, "reason": "read it", "suggestion": ""}
        sent = {**hidden, "displayed": displayed.proof("dev", held.request, *seen), **typed}
        done = await person.post(path(held, "/review"), sent)
        refused = REFUSED if "expected_digest" in shown.hidden else {*REFUSED, BAD}
        said = done.status, _ALERT.findall(done.text)
        assert (done.status, done.location) == (303, path(held)) or done.status in refused, said
        return done.status not in refused


@asynccontextmanager
async def pages(servers: Sequence[Placet]) -> AsyncIterator[Pages]:
    """Browsers of all people."""
    async with AsyncExitStack() as stack:
        found = {}
        for server in servers:
            for name in PEOPLE:
                person = found[server.http, name] = await stack.enter_async_context(browser(server.http))
                assert (await person.log_in(name)).status == 200
        yield Pages(found)


@dataclass
class Ahead(Clock):
    """The time of this machine and some seconds."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.seconds


@dataclass
class Clicks:
    """People who click in Slack. Each click reaches one server by the app's signed requests."""

    slack: SlackDouble
    clock: Ahead
    _known: set[str] = field(default_factory=set)

    def forget(self) -> None:
        """Close what was opened until now, and pass a minute, so that Slack takes as many calls once more."""
        space = self.slack.space
        space.views.clear()
        space.messages[:] = [one for one in space.messages if not one.only]
        self._known.clear()
        self.clock.seconds += 61

    async def opened(self, server: Placet, who: str, held: Approval) -> Opened | None:
        """The view that a click on Review opens; None where the person is told something instead, or nothing."""
        button = {"type": "button", "action_id": "placet.review", "value": held.approval_id}
        notice = Message("CSTEWARDS", "1.1", "waits", [{"type": "actions", "block_id": "links", "elements": [button]}])
        self.slack.request_url = f"{server.http}/slack/interactions"
        if not await self.slack.click(f"U{who.upper()}", notice, "placet.review"):
            return None
        return await self._next(f"U{who.upper()}")

    async def sent(self, server: Placet, opened: Opened, verdict: str) -> str:
        """As whom a verdict was recorded that is sent with a view; empty where it was not.

        A view that does not offer the verdict, or none, is sent with it all the same, as a program can.
        """
        space = self.slack.space
        told = clicks.of_modal(space, space.users[opened.user], opened, {"verdict": verdict, "reason": "read it"})
        fields: Any = told["view"]["state"]["values"]
        fields.setdefault("verdict", {"verdict": {}})["verdict"]["selected_option"] = {"value": verdict}
        self.slack.request_url = f"{server.http}/slack/interactions"
        if not await self.slack.submitted(opened, told):
            return ""
        until = time.monotonic() + SECONDS
        while "Placet checks it" in words(opened) and time.monotonic() < until:
            await asyncio.sleep(0.01)
        found = _RECORDED.search(words(opened))
        assert found is None or found[1] == verdict
        return found[2] if found else ""

    async def _next(self, user: str) -> Opened | None:
        space, until = self.slack.space, time.monotonic() + SECONDS
        while time.monotonic() < until:
            for view in [one for one in space.views.values() if one.user == user and one.id not in self._known]:
                self._known.add(view.id)
                return view
            for told in [one for one in space.messages if one.only == user and one.ts not in self._known]:
                self._known.add(told.ts)
                return None
            await asyncio.sleep(0.01)
        return None


@asynccontextmanager
async def clicking() -> AsyncIterator[Clicks]:
    """A Slack in which people click."""
    clock = Ahead()
    async with double(clock) as slack:
        yield Clicks(slack, clock)


def words(opened: Opened) -> str:
    """Every text of a modal, with one blank between words."""
    return " ".join(" ".join(texts(opened.view["blocks"])).split())
