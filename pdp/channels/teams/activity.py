"""Reads what Teams sends of a click, strictly, once the connector's token is verified. Pure.

1. Of a message whose `serviceUrl` is not that of its token, or that is of another channel or tenant, nothing is read.
2. Who clicked is the object id in Entra (`aadObjectId`). Names, addresses and Teams' own ids are never read.
3. What is not ours or not known is dropped.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from pdp import account
from pdp.approval import ReviewVerdict
from pdp.channels.offer import MAX_REASON
from pdp.channels.teams.cards import ASK, FETCH, NO, SUBMIT
from pdp.errors import Unauthenticated

CHANNEL = "msteams"
"""Teams, as the connector names it."""
_APPROVAL = re.compile(r"apr_[0-9a-f]{32}")
_VERDICTS = {"APPROVE": ReviewVerdict.APPROVE, "DENY": ReviewVerdict.DENY}
_REFUSED = "this is for Microsoft Teams, which signs what it sends"


@dataclass(frozen=True, slots=True)
class By:
    """Who clicked: the account, and whether it is a person of our tenant."""

    account: str
    is_ours: bool


@dataclass(frozen=True, slots=True)
class Click:
    """A button of a notice: which approval, whether only to deny."""

    by: By
    approval_id: str
    only_no: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """A dialog that was submitted. Without a verdict it had none of ours."""

    by: By
    approval_id: str
    token: str
    verdict: ReviewVerdict | None
    reason: str


def read(body: bytes, service_url: str, tenant: str) -> Click | Sent | None:
    """What a person did; None where that is nothing for us.

    `service_url` is that of the message's token. Raises `Unauthenticated` where the token is not of this message, or
    the message not of our tenant, or of nobody.
    """
    try:
        activity = orjson.loads(body)
        _require_ours(activity, service_url, tenant)
        if activity.get("type") != "invoke" or activity.get("name") not in {FETCH, SUBMIT}:
            return None
        by = _by(activity["from"], tenant)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise Unauthenticated(_REFUSED) from None
    try:
        held = activity["value"]["data"]
        return _click(by, held) if activity["name"] == FETCH else _sent(by, held)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _require_ours(activity: Any, service_url: str, tenant: str) -> None:
    """Raise `ValueError` unless a message is that of its token, from Teams and from our tenant."""
    if activity["serviceUrl"] != service_url:
        raise ValueError("the token is for another message")
    said = [activity.get("channelData", {}).get("tenant", {}).get("id"), activity["conversation"].get("tenantId")]
    tenants = {one.lower() for one in said if one is not None}
    if activity["channelId"] != CHANNEL or tenants != {tenant}:
        raise ValueError("it is of another channel or tenant")


def _by(sender: Mapping[str, Any], tenant: str) -> By:
    home = sender.get("tenantId", tenant).lower()
    is_ours = home == tenant and sender.get("role", "user") == "user"
    return By(account.of_teams(home, sender["aadObjectId"]), is_ours)


def _click(by: By, held: Mapping[str, Any]) -> Click | None:
    if held["placet"] not in {ASK, NO} or not _APPROVAL.fullmatch(held["approval"]):
        return None
    return Click(by, held["approval"], held["placet"] == NO)


def _sent(by: By, held: Mapping[str, Any]) -> Sent:
    approval_id, token = _text(held.get("approval", "")), _text(held.get("token", ""))
    is_ours = _APPROVAL.fullmatch(approval_id) is not None
    verdict = _VERDICTS.get(_text(held.get("verdict", "")))
    reason = _text(held.get("reason") or "")[:MAX_REASON]
    return Sent(by, approval_id if is_ours else "", token if is_ours else "", verdict, reason)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
