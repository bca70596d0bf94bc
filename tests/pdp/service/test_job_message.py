"""What of a mask job's messages is refused, by field."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from pdp.approval import OutcomeState
from pdp.errors import InvalidRequest
from pdp.mask_job import MAX_COUNTED, MAX_PARTS, JobState, MaskJob
from pdp.service import job_message
from pdp.store.mask_parts import SoFar
from pdp.v1.mask_job_pb2 import EndedPart, FinishMaskJobRequest, MaskedValues, MaskJobState, MaskKeysPlace

FACTS: dict[str, Any] = {
    "caller": {"identity": "agent:etl"},
    "subject": "agent:etl",
    "table": "people",
    "decision": "dec_1",
    "approval": "",
    "keys": "server",
    "key_version": 1,
    "plan_sha256": "ab" * 32,
    "destination": "",
}
JOB = MaskJob(
    id="job_1",
    state=JobState.RUNNING,
    frozen=b"",
    seal="",
    started_at=datetime(2026, 1, 1, tzinfo=UTC),
    expires_at=datetime(2026, 1, 2, tzinfo=UTC),
    facts=FACTS,
)


@pytest.mark.parametrize(
    ("value", "where"), [(0, "server"), (1, "server"), (MaskKeysPlace.MASK_KEYS_PLACE_EXECUTORS, "executors")]
)
def test_keys_are_in_the_server_unless_it_is_said(value: int, where: str) -> None:
    assert job_message.keys(value) == where


def test_unknown_numbers_are_refused() -> None:
    for read in (job_message.keys, job_message.state):
        with pytest.raises(InvalidRequest):
            read(77)
    assert job_message.state(0) is None
    assert job_message.state(MaskJobState.MASK_JOB_STATE_STOPPED) is JobState.STOPPED


@pytest.mark.parametrize("job_id", ["", "job_1", "dec_" + "0" * 32, "job_" + "x" * 32])
def test_id_of_something_else_is_refused(job_id: str) -> None:
    with pytest.raises(InvalidRequest):
        job_message.checked_id(job_id)


def test_end_needs_an_outcome_and_a_short_reason() -> None:
    with pytest.raises(InvalidRequest, match="outcome"):
        job_message.said(FinishMaskJobRequest())
    with pytest.raises(InvalidRequest, match="1,000"):
        job_message.said(FinishMaskJobRequest(outcome=1, reason="x" * 1001))
    said = job_message.said(FinishMaskJobRequest(outcome=2, reason="x", parts=[EndedPart(part=1, attempt=2, rows=3)]))
    assert (said.outcome, said.ended, said.why) == (OutcomeState.FAILED, {1: (2, 3)}, "x")


def test_a_hundred_thousand_parts_are_the_most() -> None:
    parts = [EndedPart(part=part) for part in range(MAX_PARTS)]
    assert len(job_message.said(FinishMaskJobRequest(outcome=1, parts=parts)).ended) == MAX_PARTS
    with pytest.raises(InvalidRequest, match="100,000"):
        job_message.said(FinishMaskJobRequest(outcome=1, parts=[*parts, EndedPart()]))


@pytest.mark.parametrize(
    "said",
    [
        {"thrown_away_rows": MAX_COUNTED + 1},
        {"parts": [EndedPart(part=part, rows=MAX_COUNTED) for part in range(2)]},
        {"parts": [EndedPart(rows=MAX_COUNTED)], "thrown_away_rows": 1},
        {"values": [MaskedValues(column=name, values=MAX_COUNTED) for name in "ab"]},
        {"thrown_away_attempts": (1 << 64) - 1},
    ],
    ids=["rows", "parts", "both", "values", "attempts"],
)
def test_sums_that_no_record_can_hold_are_refused(said: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="9,007,199,254,740,991"):
        job_message.said(FinishMaskJobRequest(outcome=2, **said))


def test_running_job_shows_how_far_it_is_and_a_finished_one_how_it_ended() -> None:
    running = job_message.job(JOB, SoFar(3, 30, 1, 4))
    assert (running.state, running.parts, running.rows, running.other_attempts, running.other_rows) == (1, 3, 30, 1, 4)
    told = {"outcome": "FAILED", "why": "no disk", "parts": 2, "rows": 20, "other_attempts": 0, "other_rows": 0}
    result = orjson.dumps({**told, "values": {"id": 20}, "record_id": "rec_1", "at_ms": 1_767_312_000_000})
    ended = MaskJob(**{**fields(JOB), "state": JobState.FINISHED, "result": result, "finished_at": "made up"})
    shown = job_message.job(ended, SoFar())
    assert (shown.state, shown.outcome, shown.why, shown.rows, shown.record_id) == (3, 2, "no disk", 20, "rec_1")
    assert [(one.column, one.values) for one in shown.values] == [("id", 20)]
    assert shown.finished_at.ToJsonString() == "2026-01-02T00:00:00Z"


def test_job_whose_time_is_over_is_shown_as_stopped() -> None:
    late = job_message.job(MaskJob(**{**fields(JOB), "is_over": True}), SoFar())
    assert (late.state, late.why) == (MaskJobState.MASK_JOB_STATE_STOPPED, "its time is over")


def fields(job: MaskJob) -> dict[str, Any]:
    return {name: getattr(job, name) for name in MaskJob.__slots__}
