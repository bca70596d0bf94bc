"""A Slack workspace with one app, in memory: its people, messages and modals, by Slack's documented rules.

`now` is seconds of a clock of the one who makes it, so that tests move the time.
"""

import copy
import itertools
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pdp.dev.slack import rules

TRIGGER_SECONDS = 3.0
"""Seconds for which a click opens a modal, once."""
VIEW_SECONDS = 24 * 3600.0
"""Seconds for which an open modal takes changes."""
POSTS_EVERY = 1.0
"""Seconds between two messages in one channel."""
CALLS_A_MINUTE = 100
"""Calls of one method in a minute."""


class Failed(Exception):
    """A call that Slack refuses: `error` is its word, `retry_after` the seconds of a rate limit."""

    def __init__(self, error: str, retry_after: int = 0) -> None:
        super().__init__(error)
        self.error, self.retry_after = error, retry_after


@dataclass(frozen=True, slots=True)
class User:
    """Somebody in the workspace. Those of another team are guests of a shared channel."""

    id: str
    name: str
    team: str
    is_bot: bool = False


@dataclass(slots=True)
class Message:
    """A message. With `only` it is seen by one person."""

    channel: str
    ts: str
    text: str
    blocks: list[dict[str, Any]]
    thread: str = ""
    only: str = ""
    before: list[list[dict[str, Any]]] = field(default_factory=list)
    """What it showed before each of its edits, oldest first."""

    @property
    def edits(self) -> int:
        """How often it was edited."""
        return len(self.before)

    @property
    def shown(self) -> list[list[dict[str, Any]]]:
        """Everything that it has shown, in order; the last is what it shows now."""
        return [*self.before, self.blocks]


@dataclass(slots=True)
class Opened:
    """A modal that one person has open, and what that person typed and ticked in it, by the `action_id`."""

    id: str
    user: str
    view: dict[str, Any]
    at: float
    hash: str = ""
    is_closed: bool = False
    typed: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Trigger:
    user: str
    at: float
    is_used: bool = False


@dataclass(slots=True)
class Workspace:
    """A team with its people and channels, as one app sees and changes them."""

    team: str
    users: Mapping[str, User]
    channels: Mapping[str, str]
    now: Callable[[], float]
    app: str = "APLACET"
    calls_a_minute: int = CALLS_A_MINUTE
    messages: list[Message] = field(default_factory=list)
    views: dict[str, Opened] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    """Channels, and the error that posts to them meet from now on: `not_in_channel`."""
    _triggers: dict[str, _Trigger] = field(default_factory=dict)
    posted: dict[str, float] = field(default_factory=dict)
    _calls: dict[str, deque[float]] = field(default_factory=dict)
    _count: Any = field(default_factory=lambda: itertools.count(1))

    def call(self, method: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """A call of the Web API with the bot's token. Raises `Failed`."""
        known = {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post,
            "chat.postEphemeral": self._whisper,
            "chat.update": self._update,
            "views.open": self._open,
            "views.update": self._change,
        }
        if method not in known:
            raise Failed("unknown_method")
        self._require_pace(method)
        return {"ok": True, **known[method](given)}

    def trigger(self, user: str) -> str:
        """A click by a person: with its id the app may open one modal for that person."""
        trigger = f"{next(self._count)}.{secrets.token_hex(8)}"
        self._triggers[trigger] = _Trigger(user, self.now())
        return trigger

    def of_user(self, user: str) -> list[Message]:
        """The messages that a person sees, oldest first."""
        seen = {direct(user), *self.channels}
        return [one for one in self.messages if one.channel in seen and one.only in {"", user}]

    def open_view(self, user: str) -> Opened | None:
        """The modal that a person looks at."""
        mine = [one for one in self.views.values() if one.user == user and not one.is_closed]
        return mine[-1] if mine else None

    def put(self, opened: Opened, view: Mapping[str, Any]) -> None:
        """Put another content into a modal. Raises `Failed`."""
        if problem := rules.of_view(view):
            raise Failed(problem)
        opened.view, opened.hash = _with_ids(view, self._count), secrets.token_hex(8)

    def told(self, opened: Opened) -> dict[str, Any]:
        """A modal as Slack tells the app of it."""
        members = {"id": opened.id, "hash": opened.hash, "team_id": self.team, "app_id": self.app}
        return {"private_metadata": "", "callback_id": "", **copy.deepcopy(opened.view), **members}

    def _auth_test(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"team_id": self.team, "user_id": "UPLACET", "bot_id": "BPLACET"}

    def _post(self, given: Mapping[str, Any]) -> dict[str, Any]:
        message = self._message(given)
        self._require_turn(message.channel)
        self.messages.append(message)
        return {"channel": message.channel, "ts": message.ts}

    def _whisper(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if given.get("user") not in self.users:
            raise Failed("user_not_in_channel")
        message = self._message(given)
        message.only = given["user"]
        self.messages.append(message)
        return {"message_ts": message.ts}

    def _update(self, given: Mapping[str, Any]) -> dict[str, Any]:
        found = [one for one in self.messages if (one.channel, one.ts) == (given.get("channel"), given.get("ts"))]
        if not found or found[0].only:
            raise Failed("message_not_found")
        changed = self._message(given)
        found[0].before.append(found[0].blocks)
        found[0].text, found[0].blocks = changed.text, changed.blocks
        return {"channel": found[0].channel, "ts": found[0].ts}

    def _open(self, given: Mapping[str, Any]) -> dict[str, Any]:
        trigger = self._triggers.get(given.get("trigger_id", ""))
        if trigger is None:
            raise Failed("invalid_trigger_id")
        if trigger.is_used:
            raise Failed("exchanged_trigger_id")
        if self.now() - trigger.at > TRIGGER_SECONDS:
            raise Failed("expired_trigger_id")
        opened = Opened(f"V{next(self._count):08}", trigger.user, {}, self.now())
        self.put(opened, given.get("view", {}))
        trigger.is_used = True
        self.views[opened.id] = opened
        return {"view": self.told(opened)}

    def _change(self, given: Mapping[str, Any]) -> dict[str, Any]:
        opened = self.views.get(given.get("view_id", ""))
        if opened is None or opened.is_closed or self.now() - opened.at > VIEW_SECONDS:
            raise Failed("not_found")
        if given.get("hash", opened.hash) != opened.hash:
            raise Failed("hash_conflict")
        self.put(opened, given.get("view", {}))
        return {"view": self.told(opened)}

    def _message(self, given: Mapping[str, Any]) -> Message:
        channel, text, blocks = given.get("channel", ""), given.get("text", ""), given.get("blocks", [])
        known = {*self.users, *self.channels, *map(direct, self.users)}
        if problem := self.refused.get(channel, "" if channel in known else "channel_not_found"):
            raise Failed(problem)
        if problem := rules.of_message(text, blocks):
            raise Failed(problem)
        body = _with_ids({"blocks": blocks}, self._count)["blocks"]
        ts = f"{1_700_000_000 + next(self._count)}.{secrets.randbelow(10**6):06}"
        place = direct(channel) if channel in self.users else channel
        return Message(place, ts, text, body, given.get("thread_ts", ""))

    def _require_turn(self, channel: str) -> None:
        if self.now() - self.posted.get(channel, -POSTS_EVERY) < POSTS_EVERY:
            raise Failed("ratelimited", 1)
        self.posted[channel] = self.now()

    def _require_pace(self, method: str) -> None:
        calls = self._calls.setdefault(method, deque())
        while calls and self.now() - calls[0] > 60:  # noqa: PLR2004  # seconds of a minute
            calls.popleft()
        if len(calls) >= self.calls_a_minute:
            raise Failed("ratelimited", int(61 - (self.now() - calls[0])))
        calls.append(self.now())


def direct(user: str) -> str:
    """The channel of the messages between the app and a person."""
    return f"D{user[1:]}"


def _with_ids(view: Mapping[str, Any], count: Any) -> dict[str, Any]:
    """The content with an id for each block that has none, as Slack gives them."""
    made: dict[str, Any] = copy.deepcopy(dict(view))
    for block in made["blocks"]:
        block.setdefault("block_id", f"b{next(count)}")
    return made
