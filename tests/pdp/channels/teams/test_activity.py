"""What Teams sends is read strictly: of our tenant, by the object id in Entra, and only where its token is its own."""

import json
from typing import Any

import pytest

from pdp.channels.teams.activity import By, Click, Sent, read
from pdp.errors import Unauthenticated
from tests.teams import ELSEWHERE, PEOPLE, SERVICE, TENANT, TeamsDouble, account

APPROVAL = "apr_" + "0" * 32
ASKED = {"msteams": {"type": "task/fetch"}, "placet": "review", "approval": APPROVAL}
GIVEN = {"placet": "verdict", "verdict": "APPROVE", "approval": APPROVAL, "token": "t", "reason": "why"}
BOB = By(account("bob"), is_ours=True)


def taken(name: str = "task/fetch", data: Any = None, **changes: Any) -> Click | Sent | None:
    activity = TeamsDouble.activity(TeamsDouble.__new__(TeamsDouble), name, ASKED if data is None else data, **changes)
    return read(json.dumps(activity).encode(), SERVICE, TENANT)


def test_click_and_verdict_are_read() -> None:
    assert taken() == Click(BOB, APPROVAL, only_no=False)
    assert taken(data={**ASKED, "placet": "deny"}) == Click(BOB, APPROVAL, only_no=True)
    sent = taken("task/submit", GIVEN)
    assert isinstance(sent, Sent)
    assert (sent.by, sent.approval_id, sent.token, sent.reason) == (BOB, APPROVAL, "t", "why")
    assert taken("task/submit", {**GIVEN, "verdict": "PERHAPS"}) == Sent(BOB, APPROVAL, "t", None, "why")
    assert taken("task/submit", {**GIVEN, "approval": "apr_1"}) == Sent(BOB, "", "", sent.verdict, "why")


def test_ids_have_no_case() -> None:
    sender = {"id": "29:bob", "aadObjectId": PEOPLE["bob"].upper(), "tenantId": TENANT.upper()}
    assert taken(**{"from": sender}) == Click(BOB, APPROVAL, only_no=False)


@pytest.mark.parametrize(
    "changes",
    [
        {"serviceUrl": "https://smba.trafficmanager.net/amer/"},
        {"serviceUrl": None},
        {"channelId": "webchat"},
        {"conversation": {"id": "a:b", "tenantId": ELSEWHERE}},
        {"channelData": {"tenant": {"id": ELSEWHERE}}},
        {"conversation": {"id": "a:b"}, "channelData": {}},
        {"channelData": []},
        {"from": {"id": f"29:{PEOPLE['bob']}", "name": "bob"}},
        {"from": {"id": PEOPLE["bob"], "aadObjectId": None}},
        {"from": {"id": PEOPLE["bob"], "aadObjectId": "bob@example.com"}},
        {"from": {"id": PEOPLE["bob"], "aadObjectId": ["x"]}},
        {"from": "bob"},
    ],
)
def test_what_is_of_another_message_tenant_or_of_nobody_is_refused(changes: dict[str, Any]) -> None:
    for name, data in (("task/fetch", ASKED), ("task/submit", GIVEN)):
        with pytest.raises(Unauthenticated):
            taken(name, data, **changes)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"\xff", b'{"type": "invoke"}'])
def test_what_is_no_activity_is_refused(body: bytes) -> None:
    with pytest.raises(Unauthenticated):
        read(body, SERVICE, TENANT)


@pytest.mark.parametrize("changes", [{"type": "message"}, {"type": "conversationUpdate", "from": {"id": "29:x"}}])
def test_what_is_not_known_is_dropped(changes: dict[str, Any]) -> None:
    assert taken(**changes) is None


@pytest.mark.parametrize("data", [[], "x", {"placet": "review"}, {**ASKED, "approval": 7}, {**ASKED, "placet": "x"}])
def test_click_that_is_not_ours_is_dropped(data: Any) -> None:
    assert taken(data=data) is None


@pytest.mark.parametrize("name", ["token", "verdict", "reason", "approval"])
def test_verdict_with_another_thing_than_texts_is_dropped(name: str) -> None:
    assert taken("task/submit", {**GIVEN, name: {"$gt": ""}}) is None


def test_bot_and_guest_are_not_of_our_tenant() -> None:
    for further in ({"role": "bot"}, {"tenantId": ELSEWHERE}):
        done = taken(**{"from": {"id": "29:bob", "aadObjectId": PEOPLE["bob"], **further}})
        assert done is not None
        assert not done.by.is_ours
