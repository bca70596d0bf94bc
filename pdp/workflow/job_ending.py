"""The end of a mask job: what was streamed is held against what its caller says, and becomes its one record.

stopped -> streams read -> result and record in one compare-and-set -> record durable -> lineage -> streams forgotten

A process that dies behind the compare-and-set leaves the rest to a sweep; before it, the call may be repeated.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import orjson

from pdp.approval import OutcomeState
from pdp.audit import event
from pdp.audit.record import Entry, Kind
from pdp.compact_parts import compact
from pdp.errors import PdpError
from pdp.mask_job import JobSealer, JobState, MaskJob, Streamed
from pdp.mask_ticket import KEYS_ON_EXECUTORS
from pdp.masking.count import counted_columns
from pdp.masking.job_totals import MAX_LISTED, Totals, listed
from pdp.masking.plan import about, masks, rules
from pdp.masking.threads import Threads
from pdp.recording.writer import Writer
from pdp.store.mask_jobs import StoredMaskJobs
from pdp.store.mask_parts import MaskParts
from pdp.store.quotas import Limits, Quotas, reservation
from pdp.workflow.held_job import HeldJob
from pdp.workflow.outflow import Outflow

log = logging.getLogger(__name__)

GRACE = timedelta(minutes=10)
"""The time after its end in which the caller of a job may finish it, before a sweep does."""
UNSENT_FOR = timedelta(seconds=3)
"""The age of a record that a sweep delivers. The process that wrote a younger one may still do it."""
_AT_ONCE = 10
"""Jobs that one sweep ends."""
_BY_FINISH = "finish"


@dataclass(frozen=True, slots=True)
class Said:
    """What a caller says of the end of its job; `ended` has attempt and rows of each part that came to its end.

    `values`, `other_attempts` and `other_rows` are of keys that were not in the server. `sha256` is of all it says.
    """

    outcome: OutcomeState
    by: str
    ended: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    values: Mapping[str, int] = field(default_factory=dict)
    other_attempts: int = 0
    other_rows: int = 0
    why: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class JobEnding:
    """Ends jobs."""

    jobs: StoredMaskJobs
    parts: MaskParts
    sealer: JobSealer
    quotas: Quotas
    limits: Limits
    writer: Writer
    outflow: Outflow
    threads: Threads

    async def finish(self, job: MaskJob, said: Said) -> MaskJob:
        """The finished job. Raises `MaskJobEnded` where it ended otherwise, `InvalidRequest` where parts were not."""
        if job.state is JobState.FINISHED:
            return await self._again(job, said)
        held = HeldJob(job)
        self._require_may_end(job, said)
        if not _is_elsewhere(held):
            (await self._totals(held, checked=False)).require(said.ended)
        if not await self.jobs.stop(job.id, {"by": _BY_FINISH, "why": "its caller finishes it"}):
            job = await self.jobs.get(job.id)
            if job.state is JobState.FINISHED:
                return await self._again(job, said)
            self._require_may_end(job, said)
            held = HeldJob(job)
        await self.parts.leave_out(job.id)
        totals = await self._totals(held)
        if not _is_elsewhere(held):
            totals.require(said.ended)
        await self._count(held, said)
        result, entry = self._result(held, said, totals, round((await self.jobs.now()).timestamp() * 1000))
        await self.jobs.finish(job, result, entry)
        await self._deliver(job.id)
        return await self._again(await self.jobs.get(job.id), said)

    async def sweep(self) -> None:
        """End jobs that were not finished in time, and write the records of processes that died before they could."""
        for job in await self.jobs.over(GRACE, _AT_ONCE):
            try:
                await self.finish(
                    job,
                    Said(OutcomeState.UNKNOWN, "sweep", why="it was not finished in time"),
                )
            except PdpError as error:
                log.info("the mask job %s is ended by another process, or later: %s", job.id, error.sentence)
        for unsent in await self.jobs.unsent(age=UNSENT_FOR, limit=_AT_ONCE):
            await self._deliver(unsent.job.id)

    def _require_may_end(self, job: MaskJob, said: Said) -> None:
        """Raise `MaskJobEnded` where a job that was stopped is said to have succeeded."""
        by = orjson.loads(job.stop)["by"] if job.stop else _BY_FINISH
        if by != _BY_FINISH and said.outcome is OutcomeState.SUCCEEDED:
            raise job.ended()

    async def _again(self, job: MaskJob, said: Said) -> MaskJob:
        """A finished job, for a caller that says the same of it."""
        if job.state is not JobState.FINISHED or orjson.loads(job.result)["said_sha256"] != said.sha256:
            raise job.ended()
        await self._deliver(job.id)
        return job

    async def _totals(self, held: HeldJob, *, checked: bool = True) -> Totals:
        """The sums over all streams; without `checked` also over what no server wrote, which a first look takes."""
        totals, job_id = Totals(list(counted_columns(held.plan))), held.job.id
        async with aclosing(self.parts.all(job_id)) as found:
            async for some in found:
                await self.threads.run(held.caller.identity, partial(self._add, totals, job_id, some, checked=checked))
        return totals

    def _add(self, totals: Totals, job_id: str, some: Sequence[Streamed], *, checked: bool) -> None:
        for streamed in some:
            totals.add(streamed, is_sound=not checked or self.sealer.is_ours(job_id, streamed))

    async def _count(self, held: HeldJob, said: Said) -> None:
        """Count what was masked where the server sees no row, also beyond the limit: the next job finds it full."""
        if not _is_elsewhere(held):
            return
        domains: dict[str, int] = {}
        for column, names in counted_columns(held.plan).items():
            for name in names:
                domains[name] = domains.get(name, 0) + said.values.get(column, 0)
        reserved = reservation(self.limits, "mask", held.caller.identity, held.persons, domains)
        await self.quotas.add(reserved, held.job.id)

    def _result(self, held: HeldJob, said: Said, totals: Totals, at_ms: int) -> tuple[bytes, Entry]:
        """How the job ended, for its document, and the same for the log."""
        elsewhere = _is_elsewhere(held)
        counting = totals.counting(said.ended)
        ended = [(part, *pair) for part, pair in said.ended.items()]
        counted = {id(one) for one in counting}
        others = [one for one in totals.attempts if id(one) not in counted]
        rows = sum(rows for _, _, rows in ended)
        sums = {
            "outcome": said.outcome.value,
            "why": said.why or _stopped(held.job),
            "parts": len(ended),
            "rows": rows,
            "other_attempts": said.other_attempts if elsewhere else len(others),
            "other_rows": said.other_rows if elsewhere else totals.rows - rows,
            "values": said.values if elsewhere else dict(totals.values),
        }
        job = {
            "job": held.job.id,
            **sums,
            "by": said.by,
            "keys": held.facts["keys"],
            "counted_by": "caller" if elsewhere else "server",
            "key_version": held.facts["key_version"],
            "plan_sha256": held.facts["plan_sha256"],
            "started_at": held.job.started_at.isoformat(timespec="milliseconds"),
            "ended": compact(ended),
            "thrown_away": listed(others),
            **_oddities(held.job, totals, len(others)),
        }
        entry = self._entry(held, said, job)
        result = {**sums, "by": said.by, "record_id": entry.id, "said_sha256": said.sha256, "at_ms": at_ms}
        return orjson.dumps(result), entry

    def _entry(self, held: HeldJob, said: Said, job: Mapping[str, Any]) -> Entry:
        plan, is_whole = held.plan, said.outcome is OutcomeState.SUCCEEDED
        details = {
            "action": "mask",
            "phase": "complete" if is_whole else "broken",
            "use": held.facts["use"],
            "table": plan.table,
            "subject": plan.subject,
            **about(plan),
            "rows": job["rows"] + job["other_rows"],
            "values": sum(job["values"].values()),
            "mask_job": job,
        }
        return event.masked(
            Kind.MASK,
            held.caller,
            decision_id=held.facts["decision"],
            revision=plan.policy_revision,
            rules=rules(plan),
            details=details,
            failure="" if is_whole else f"MASK_JOB_{said.outcome.value}",
        )

    async def _deliver(self, job_id: str) -> None:
        """Make the record durable, then the lineage, unless both are."""
        for unsent in await self.jobs.unsent(job_id):
            await self.writer.append([unsent.entry], posted={unsent.entry.id})
            await self._left(HeldJob(unsent.job))
            await self.jobs.sent(job_id)
            await self.parts.drop(job_id)

    async def _left(self, held: HeldJob) -> None:
        """What left becomes lineage, also of a job that failed: its event is the same each time."""
        told = orjson.loads(held.job.result)
        is_whole = told["outcome"] == OutcomeState.SUCCEEDED
        if is_whole or told["rows"] or told["other_rows"] or _is_elsewhere(held):
            columns = held.shape.columns
            await self.outflow.left(
                held.request,
                held.facts["decision"],
                lambda: masks(held.plan, columns),
                at_ms=told["at_ms"],
                is_whole=is_whole,
            )


def _is_elsewhere(held: HeldJob) -> bool:
    """Whether the keys are where the rows are, so that the server sees none."""
    return bool(held.facts["keys"] == KEYS_ON_EXECUTORS)


def _stopped(job: MaskJob) -> str:
    told = orjson.loads(job.stop) if job.stop else {"by": _BY_FINISH}
    return "" if told["by"] == _BY_FINISH else str(told["why"])


def _oddities(job: MaskJob, totals: Totals, others: int) -> dict[str, int]:
    """What a reader has to know of the numbers, where there is something."""
    open_ = sum(one.unknown > 0 for one in totals.attempts)
    changed = sum(one.state == "changed" for one in totals.attempts)
    told = {
        "attempts_of_unknown_rows": open_,
        "attempts_changed_in_the_database": changed,
        "streams_missing_in_the_database": max(job.streams - totals.streams, 0),
        "thrown_away_not_listed": max(others - MAX_LISTED, 0),
    }
    return {name: number for name, number in told.items() if number}
