from dataclasses import replace

import pytest

from pdp.approval import (
    TRANSITIONS,
    Review,
    ReviewVerdict,
    State,
)
from pdp.quorum import (
    Eligibility,
    after_verdict,
    approvals_per_requirement,
    approvers,
    satisfied,
    suggesters,
)
from pdp.requirement import Requirement
from tests.pdp.test_approval import T0, approval, person, requirement, review_of

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


@pytest.mark.parametrize(
    ("state", "count", "earlier", "verdict", "after"),
    [
        (State.PENDING, 1, (), ReviewVerdict.APPROVE, State.APPROVED),
        (State.PENDING, 2, (), ReviewVerdict.APPROVE, State.PENDING),
        (State.PENDING, 2, ("carol",), ReviewVerdict.APPROVE, State.APPROVED),
        (State.PENDING, 2, ("carol",), ReviewVerdict.DENY, State.DENIED),
        (State.PENDING, 1, (), ReviewVerdict.CHANGES_REQUESTED, State.DENIED),
        (State.APPROVED, 1, ("carol",), ReviewVerdict.DENY, State.REVOKED),
    ],
)
def test_verdict_leaves_it_in_a_state_that_the_table_allows(
    state: State, count: int, earlier: tuple[str, ...], verdict: ReviewVerdict, after: State
) -> None:
    held = replace(approval(state, requirement(count)), reviews=tuple(map(review_of, earlier)))
    assert after_verdict(held, BOB, verdict, held.principals) is after
    assert after is state or after in TRANSITIONS[state]


def test_whoever_suggested_is_named_as_identity_and_as_person() -> None:
    wrote = replace(review_of("bobs-chat", "user:bob"), suggestion=b"{}")
    held = replace(approval(State.DENIED), reviews=(review_of("carol"), wrote))
    assert suggesters(held) == {"user:bobs-chat", "user:bob"}
