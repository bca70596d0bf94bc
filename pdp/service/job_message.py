"""Mask jobs: the contract's messages -> domain values, and back."""

from hashlib import sha256
from typing import cast

import orjson

from pdp import identifier
from pdp.approval import OutcomeState
from pdp.arrow import table
from pdp.bad_fields import MAX_NAMED
from pdp.errors import InvalidRequest
from pdp.mask_job import MAX_COUNTED, MAX_PARTS, MAX_REASON, JobState, MaskJob, Place
from pdp.mask_ticket import KEYS_IN_SERVER, KEYS_ON_EXECUTORS
from pdp.masking.count import counted_columns
from pdp.masking.rows import Shape
from pdp.store.mask_parts import SoFar
from pdp.v1 import approval_pb2, mask_job_pb2
from pdp.v1.mask_job_pb2 import FinishMaskJobRequest, MaskedValues, MaskJobState, MaskKeysPlace
from pdp.workflow.held_job import HeldJob
from pdp.workflow.job_ending import Said

_KEYS = {
    MaskKeysPlace.MASK_KEYS_PLACE_UNSPECIFIED: KEYS_IN_SERVER,
    MaskKeysPlace.MASK_KEYS_PLACE_SERVER: KEYS_IN_SERVER,
    MaskKeysPlace.MASK_KEYS_PLACE_EXECUTORS: KEYS_ON_EXECUTORS,
}
_PLACES = {
    KEYS_IN_SERVER: MaskKeysPlace.MASK_KEYS_PLACE_SERVER,
    KEYS_ON_EXECUTORS: MaskKeysPlace.MASK_KEYS_PLACE_EXECUTORS,
}
_OUTCOMES = {approval_pb2.OutcomeState.Value(f"OUTCOME_STATE_{one}"): one for one in OutcomeState}


def keys(value: int) -> str:
    """Where the keys are to be."""
    known = {int(place): where for place, where in _KEYS.items()}
    if value not in known:
        raise InvalidRequest.field("keys", "is not a place of keys that this server knows")
    return known[value]


def state(value: int) -> JobState | None:
    """The state to filter by; None where it is not set."""
    if value == MaskJobState.MASK_JOB_STATE_UNSPECIFIED:
        return None
    if value not in MaskJobState.values():
        raise InvalidRequest.field("state", "is not a state of mask jobs that this server knows")
    return JobState(MaskJobState.Name(cast("MaskJobState", value)).removeprefix("MASK_JOB_STATE_"))


def shape(schema: bytes) -> Shape:
    """The table of a job."""
    return Shape(table.schema(schema, "arrow_schema")).within("arrow_schema")


def checked_id(job_id: str) -> str:
    """The id of a job, if it is one."""
    if not job_id.startswith("job_") or identifier.uuid_bytes(job_id) is None:
        raise InvalidRequest.field("job_id", "is required: the id of a mask job, job_…")
    return job_id


def reason(text: str) -> str:
    """Why a job ends, if it is not too long."""
    if len(text) > MAX_REASON:
        raise InvalidRequest.field("reason", f"has more than {MAX_REASON:,} characters")
    return text


def said(request: FinishMaskJobRequest) -> Said:
    """What a caller says of the end of its job."""
    outcome = _OUTCOMES.get(request.outcome)
    if outcome is None:
        raise InvalidRequest.field("outcome", "is required: succeeded, failed or unknown")
    _require_counted(request)
    return Said(
        OutcomeState(outcome),
        "caller",
        _ended(request),
        {one.column: one.values for one in request.values},
        request.thrown_away_attempts,
        request.thrown_away_rows,
        reason(request.reason),
        sha256(request.SerializeToString(deterministic=True)).hexdigest(),
    )


def require_counts(request: FinishMaskJobRequest, held: HeldJob) -> None:
    """Raise `InvalidRequest` for counts that the server has itself, or of columns that no key masks."""
    counts = bool(request.values or request.thrown_away_rows or request.thrown_away_attempts)
    if held.facts["keys"] == KEYS_IN_SERVER:
        if counts:
            raise InvalidRequest.field("values", "is what the server counts itself; leave it out")
        return
    known = counted_columns(held.plan)
    names = [one.column for one in request.values]
    unknown = [
        (f"values[{index}]", "is not a column that a key masks")
        for index, name in enumerate(names)
        if name not in known
    ]
    if unknown or len({*names}) < len(names):
        raise InvalidRequest.fields(unknown[:MAX_NAMED] or [("values", "has a column twice")])


def job(found: MaskJob, so_far: SoFar) -> mask_job_pb2.MaskJob:
    """A job as clients see it."""
    facts, told = found.facts, orjson.loads(found.result) if found.result else None
    made = mask_job_pb2.MaskJob(
        job_id=found.id,
        state=_state(found),
        caller=facts["caller"]["identity"],
        subject=facts["subject"],
        table=facts["table"],
        decision_id=facts["decision"],
        approval_id=facts["approval"],
        keys=_PLACES[facts["keys"]],
        key_version=facts["key_version"],
        why=told["why"] if told else found.why,
        plan_sha256=facts["plan_sha256"],
        destination=facts["destination"],
        parts=told["parts"] if told else so_far.parts,
        rows=told["rows"] if told else so_far.rows,
        other_attempts=told["other_attempts"] if told else so_far.other_attempts,
        other_rows=told["other_rows"] if told else so_far.other_rows,
    )
    made.started_at.FromDatetime(found.started_at)
    made.expires_at.FromDatetime(found.expires_at)
    if told:
        made.outcome = cast(
            "approval_pb2.OutcomeState", approval_pb2.OutcomeState.Value(f"OUTCOME_STATE_{told['outcome']}")
        )
        made.record_id = told["record_id"]
        made.finished_at.FromMilliseconds(told["at_ms"])
        made.values.extend(MaskedValues(column=name, values=number) for name, number in told["values"].items())
    return made


def _require_counted(request: FinishMaskJobRequest) -> None:
    """Raise `InvalidRequest` for sums that a record cannot hold: one job would keep its own end from being stored."""
    sums = {
        "thrown_away_rows": request.thrown_away_rows + sum(one.rows for one in request.parts),
        "thrown_away_attempts": request.thrown_away_attempts,
        "values": sum(one.values for one in request.values),
    }
    if bad := [name for name, number in sums.items() if number > MAX_COUNTED]:
        most = f"is more than {MAX_COUNTED:,} in all, with the parts"
        raise InvalidRequest.fields([(name, most) for name in bad])


def _state(found: MaskJob) -> MaskJobState:
    is_late = found.state is JobState.RUNNING and found.is_over
    return cast("MaskJobState", MaskJobState.Value(f"MASK_JOB_STATE_{JobState.STOPPED if is_late else found.state}"))


def _ended(request: FinishMaskJobRequest) -> dict[int, tuple[int, int]]:
    if len(request.parts) > MAX_PARTS:
        raise InvalidRequest.field("parts", f"has more than {MAX_PARTS:,} parts, which is the most of a job")
    ended: dict[int, tuple[int, int]] = {}
    for index, one in enumerate(request.parts):
        Place(one.part, one.attempt).require(f"parts[{index}]")
        if one.part in ended:
            raise InvalidRequest.field(f"parts[{index}].part", f"names part {one.part} a second time")
        ended[one.part] = (one.attempt, one.rows)
    return ended
