"""What the driver asks about a job, without Spark."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from pdp.client import ApprovalPending, CallError, Denied
from pdp.spark.job_calls import JobCalls, Scope
from pdp.spark.tally import Tally
from tests.mask_jobs import FAILED, SUCCEEDED, TABLE, rows
from tests.spark.placed import Placed


def scope(**members: Any) -> Scope:
    context = {"run": uuid4().hex, **members.pop("context", {})}
    return Scope(table="people", **{"on_behalf_of": ["user:alice"], "context": context, **members})


async def with_calls(stack: Placed, ask: Callable[[JobCalls], Any]) -> Any:
    async with stack.client() as client:
        return await ask(JobCalls(client))


def start(stack: Placed, asked: Scope, **more: Any) -> Any:
    said = {"keys_here": False, "understands": (), **more}
    return stack.run(with_calls(stack, lambda calls: calls.start(asked, TABLE, **said)))


def finish(stack: Placed, job_id: str, outcome: Any, tally: Tally, **more: Any) -> Any:
    said = {"keys_here": False, "reason": "", **more}
    return stack.run(with_calls(stack, lambda calls: calls.finish(job_id, outcome, tally, **said)))


def test_a_pending_approval_says_how_to_go_on_and_the_same_request_id_does(stack: Placed) -> None:
    asked = scope(context={"ask": True}, request_id=uuid4().hex)
    with pytest.raises(ApprovalPending, match="people have to review apr_") as pending:
        start(stack, asked)
    assert asked.request_id in pending.value.__notes__[0]
    stack.approve(pending.value.approval_id)
    assert start(stack, asked).job_id.startswith("job_")
    with pytest.raises((Denied, CallError)) as used:  # a driver that was killed used it up
        start(stack, asked)
    assert "another request_id" in f"{used.value} {getattr(used.value, '__notes__', '')}"


def test_a_job_ends_with_the_last_attempt_of_each_part(stack: Placed) -> None:
    begun = start(stack, scope())
    for attempt in (1, 2):
        stack.run(stack.stage.part(begun.ticket, 0, rows("a", "b"), attempt=attempt))
    ended = finish(stack, begun.job_id, SUCCEEDED, Tally({(0, 1): 2, (0, 2): 2}))
    assert (ended.parts, ended.rows, ended.other_attempts, ended.other_rows) == (1, 2, 1, 2)


def test_an_attempt_that_spark_stopped_early_is_left_out(stack: Placed) -> None:
    begun = start(stack, scope())
    stack.run(stack.stage.part(begun.ticket, 0, rows("a", "b"), attempt=1))
    ended = finish(stack, begun.job_id, SUCCEEDED, Tally({(0, 1): 2, (1, 5): 2}))
    assert (ended.parts, ended.rows) == (1, 2)


def test_what_one_task_told_twice_is_one_attempt() -> None:
    tally = Tally({(0, 1): 2}, {"id": 2}).added(Tally({(0, 1): 3}, {"id": 1})).added(Tally({(0, 2): 5}))
    assert (tally.ended, tally.thrown_away, dict(tally.values)) == ({0: (2, 5)}, (1, 5), {"id": 3})
    assert tally.without([0]).ended == {0: (1, 5)}


def test_with_keys_elsewhere_the_caller_counts(stack: Placed) -> None:
    begun = start(stack, scope(), keys_here=True)
    assert begun.plan_json
    tally = Tally({(0, 1): 2, (0, 3): 2, (1, 2): 5}, {"id": 9})
    ended = finish(stack, begun.job_id, FAILED, tally, keys_here=True, reason="x" * 2000)
    assert (ended.parts, ended.rows, ended.other_attempts, ended.other_rows) == (2, 7, 1, 2)
    assert {one.column: one.values for one in ended.values} == {"id": 9}
    told = stack.record(begun.job_id)["mask_job"]
    assert (told["counted_by"], len(told["why"])) == ("caller", 1000)


def test_a_denial_names_its_rule_and_decision_and_a_look_stops_a_job_that_began_before(stack: Placed) -> None:
    begun = start(stack, scope())
    stack.run(stack.stage.change(closed=True))
    try:
        job = stack.run(with_calls(stack, lambda calls: calls.look(begun.job_id)))
        assert "the table is closed" in job.why
        with pytest.raises(Denied, match=r"DENY: the table is closed \[closed\] \(dec_"):
            start(stack, scope())
    finally:
        stack.run(stack.stage.change(closed=False))
