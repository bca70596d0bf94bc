"""The Slack of `pdp dev --slack`: a double of Slack with the demo people, which listens on this machine alone."""

import secrets
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from pdp.dev import identity
from pdp.dev.slack.service import SlackDouble
from pdp.dev.slack.workspace import User, Workspace
from pdp.slack_settings import SlackSettings

PORT = 4781
"""Where its page is, unless another program listens there."""
TEAM, CHANNEL = "TDEV", "CSTEWARDS"
GROUP = "data-stewards"
"""The group that has a channel."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A double that runs, and what the server is told of it. `is_elsewhere`: the port that was wanted is taken."""

    url: str
    is_elsewhere: bool
    settings: SlackSettings
    people: Path
    """A folder of policy data: whose account is whose."""


@asynccontextmanager
async def chat(state: Path, *, port: int = 0) -> AsyncIterator[Chat]:
    """Run a double until the block ends. Its tokens are new, and files in `state` that only their owner reads."""
    folder = state / "slack"
    folder.mkdir(exist_ok=True)
    people = [person.sub for person in identity.PEOPLE.values() if person.type == "user"]
    users = {_id(name): User(_id(name), name, TEAM) for name in people}
    tokens = {name: _secret(folder / name) for name in ("bot_token", "app_token")}
    data = folder / "people"
    data.mkdir(exist_ok=True)
    accounts = {f"slack:{TEAM}/{_id(name)}": {"same_as": [f"user:{name}"]} for name in people}
    (data / "data.json").write_bytes(orjson.dumps({"identities": accounts}))
    double = SlackDouble(Workspace(TEAM, users, {CHANNEL: GROUP}, time.monotonic), **tokens)
    is_elsewhere = port != 0 and not _is_free(port)
    await double.start(0 if is_elsewhere else port)
    try:
        settings = SlackSettings(
            team=TEAM, bot_token=folder / "bot_token", app_token=folder / "app_token", channels={GROUP: CHANNEL}
        )
        yield Chat(double.url, is_elsewhere, settings, data)
    finally:
        await double.stop()


def _id(name: str) -> str:
    return f"U{name.upper()}"


def _secret(path: Path) -> str:
    token = secrets.token_urlsafe(32)
    path.touch(mode=0o600)
    path.write_text(token)
    return token


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) != 0
