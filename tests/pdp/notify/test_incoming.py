"""Notices for incoming webhooks: hostile names stay words, in elements that know no markup."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from pdp.notify.incoming import MOST, Format, incoming, trial
from pdp.notify.message import Step

HOSTILE = "*CFO approved* <!channel> [open](https://x) <at>x</at> \u202e"
PAGE = "https://placet.example.com/inbox/approvals/apr_1"
STEP = Step(
    record_id="rec_1",
    event="approval.created",
    at="2026-01-01T00:00:00Z",
    state="PENDING",
    expires_at=datetime(2026, 1, 1, 12, tzinfo=UTC),
    approval_id="apr_1",
    caller="agent:claude",
    request=orjson.dumps(
        {"action": {"name": "pay"}, "resource": {"type": "account", "id": "DE02"}, "context": {"a": 1}}
    ),
    groups=["stewards"],
)


def strings(value: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [found for name, one in value.items() for found in strings(one, f"{path}.{name}")]
    if isinstance(value, list):
        return [found for one in value for found in strings(one, f"{path}[]")]
    return [(path, value)] if isinstance(value, str) else []


def test_slack_gets_rich_text_and_one_link() -> None:
    body = json.loads(incoming(STEP, Format.SLACK, PAGE))
    [section] = body["blocks"][0]["elements"]
    text, _, link = section["elements"]
    assert text["text"] == (
        "agent:claude wants to: pay (account)\nState: PENDING\nUntil: 2026-01-01 12:00 UTC\nApproval: apr_1"
    )
    assert link == {"type": "link", "url": PAGE, "text": "Open in Placet"}
    assert "DE02" not in json.dumps(body)


def test_teams_gets_text_runs_and_one_action() -> None:
    body = json.loads(incoming(STEP, Format.TEAMS, PAGE))
    card = body["attachments"][0]["content"]
    assert [inline["text"] for block in card["body"] for inline in block["inlines"]][1] == "State: PENDING"
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Open in Placet", "url": PAGE}]


@pytest.mark.parametrize(
    ("of", "place"),
    [
        (Format.SLACK, ".blocks[].elements[].elements[].text"),
        (Format.TEAMS, ".attachments[].content.body[].inlines[].text"),
    ],
)
def test_hostile_names_are_literal_and_only_where_no_markup_is_known(of: Format, place: str) -> None:
    request = orjson.dumps({"action": {"name": HOSTILE}, "resource": {"type": HOSTILE, "id": "x"}})
    found = strings(json.loads(incoming(replace(STEP, caller=HOSTILE, request=request), of, PAGE)))
    assert {path for path, text in found if "CFO" in text} == {place}
    assert not any("\u202e" in text for _, text in found)
    assert any("<!channel> [open](https://x)" in text for _, text in found)


def test_long_names_are_shortened_and_a_page_may_be_missing() -> None:
    body = incoming(replace(STEP, caller="x" * 999), Format.SLACK, "").decode()
    assert "x" * (MOST - 1) + "…" in body
    assert "x" * MOST not in body
    assert "link" not in body
    assert b"test message" in trial(Format.TEAMS)
