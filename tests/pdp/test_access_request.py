"""What a task says for each state of its approval: a terminal status never changes."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from pdp.access_request import PREFIX, Status, Task, TaskAt, new_id
from pdp.approval import TRANSITIONS, Approval, ApprovalAt, Review, ReviewVerdict, State
from pdp.requirement import Requirement

AT = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
TASK = Task(id=new_id(), caller="agent:bot", digest="d", approval_id="apr_1")


def task(state: State, *, approved: bool = False, reviews: tuple[Review, ...] = (), age_seconds: int = 0) -> TaskAt:
    approval = Approval(
        id="apr_1",
        caller="agent:bot",
        request=b"{}",
        digest="d",
        justification="",
        requirements=(Requirement("two", "two people", count=2), Requirement("one", "an owner")),
        principals=(),
        decision_id="dec_1",
        policy_revision="r",
        version=1,
        state=state,
        reviews=reviews,
        created_at=AT,
        approved_at=AT if approved else None,
    )
    return TaskAt(TASK, ApprovalAt(approval, AT + timedelta(seconds=age_seconds)))


def review(person: str, *fits: int) -> Review:
    return Review(person, person, (), ReviewVerdict.APPROVE, "", AT, fits)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (State.PENDING, Status.PENDING),
        (State.DENIED, Status.DENIED),
        (State.EXPIRED, Status.EXPIRED),
        (State.CANCELLED, Status.CANCELLED),
        (State.VOIDED, Status.FAILED),
    ],
)
def test_without_approval_the_status_is_the_state(state: State, status: Status) -> None:
    assert task(state).status is status
    assert task(state).result is None


@pytest.mark.parametrize("state", [State.APPROVED, *sorted(TRANSITIONS[State.APPROVED])])
def test_what_becomes_of_an_approval_changes_no_task(state: State) -> None:
    found = task(state, approved=True, age_seconds=10**6)
    assert found.status is Status.APPROVED
    assert found.result is not None
    assert found.result.approved_until == AT + timedelta(minutes=15)
    assert (found.expires_at, found.steps) == (None, None)


def test_time_that_is_over_counts_before_it_is_written_down() -> None:
    assert task(State.PENDING).expires_at == AT + timedelta(days=1)
    late = task(State.PENDING, age_seconds=24 * 3600)
    assert (late.status, late.expires_at, late.steps) == (Status.EXPIRED, None, None)


def test_progress_is_numbers() -> None:
    assert task(State.PENDING).steps == (0, 3)
    assert task(State.PENDING, reviews=(review("user:bob", 0),)).steps == (1, 3)
    three = tuple(review(person, 0) for person in ("user:a", "user:b", "user:c"))
    assert task(State.PENDING, reviews=three).steps == (2, 3)


def test_task_without_an_approval_names_itself() -> None:
    result = TaskAt(Task(id="arq_1", caller="c", digest="d", settled_at=AT), None).result
    assert result is not None
    assert (result.approval_id, result.approved_at) == ("arq_1", AT)
    assert result.approved_until == AT + timedelta(minutes=15)


def test_ids_are_random_and_all_of_their_own() -> None:
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(f"{PREFIX}[0-9a-f]{{32}}", one) for one in ids)
