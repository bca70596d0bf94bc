from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from pdp.approval import (
    TRANSITIONS,
    Approval,
    Eligibility,
    Review,
    ReviewVerdict,
    State,
    approvals_per_requirement,
    approvers,
    satisfied,
    transition,
)
from pdp.requirement import Requirement
from pdp.v1.approval_pb2 import ApprovalState, Verdict

T0 = datetime(2026, 1, 1, tzinfo=UTC)
ALLOWED = {
    (State.PENDING, State.APPROVED),
    (State.PENDING, State.DENIED),
    (State.PENDING, State.EXPIRED),
    (State.PENDING, State.CANCELLED),
    (State.APPROVED, State.CONSUMED),
    (State.APPROVED, State.EXPIRED),
    (State.APPROVED, State.REVOKED),
    (State.APPROVED, State.VOIDED),
}


def requirement(count: int = 1, pending_ms: int = 10_000, valid_ms: int = 5_000) -> Requirement:
    return Requirement("r", "because", ("stewards",), (), count, pending_ms, valid_ms)


def person(name: str, *fits: int, as_identity: str = "") -> Eligibility:
    return Eligibility(as_identity or f"user:{name}", f"user:{name}", fits)


def approval(state: State, *requirements: Requirement, approved_at: datetime | None = None) -> Approval:
    return Approval(
        id="apr_1",
        version=1,
        state=state,
        caller="agent:bot",
        request=b"{}",
        digest="d",
        justification="",
        requirements=requirements or (requirement(),),
        principals=("agent:bot",),
        decision_id="dec_1",
        policy_revision="r1",
        created_at=T0,
        approved_at=approved_at,
    )


@pytest.mark.parametrize(("before", "after"), list(product(State, State)), ids=str)
def test_table_has_these_steps_and_no_other(before: State, after: State) -> None:
    if (before, after) in ALLOWED:
        assert transition(before, after) is after
    else:
        with pytest.raises(ValueError, match=f"no transition {before} -> {after}"):
            transition(before, after)


def test_table_names_every_state_and_the_contract_has_the_same() -> None:
    assert set(TRANSITIONS) == set(State)
    names = {name.removeprefix("APPROVAL_STATE_") for name in list(ApprovalState.keys())}
    assert names - {"UNSPECIFIED"} == {str(state) for state in State}
    verdicts = {name.removeprefix("VERDICT_") for name in list(Verdict.keys())}
    assert verdicts - {"UNSPECIFIED"} == {str(verdict) for verdict in ReviewVerdict}


ONE, TWO, THREE = (requirement(count) for count in (1, 2, 3))
BOB, CAROL, DAVE = (person(name, 0) for name in ("bob", "carol", "dave"))


@pytest.mark.parametrize(
    ("requirements", "approving", "principals", "counts", "is_satisfied"),
    [
        ([], [], [], [], False),
        ([], [person("bob")], [], [], False),
        ([ONE], [], [], [0], False),
        ([ONE], [BOB], [], [1], True),
        ([TWO], [BOB], [], [1], False),
        ([TWO], [BOB, CAROL], [], [2], True),
        ([TWO], [BOB, CAROL, DAVE], [], [3], True),
        ([TWO], [BOB, BOB], [], [1], False),
        ([TWO], [BOB, person("bob", 0, as_identity="slack:U1")], [], [1], False),
        ([ONE], [person("bob")], [], [0], False),
        ([ONE], [BOB], ["user:bob"], [0], False),
        ([ONE], [person("bob", 0, as_identity="slack:U1")], ["slack:U1"], [0], False),
        ([ONE], [person("bob", 0, as_identity="slack:U1")], ["user:bob"], [0], False),
        ([ONE], [BOB], ["user:bo", "bob", "user:bob2"], [1], True),
        ([TWO], [BOB, CAROL], ["user:carol"], [1], False),
        ([ONE, ONE], [BOB], [], [1, 0], False),
        ([ONE, ONE], [person("bob", 0, 1)], [], [1, 1], True),
        ([TWO, ONE], [person("bob", 0, 1), CAROL], [], [2, 1], True),
        ([TWO, TWO], [person("bob", 0, 1), person("carol", 0, 1)], [], [2, 2], True),
        ([ONE, ONE], [person("bob", 1, 1, 1)], [], [0, 1], False),
        ([THREE, ONE], [BOB, CAROL, person("dave", 1)], [], [2, 1], False),
    ],
)
def test_people_are_counted_once_in_each_requirement_they_fit(
    requirements: list[Requirement],
    approving: list[Eligibility],
    principals: list[str],
    counts: list[int],
    *,
    is_satisfied: bool,
) -> None:
    assert approvals_per_requirement(requirements, approving, principals) == counts
    assert satisfied(requirements, approving, principals) is is_satisfied
    assert satisfied(requirements, approving[::-1], principals) is is_satisfied


def test_one_more_approver_never_takes_an_approval_away() -> None:
    people = [person(f"p{index}", 0) for index in range(6)]
    seen = [satisfied([requirement(3)], people[:count], []) for count in range(7)]
    assert seen == [False] * 3 + [True] * 4


def test_only_approving_reviews_approve() -> None:
    def review(name: str, verdict: ReviewVerdict) -> Review:
        return Review(f"user:{name}", f"user:{name}", (), verdict, "", T0, (0,))

    base = approval(State.PENDING)
    reviews = (review("bob", ReviewVerdict.APPROVE), review("carol", ReviewVerdict.DENY))
    reviewed = replace(base, reviews=reviews)
    assert approvers(reviewed) == [person("bob", 0)]


def test_shortest_of_several_requirements_counts() -> None:
    several = approval(State.PENDING, requirement(1, 10_000, 5_000), requirement(1, 7_000, 9_000))
    assert (several.pending_for_ms, several.valid_for_ms) == (7_000, 5_000)


MS = timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("state", "approved_at", "age", "expected"),
    [
        (State.PENDING, None, timedelta(0), State.PENDING),
        (State.PENDING, None, timedelta(seconds=10) - MS, State.PENDING),
        (State.PENDING, None, timedelta(seconds=10), State.EXPIRED),
        (State.PENDING, None, timedelta(days=1000), State.EXPIRED),
        (State.PENDING, None, timedelta(days=-1), State.PENDING),
        (State.APPROVED, T0 + timedelta(seconds=9), timedelta(seconds=14) - MS, State.APPROVED),
        (State.APPROVED, T0 + timedelta(seconds=9), timedelta(seconds=14), State.EXPIRED),
        *((end, T0, timedelta(days=1000), end) for end in State if not TRANSITIONS[end]),
    ],
)
def test_state_counts_a_deadline_that_nobody_has_written_down(
    state: State, approved_at: datetime | None, age: timedelta, expected: State
) -> None:
    assert approval(state, approved_at=approved_at).state_at(T0 + age) is expected


@pytest.mark.parametrize("state", State)
def test_only_what_may_expire_has_a_time_for_it(state: State) -> None:
    expires = approval(state, approved_at=T0).expires_at
    assert (expires is not None) == (State.EXPIRED in TRANSITIONS[state])
