"""Slack's double with people who click, and a clock that a test moves."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pdp.dev.slack.service import SlackDouble
from pdp.dev.slack.workspace import User, Workspace

BOT, APP, SECRET = "xoxb-test", "xapp-test", "8f742231b10e8888abcd99yyyzzz85a5"
TEAM = "T1"
USERS = {
    "UBOB": User("UBOB", "bob", TEAM),
    "UCAROL": User("UCAROL", "carol", TEAM),
    "UALICE": User("UALICE", "alice", TEAM),
    "UNEW": User("UNEW", "nobody yet", TEAM),
    "UGUEST": User("UGUEST", "guest", "T2"),
    "UBOT": User("UBOT", "robot", TEAM, is_bot=True),
}
CHANNELS = {"CSTEWARDS": "data-stewards", "COTHER": "other"}
LINE = {"type": "section", "text": {"type": "plain_text", "text": "hello"}}


@dataclass
class Clock:
    """Seconds that pass when a test says so."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


def workspace(clock: Callable[[], float] | None = None) -> Workspace:
    return Workspace(TEAM, USERS, CHANNELS, clock or Clock())


@asynccontextmanager
async def double(clock: Callable[[], float] | None = None) -> AsyncIterator[SlackDouble]:
    made = SlackDouble(workspace(clock), BOT, APP, SECRET)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


def modal(*blocks: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A modal with these blocks."""
    title = {"type": "plain_text", "text": "Review"}
    return {"type": "modal", "title": title, "blocks": list(blocks) or [LINE], **members}


def asking(text: str = "Send") -> dict[str, Any]:
    """A modal that asks for a verdict and a reason."""
    option = {"text": {"type": "plain_text", "text": "Deny"}, "value": "DENY"}
    fields = [
        field("verdict", {"type": "radio_buttons", "action_id": "verdict", "options": [option]}),
        field("reason", {"type": "plain_text_input", "action_id": "reason", "max_length": 2000}, optional=True),
    ]
    return modal(*fields, submit={"type": "plain_text", "text": text})


def field(name: str, element: dict[str, Any], **members: Any) -> dict[str, Any]:
    label = {"type": "plain_text", "text": name}
    return {"type": "input", "block_id": name, "label": label, "element": element, **members}


def rich(*texts: str) -> dict[str, Any]:
    runs = [{"type": "text", "text": text} for text in texts]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": runs}]}


def button(action_id: str, value: str = "x", **members: Any) -> dict[str, Any]:
    text = {"type": "plain_text", "text": "Review"}
    return {
        "type": "actions",
        "elements": [{"type": "button", "action_id": action_id, "text": text, "value": value, **members}],
    }
