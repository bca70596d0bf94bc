"""An approval that nobody can review says so, and how to ask anew."""

from pathlib import Path
from typing import Any

import pytest

from pdp.cli.stuck import lines
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval, ApprovalState, EligibleReviewers, GetApprovalResponse, Requirement
from tests.cli.terminal import Terminal
from tests.parts import asking, placet

PENDING = ApprovalState.APPROVAL_STATE_PENDING
POLICY = """package policy

# METADATA
# title: Stewards look at a drop
needs_approval contains {"rule": "drop", "reason": "look at it", "reviewers": {"groups": ["GROUP"]}} if {
	input.action.name == "drop"
}
"""


def answer(
    needs: dict[str, Any], *names: str, is_open: bool = False, state: ApprovalState = PENDING
) -> GetApprovalResponse:
    requirement = Requirement(**{"rule": "drop", "groups": ["stewrds"], "count": 1, **needs})
    return GetApprovalResponse(
        approval=Approval(approval_id="apr_1", state=state, requirements=[requirement]),
        eligible=[EligibleReviewers(rule="drop", identities=names, open=is_open)],
    )


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        (answer({}), "it is stuck: 1 must still review it and the policy names 0 of group stewrds who may  [drop]"),
        (
            answer({"count": 3, "approved": 1}, "user:bob"),
            "it is stuck: 2 must still review it and the policy names 1 ",
        ),
        (answer({}, is_open=True), "it may be stuck: the policy names nobody of group stewrds who may review it, "),
        (answer({"groups": []}, is_open=True), "it may be stuck: the policy names nobody who may review it, "),
    ],
)
def test_too_few_people_are_named_and_the_way_out(seen: GetApprovalResponse, says: str) -> None:
    first, way_out = lines(seen)
    assert first.startswith(says)
    assert way_out.endswith("pdp approvals cancel apr_1")


@pytest.mark.parametrize(
    "seen",
    [
        answer({}, "user:bob"),
        answer({"count": 2}, "user:bob", is_open=True),
        answer({"approved": 1}),
        answer({"count": 900}, *(f"user:{number}" for number in range(100))),
        answer({}, state=ApprovalState.APPROVAL_STATE_DENIED),
        GetApprovalResponse(approval=Approval(state=PENDING)),
    ],
)
def test_where_enough_may_be_there_nothing_is_said(seen: GetApprovalResponse) -> None:
    assert not lines(seen)


async def test_an_approval_of_an_unknown_group_can_be_withdrawn_and_asked_anew(
    state: Path, mongod: MongodProcess, tmp_path: Path
) -> None:
    """The requester's commands say so before the policy is mended and after."""
    about = ("authorize", "--subject", "agent:report-bot", "--on-behalf-of", "user:alice", "--action", "drop")
    asked = (*about, "--resource", "table:t", "--as", "report-bot", "-o", "table", "--explain")
    (tmp_path / "data.json").write_text('{"groups": {"data-stewards": ["user:bob"]}}')
    names, database = "may be stuck: the policy names nobody of group data-stewrds", ""
    for group in ("data-stewrds", "data-stewards"):
        (tmp_path / "policy.rego").write_text(POLICY.replace("GROUP", group))
        async with placet(state, mongod.uri, policy=[tmp_path], database=database) as server:
            database = server.database
            pdp = Terminal(tmp_path, {"PDP_ADDRESS": server.address, "PDP_STATE": str(state)})
            opened = await pdp(*asked)
            assert names in opened.err, opened.err
            held = (await server.authorize(asking("drop", resource={"type": "table", "id": "t"}))).approval.approval_id
            for command in ("show", "wait"):
                more = ("--timeout", "1s") if command == "wait" else ()
                said = await pdp("approvals", command, held, *more, "--as", "report-bot", "-o", "table")
                assert names in said.out + said.err
                assert f"pdp approvals cancel {held}" in said.out + said.err
            if group == "data-stewards":
                await pdp("approvals", "cancel", held, "--as", "report-bot")
                again = await pdp(*asked)
                assert again.status == 11
                assert "stuck" not in again.err
