"""The record of a mask job, for people."""

from typing import TYPE_CHECKING, Any

from pdp.cli import exit_code
from pdp.compact_parts import expanded

if TYPE_CHECKING:
    from pdp.client import Client

SHOWN = 20
"""Parts, and other attempts, that are shown one by one."""


async def record_of(client: "Client", job_id: str) -> str:
    """The id of the record of a finished job."""
    from pdp.v1.mask_job_pb2 import GetMaskJobRequest

    answer = await client.call(client.mask_jobs.GetMaskJob, GetMaskJobRequest(job_id=job_id))
    if not answer.job.record_id:
        exit_code.fail(f"{job_id} has no record before it is finished; see: pdp mask jobs show {job_id}")
    return answer.job.record_id


def readable(payload: Any) -> Any:
    """The payload; of a mask job with a line for each part, as far as there are few."""
    try:
        job = payload["details"]["mask_job"]
        ended = [f"part {part}, attempt {attempt}: {rows:,} rows" for part, attempt, rows in expanded(job["ended"])]
        others = [
            f"part {part}, attempt {attempt}, {pieces} pieces, {state}: {rows:,} rows"
            for part, attempt, pieces, rows, state in job["thrown_away"]
        ]
    except (KeyError, TypeError, ValueError):
        return payload
    told = {**job, "ended": _some(ended), "thrown_away": _some(others)}
    return {**payload, "details": {**payload["details"], "mask_job": told}}


def _some(lines: list[str]) -> list[str]:
    more = len(lines) - SHOWN
    return lines if more <= 0 else [*lines[:SHOWN], f"and {more:,} more; -o json has all"]
