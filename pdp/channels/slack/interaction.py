"""Reads what Slack sends of a click, strictly. What is not ours or not known is dropped. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pdp.approval import ReviewVerdict
from pdp.channels.offer import MAX_REASON
from pdp.channels.slack.notices import DENY, REVIEW

_APPROVAL = re.compile(r"apr_[0-9a-f]{32}")
_ID = re.compile(r"[A-Z0-9]{1,32}")
_VERDICTS = {"APPROVE": ReviewVerdict.APPROVE, "DENY": ReviewVerdict.DENY}


@dataclass(frozen=True, slots=True)
class By:
    """Who clicked, by Slack's ids: the app's team, the user's own team, and the user."""

    team: str
    home: str
    user: str

    @property
    def account(self) -> str:
        """The account of a chat, as identities are written."""
        return f"slack:{self.home}/{self.user}"


@dataclass(frozen=True, slots=True)
class Click:
    """A button of a notice: which approval, whether only to deny. `channel` is where the notice is."""

    by: By
    trigger: str
    channel: str
    approval_id: str
    only_no: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """A modal that was submitted. Without a verdict it had none of ours, or nothing was chosen."""

    by: By
    view_id: str
    view: Mapping[str, Any]
    approval_id: str
    token: str
    verdict: ReviewVerdict | None
    reason: str


def read(payload: Any) -> Click | Sent | None:
    """What a person did; None where that is nothing for us."""
    try:
        if payload["type"] == "block_actions":
            return _click(payload)
        return _sent(payload) if payload["type"] == "view_submission" else None
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None


def _click(payload: Mapping[str, Any]) -> Click | None:
    [action] = payload["actions"]
    if action["action_id"] not in {REVIEW, DENY} or not _APPROVAL.fullmatch(action["value"]):
        return None
    channel = _id((payload.get("channel") or {}).get("id", "")) if "channel" in payload else ""
    return Click(_by(payload), _text(payload["trigger_id"]), channel, action["value"], action["action_id"] == DENY)


def _sent(payload: Mapping[str, Any]) -> Sent:
    view = payload["view"]
    approval_id, token = _bound(view.get("private_metadata", ""))
    values = view.get("state", {}).get("values", {})
    chosen = (values.get("verdict", {}).get("verdict", {}).get("selected_option") or {}).get("value", "")
    reason = values.get("reason", {}).get("reason", {}).get("value") or ""
    verdict = _VERDICTS.get(chosen) if isinstance(chosen, str) else None
    return Sent(_by(payload), _id(view["id"]), view, approval_id, token, verdict, _text(reason)[:MAX_REASON])


def _bound(metadata: Any) -> tuple[str, str]:
    """The approval and the token of a modal; both are empty where it is not one of ours."""
    try:
        held = json.loads(metadata)
        approval_id, token = held["approval"], held["token"]
    except (KeyError, TypeError, ValueError):
        return "", ""
    is_ours = isinstance(approval_id, str) and isinstance(token, str) and _APPROVAL.fullmatch(approval_id)
    return (approval_id, token) if is_ours else ("", "")


def _by(payload: Mapping[str, Any]) -> By:
    user, team = payload["user"], payload["team"]["id"]
    return By(_id(team), _id(user.get("team_id") or team), _id(user["id"]))


def _id(text: Any) -> str:
    if not _ID.fullmatch(text):
        raise ValueError("not an id of Slack")
    return str(text)


def _text(value: Any) -> str:
    """Raises `TypeError` for another thing, and `ValueError` for half of a surrogate pair."""
    if not isinstance(value, str):
        raise TypeError("not a text")
    value.encode()
    return value
