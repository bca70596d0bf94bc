"""Slack of a company with many teams: who is asked, who asks, what each message has shown, and people who click."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pdp.caller import Role
from pdp.dev.slack.service import SlackDouble
from pdp.dev.slack.workspace import Message, Opened, User, Workspace, direct
from pdp.dev.stack import configuration
from pdp.slack_settings import SlackSettings
from tests.faults import own
from tests.pdp.channels.slack.conftest import secrets_in, words
from tests.slack import APP, BOT, TEAM

RULES = """package policy

needs_approval contains {
	"rule": "team", "reason": "two of the team read it", "count": 2, "channels": ["api", "web", "slack"],
	"reviewers": {"groups": [object.get(input.resource.properties, "team", "owners")]},
} if input.action.name == "share"
"""
ANSWERS_SECONDS = 8.0
"""Seconds for which a person waits for what a click should show, before the next try."""
VERDICTS = {"yes": "APPROVE", "no": "DENY"}


class Seen(NamedTuple):
    """A state of an approval as a message shows it: its word, and who gave which verdict in which channel."""

    state: str
    reviews: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Company:
    """Teams by number. Each has a channel, one person who clicks, one who calls, and one in whose name is asked."""

    teams: int

    def clicker(self, team: int) -> str:
        return f"UA{team}"

    def data(self) -> dict[str, Any]:
        """Data of the policy."""
        people = [f"{kind}{team}" for team in range(self.teams) for kind in "abq"]
        accounts = {f"slack:{TEAM}/U{name.upper()}": {"same_as": [f"user:{name}"]} for name in people}
        groups = {f"team{team}": [f"user:a{team}", f"user:b{team}"] for team in range(self.teams)}
        return {"groups": groups, "identities": {"agent:report-bot": {"owners": ["user:owner"]}, **accounts}}

    def space(self) -> Workspace:
        """Its workspace, which takes as many calls a minute as come."""
        names = [f"U{kind}{team}" for team in range(self.teams) for kind in "ABQ"]
        users = {name: User(name, name.lower(), TEAM) for name in names}
        channels = dict.fromkeys(self.channels.values(), "team")
        return Workspace(TEAM, users, channels, time.monotonic, calls_a_minute=10**6)

    @property
    def channels(self) -> Mapping[str, str]:
        """The channel of each team."""
        return {f"team{team}": f"C{team}" for team in range(self.teams)}

    def policy(self, folder: Path) -> Path:
        policy = folder / "policy"
        policy.mkdir()
        (policy / "rules.rego").write_text(RULES)
        (policy / "data.json").write_text(json.dumps(self.data()))
        return policy

    def settings(self, folder: Path, state: Path) -> dict[str, Any]:
        """What the configuration of its servers has: Slack, and that its people review without a login before."""
        files = secrets_in(folder)
        tokens = {name: files[name] for name in ("bot_token", "app_token")}
        plain = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri="mongodb://127.0.0.1:1")
        issuers = tuple(
            one.model_copy(update={"roles": (Role.REQUESTER, Role.REVIEWER)}) if one.kind == "person" else one
            for one in own(plain, folder).issuers
        )
        slack = SlackSettings(team=TEAM, channels=dict(self.channels), **tokens)
        return {"slack": slack, "issuers": issuers, "lineage": None}


@asynccontextmanager
async def slack_of(company: Company) -> AsyncIterator[SlackDouble]:
    made = SlackDouble(company.space(), BOT, APP)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


def noticed(slack: SlackDouble, team: int, approval_id: str) -> Message | None:
    """A message with a button for an approval: to the person who clicks, else in the team's channel."""
    places = [direct(f"UA{team}"), f"C{team}"]
    found = [one for one in slack.space.messages if one.channel in places and _value(one.blocks) == approval_id]
    return min(found, key=lambda one: places.index(one.channel), default=None)


async def clicked(slack: SlackDouble, team: int, approval_id: str, verdict: str) -> str:
    """What a person reads at the end who clicks on a notice and gives a verdict; empty where nothing comes."""
    user, notice = f"UA{team}", noticed(slack, team, approval_id)
    if notice is None:
        return ""
    for view in slack.space.views.values():
        view.is_closed = view.is_closed or view.user == user
    if not await slack.click(user, notice, "placet.deny" if verdict == "DENY" else "placet.review"):
        return ""
    opened = await _within(lambda: slack.space.open_view(user))
    if opened is None:
        return ""
    if not opened.view.get("submit"):
        return words(opened.view["blocks"])
    if not await slack.submit(user, verdict=verdict, reason="read it"):
        return ""
    checked = await _within(lambda: opened if "Placet checks it" not in words(opened.view["blocks"]) else None)
    return words(checked.view["blocks"]) if checked else ""


async def _within(look: Any) -> Opened | None:
    until = time.monotonic() + ANSWERS_SECONDS
    while (found := look()) is None and time.monotonic() < until:
        await asyncio.sleep(0.02)
    return found if isinstance(found, Opened) else None


def seen(blocks: Sequence[Mapping[str, Any]]) -> Seen:
    """The state that a message shows."""
    lines = [_line(part) for block in blocks if block["type"] == "rich_text" for part in block["elements"]]
    [state] = [text for label, text in lines if label == "state"]
    reviews = []
    for label, text in lines:
        if label in VERDICTS:
            _, who, _, channel = text.split()
            reviews.append((VERDICTS[label], who, channel))
    assert f", {sum(verdict == 'APPROVE' for verdict, *_ in reviews)} of 2" in state
    return Seen(state.partition(",")[0], tuple(reviews))


def _line(part: Mapping[str, Any]) -> tuple[str, str]:
    label, *texts = [run["text"] for run in part["elements"]]
    return label, "".join(texts).strip()


def _value(blocks: Sequence[Mapping[str, Any]]) -> str:
    """The approval that the buttons of a message are about."""
    buttons = [one for block in blocks if block["type"] == "actions" for one in block["elements"]]
    return next((str(one["value"]) for one in buttons if one.get("value")), "")


def about(message: Message) -> str:
    """The approval that a message was about when it was posted; empty where it had no buttons."""
    return _value(message.shown[0])
