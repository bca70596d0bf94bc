"""Messages for incoming webhooks of Slack and Workflows of Teams: a notice with a link. Pure.

1. It says what the message of a webhook says (`message`), in words: no resource id, no value, no reason.
2. Names of others stand in elements that know no markup: `text` of `rich_text` in Slack, `TextRun` in Teams. What a
   client shows beside them, in a notification, has no word of others.
"""

from collections.abc import Sequence
from datetime import UTC
from enum import StrEnum
from typing import Any

import orjson

from pdp.notify.message import Step
from pdp.visible import shortened

MOST = 80
"""Characters of a name; the page has all of them."""
_OPEN = "Open in Placet"


class Format(StrEnum):
    """What a webhook takes."""

    CLOUDEVENTS = "cloudevents"
    SLACK = "slack"
    TEAMS = "teams"


def incoming(step: Step, of: Format, page: str) -> bytes:
    """The body of a message about a step, in the format of Slack or Teams. `page` may be empty."""
    return orjson.dumps(_FORMS[of](_lines(step), page))


def trial(of: Format) -> bytes:
    """A message without content, to test a webhook."""
    return orjson.dumps(_FORMS[of](["This is a test message."], ""))


def _lines(step: Step) -> Sequence[str]:
    request = orjson.loads(step.request)
    action, kind = request["action"]["name"], request["resource"]["type"]
    caller, does, to = (shortened(name, MOST) for name in (step.caller, action, kind))
    lines = [f"{caller} wants to: {does} ({to})", f"State: {step.state}"]
    if step.expires_at is not None:
        lines.append(f"Until: {step.expires_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC")
    return [*lines, f"Approval: {step.approval_id}"]


def _slack(lines: Sequence[str], page: str) -> dict[str, Any]:
    elements: list[dict[str, Any]] = [{"type": "text", "text": "\n".join(lines)}]
    if page:
        elements += [{"type": "text", "text": "\n"}, {"type": "link", "url": page, "text": _OPEN}]
    section = {"type": "rich_text_section", "elements": elements}
    return {"text": "A message from Placet", "blocks": [{"type": "rich_text", "elements": [section]}]}


def _teams(lines: Sequence[str], page: str) -> dict[str, Any]:
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "fallbackText": "A message from Placet",
        "body": [{"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line}]} for line in lines],
    }
    if page:
        card["actions"] = [{"type": "Action.OpenUrl", "title": _OPEN, "url": page}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


_FORMS = {Format.SLACK: _slack, Format.TEAMS: _teams}
