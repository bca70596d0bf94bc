"""What Slack sends of a click is read strictly, and never raises."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.approval import ReviewVerdict
from pdp.channels.slack.interaction import By, Click, Sent, read
from pdp.channels.slack.notices import DENY, REVIEW

ID = "apr_" + "0" * 32
ABOUT = {"user": {"id": "UBOB", "team_id": "T1"}, "team": {"id": "T1"}}


def click(**changes: Any) -> dict[str, Any]:
    actions = [{"action_id": REVIEW, "value": ID}]
    return {"type": "block_actions", **ABOUT, "trigger_id": "1", "channel": {"id": "C1"}, "actions": actions, **changes}


def sent(**changes: Any) -> dict[str, Any]:
    values = {"verdict": {"verdict": {"selected_option": {"value": "DENY"}}}, "reason": {"reason": {"value": "no"}}}
    metadata = f'{{"approval":"{ID}","token":"t"}}'
    view = {"id": "V1", "private_metadata": metadata, "state": {"values": values}, **changes}
    return {"type": "view_submission", **ABOUT, "view": view}


def test_click_and_verdict() -> None:
    assert read(click()) == Click(By("T1", "T1", "UBOB"), "1", "C1", ID, only_no=False)
    assert By("T1", "T1", "UBOB").account == "slack:T1/UBOB"
    denying = read(click(actions=[{"action_id": DENY, "value": ID}]))
    assert isinstance(denying, Click)
    assert denying.only_no
    found = read(sent())
    assert isinstance(found, Sent)
    assert (found.approval_id, found.token, found.verdict, found.reason) == (ID, "t", ReviewVerdict.DENY, "no")


@pytest.mark.parametrize(
    "payload",
    [
        click(actions=[]),
        click(actions=[{"action_id": "other", "value": ID}]),
        click(actions=[{"action_id": REVIEW, "value": "apr_1"}]),
        click(actions=[{"action_id": REVIEW, "value": ID}] * 2),
        click(user={"id": "bob", "team_id": "T1"}),
        click(user={"id": "UBOB/T2", "team_id": "T1"}),
        click(team=None),
        click(trigger_id=7),
        click(trigger_id="\ud800"),
        sent(id="<x>"),
        {"type": "view_closed", **ABOUT},
        "text",
        None,
    ],
)
def test_what_is_not_ours_is_nothing(payload: Any) -> None:
    assert read(payload) is None


@pytest.mark.parametrize("metadata", ["", "x", "[]", '{"approval":"apr_1","token":"t"}', f'{{"approval":"{ID}"}}', 7])
def test_modal_that_is_not_ours_has_no_token(metadata: Any) -> None:
    found = read(sent(private_metadata=metadata))
    assert isinstance(found, Sent)
    assert (found.approval_id, found.token) == ("", "")


def test_verdict_that_is_none_and_a_long_reason() -> None:
    values: dict[str, Any] = {"verdict": {"verdict": {"selected_option": {"value": "MAYBE"}}}}
    found = read(sent(state={"values": {**values, "reason": {"reason": {"value": "x" * 3000}}}}))
    assert isinstance(found, Sent)
    assert (found.verdict, len(found.reason)) == (None, 2000)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*click(), *sent(), "id"]), inner),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(changed=ANY, name=st.sampled_from(["user", "team", "view", "actions", "channel", "trigger_id"]))
def test_nothing_raises(changed: Any, name: str) -> None:
    for payload in (click(), sent()):
        read({**payload, name: changed})
    read(changed)
