from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from pdp.approval import (
    TRANSITIONS,
    Approval,
    ApprovalAt,
    Review,
    ReviewVerdict,
    State,
    transition,
)
from pdp.caller import Caller
from pdp.obstacle import obstacle
from pdp.quorum import (
    Eligibility,
    PolicyReview,
    barred,
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


ORDER = (
    "REVIEWER_IS_REQUESTER",
    "PERSON_REQUIRED",
    "REVIEWER_NOT_ELIGIBLE",
    "APPROVAL_NOT_PENDING",
    "ALREADY_REVIEWED",
)
"""The most lasting obstacle is named first."""


@pytest.mark.parametrize("verdict", ReviewVerdict)
@pytest.mark.parametrize("state", State)
def test_obstacle_is_the_most_lasting_of_all_that_are_there(state: State, verdict: ReviewVerdict) -> None:
    takes = state is State.PENDING or (state is State.APPROVED and verdict is ReviewVerdict.DENY)
    for requester, is_person, fits, reviewed in product((False, True), repeat=4):
        there = {
            "REVIEWER_IS_REQUESTER": requester,
            "PERSON_REQUIRED": not is_person,
            "REVIEWER_NOT_ELIGIBLE": not fits,
            "APPROVAL_NOT_PENDING": not takes,
            "ALREADY_REVIEWED": reviewed,
        }
        reviews = (review_of("bob"),) if reviewed else ()
        held = ApprovalAt(replace(approval(state, approved_at=T0), reviews=reviews), T0)
        answer = PolicyReview((person("bob", *((0,) if fits else ())),), frozenset(["user:bob"] * requester), "r1")
        caller = Caller("user:bob", "person" if is_person else "workload", frozenset(), (), b"{}")
        found = obstacle(held, answer, caller, verdict)
        assert (found.code if found else None) == next((code for code in ORDER if there[code]), None)
        assert found is None or found.is_personal == (found.code in ORDER[:3])


def review_of(name: str, as_person: str = "") -> Review:
    identity = f"user:{name}"
    return Review(identity, as_person or identity, (), ReviewVerdict.APPROVE, "", T0, (0,))


@pytest.mark.parametrize(
    ("principals", "today", "identity"),
    [
        (("user:bob",), (), "user:bob"),
        ((), ("user:bob",), "user:bob"),
        (("user:bob",), (), "slack:U1"),
        ((), ("user:bob",), "slack:U1"),
        (("slack:U1",), (), "slack:U1"),
    ],
)
def test_requester_is_barred_under_each_name_frozen_or_of_today(
    principals: tuple[str, ...], today: tuple[str, ...], identity: str
) -> None:
    held = replace(approval(State.PENDING), principals=principals)
    answer = PolicyReview((person("bob", 0, as_identity=identity),), frozenset(today), "r1")
    assert barred(held, answer) == {*principals, *today}
    found = obstacle(ApprovalAt(held, T0), answer, Caller(identity, "person", frozenset(), (), b"{}"))
    assert found is not None
    assert found.code == "REVIEWER_IS_REQUESTER"


@pytest.mark.parametrize("before", [review_of("bob"), review_of("bobs-chat", "user:bob")])
def test_person_has_one_review_whatever_the_identity(before: Review) -> None:
    held = ApprovalAt(replace(approval(State.PENDING), reviews=(before,)), T0)
    answer = PolicyReview((person("bob", 0, as_identity="slack:U1"),), frozenset(), "r1")
    found = obstacle(held, answer, Caller("slack:U1", "person", frozenset(), (), b"{}"))
    assert found is not None
    assert found.code == "ALREADY_REVIEWED"


def test_overdue_approval_takes_no_review_although_nobody_has_written_that_down() -> None:
    held = ApprovalAt(approval(State.PENDING), T0 + timedelta(seconds=10))
    answer = PolicyReview((person("bob", 0),), frozenset(), "r1")
    found = obstacle(held, answer, Caller("user:bob", "person", frozenset(), (), b"{}"))
    assert found is not None
    assert found.code == "APPROVAL_NOT_PENDING"


@pytest.mark.parametrize("verdict", ReviewVerdict)
@pytest.mark.parametrize("state", State)
def test_only_a_denial_that_asks_for_changes_was_sent_back(state: State, verdict: ReviewVerdict) -> None:
    held = replace(approval(state), reviews=(review_of("carol"), replace(review_of("bob"), verdict=verdict)))
    assert held.was_sent_back == (state is State.DENIED and verdict is ReviewVerdict.CHANGES_REQUESTED)
    assert not replace(held, reviews=()).was_sent_back
