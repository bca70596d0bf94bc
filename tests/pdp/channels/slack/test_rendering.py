"""What one person is shown in a modal: all or nothing, literal, at the limits; slack_sdk's own validation takes it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from pdp.approval import ApprovalAt, State
from pdp.channel import Channel
from pdp.channels.notice import Aim, Ending, Note, Notice, Part, Reviewed, said
from pdp.channels.notice_lines import fallback
from pdp.channels.offer import offer
from pdp.channels.slack import notices, parsed, rendering
from pdp.channels.wording import notice_of
from pdp.dev.slack import rules
from pdp.requirement import Requirement
from pdp.v1.approval_pb2 import Approval, GetApprovalResponse
from pdp.v1.request_pb2 import Request
from pdp.view.shown import Shown, of_answer
from tests.pdp.channels.approvals import PAGE, shown
from tests.pdp.specimens import T0, approval

ASKED = (Requirement("chat", "read it", channels=(Channel.SLACK,)),)


def drawn(asked: Shown, token: str = "t" * 43) -> dict[str, Any]:
    return rendering.view(asked, offer(asked, ASKED, Channel.SLACK), "user:bob", token)


def is_taken(view: dict[str, Any]) -> None:
    """By the double's rules and by slack_sdk's."""
    assert not rules.of_view(view)
    View(**view).validate_json()
    for block in view["blocks"]:
        parse(block)


def parse(block: dict[str, Any]) -> None:
    found = Block.parse(block)
    assert found is not None
    found.validate_json()


def test_who_may_not_review_is_told_why() -> None:
    asked = of_answer(
        GetApprovalResponse(
            approval=Approval(request=json_format.ParseDict({"action": {"name": "x"}}, Request())),
            may_not_review_because="you have reviewed it",
            may_not_review_reason="ALREADY_REVIEWED",
        )
    )
    view = rendering.view(asked, offer(asked, ASKED, Channel.SLACK), "user:bob", "t")
    assert "submit" not in view
    assert "you have reviewed it" in json.dumps(view)


@settings(max_examples=60, deadline=None)
@given(
    context=st.dictionaries(st.text(min_size=1, max_size=40), st.text(max_size=200) | st.integers(-9, 9), max_size=12),
    justification=st.text(max_size=100),
)
def test_any_request_is_taken_by_slack_and_every_leaf_is_in_it(context: dict[str, Any], justification: str) -> None:
    asked = shown(context, justification=justification)
    view = drawn(asked)
    is_taken(view)
    if offer(asked, ASKED, Channel.SLACK).whole:
        said = list(rules.texts(view["blocks"]))
        for item in asked.request:
            assert any(item.text in one for one in said)


def test_what_differs_looks_different_and_what_slack_adds_does_not() -> None:
    one, other = drawn(shown({"k": "a"})), drawn(shown({"k": "b"}))
    assert parsed.rendered(one) != parsed.rendered(other)
    back = json.loads(json.dumps(one))
    back |= {"id": "V1", "hash": "h", "team_id": "T1", "state": {"values": {}}, "external_id": "", "root_view_id": "V1"}
    for block in back["blocks"]:
        if block["type"] == "input":
            block |= {"dispatch_action": False}
            block["element"]["dispatch_action_config"] = {"trigger_actions_on": ["on_enter_pressed"]}
            block["label"]["emoji"] = True
    assert parsed.rendered(back) == parsed.rendered(one)
    back["blocks"][0]["elements"][0]["elements"][-1]["style"] = {"strike": True}
    assert parsed.rendered(back) != parsed.rendered(one)


def test_escapes_of_slack_are_undone_once() -> None:
    view = drawn(shown({"k": "<a & &lt;b>"}))
    back = json.loads(json.dumps(view).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
    assert parsed.rendered(view) in parsed.came_back(view) & parsed.came_back(back)
    assert parsed.rendered(view) not in parsed.came_back(drawn(shown({"k": "<a & <b>"})))


def notice(**changes: Any) -> Notice:
    members: dict[str, Any] = {
        "aim": Aim.ASK,
        "approval_id": "apr_" + "0" * 32,
        "version": 1,
        "state": "PENDING",
        "action": said("*CFO approved* <!channel>"),
        "resource_type": "table",
        "caller": "agent:bot",
        "progress": (Part("export", 1, 2),),
        "reviews": (Reviewed("user:bob", "APPROVE", "slack"),),
        "ends_at": datetime(2026, 11, 30, tzinfo=UTC),
        "page": PAGE,
    }
    return Notice(**{**members, **changes})


def test_notice_waits_with_three_buttons_and_ends_with_one() -> None:
    asked = notices.blocks(notice())
    buttons = [one["action_id"] for block in asked if block["type"] == "actions" for one in block["elements"]]
    assert buttons == [notices.REVIEW, notices.DENY, notices.OPEN]
    assert fallback(notice()) == "A request waits for review"
    ending = Ending("no <!here>", None, datetime(2026, 11, 30, tzinfo=UTC), "ask again")
    for ended in (notice(state="DENIED", ends_at=None, ended_by="user:bob"), notice(aim=Aim.END, ending=ending)):
        shut = notices.blocks(ended)
        assert [one["action_id"] for block in shut if block["type"] == "actions" for one in block["elements"]] == [
            notices.OPEN
        ]
    for message in (notice(), notice(page=""), notice(aim=Aim.END, ending=ending), Note("three wait", PAGE)):
        made = notices.blocks(message)
        assert not rules.of_message(fallback(message), made)
        assert not [text for block in made for text in json.dumps(block).split('"mrkdwn"')[1:]]
        for block in made:
            parse(block)


@pytest.mark.parametrize("aim", Aim)
@pytest.mark.parametrize("state", State)
def test_notice_of_any_state_is_taken_and_says_how_to_go_on(state: State, aim: Aim) -> None:
    message = notice_of(ApprovalAt(approval(state, closed_at=T0, approved_at=T0), T0), aim, PAGE)
    made = notices.blocks(message)
    assert not rules.of_message(fallback(message), made)
    for block in made:
        parse(block)
    assert state is State.PENDING or message.ending is None or message.ending.again
    if message.ending:
        wordless = replace(message, ending=replace(message.ending, again=""))
        assert not rules.of_message(fallback(message), notices.blocks(wordless))


def nested(depth: int) -> Any:
    made: Any = "x"
    for _ in range(depth):
        made = [made]
    return made


@pytest.mark.parametrize(
    "value", [2**70, -(2**70), "\ud800", nested(5000), float("nan")], ids=["big", "low", "half", "deep", "nan"]
)
def test_what_no_modal_can_hold_is_not_what_was_rendered(value: Any) -> None:
    """Over Socket Mode numbers of any size and halves of surrogate pairs arrive."""
    view = drawn(shown({"k": "a"}))
    assert parsed.rendered(view) not in parsed.came_back({**view, "blocks": [*view["blocks"], {"x": value}]})
