"""Who may call a route, and what an answer is on the wire."""

from typing import Any

import pytest

from pdp.caller import Caller, Role
from pdp.errors import NotAllowed
from pdp.http.route import Answer, Call, Route

BATCH = "pdp.v1.DecisionService/BatchAuthorize"


async def behave(_: Call) -> Answer:
    return Answer({})


@pytest.mark.parametrize(
    ("roles", "may_search", "searches", "reason"),
    [
        ({Role.REQUESTER}, False, False, ""),
        ({Role.REQUESTER}, True, True, ""),
        ({Role.REQUESTER}, False, True, "SEARCH_NOT_ALLOWED"),
        ({Role.AUDITOR}, True, True, "ROLE_REQUIRED"),
        (set(), True, False, "ROLE_REQUIRED"),
    ],
)
def test_search_takes_the_role_and_the_privilege(
    *, roles: set[Role], may_search: bool, searches: bool, reason: str
) -> None:
    caller = Caller("agent:bot", "workload", frozenset(roles), (), b"{}", may_search=may_search)
    route = Route("POST", "/a", BATCH, behave, searches=searches)
    if not reason:
        route.admit(caller)
        return
    with pytest.raises(NotAllowed) as caught:
        route.admit(caller)
    assert caught.value.reason == reason


@pytest.mark.parametrize(("content", "body"), [({"a": 1}, b'{"a":1}'), (b"as it is", b"as it is")])
def test_bytes_leave_as_they_are_and_all_else_as_json(content: Any, body: bytes) -> None:
    assert Answer(content).body == body
