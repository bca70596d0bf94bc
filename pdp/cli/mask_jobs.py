"""`pdp mask jobs`: who masks what in many parts, how far, and how it ended."""

from typing import TYPE_CHECKING, Annotated

import typer

from pdp.cli.paging import PageSize
from pdp.cli.session import Session, client_command
from pdp.say import say

if TYPE_CHECKING:
    from pdp.v1.mask_job_pb2 import MaskJob

app = typer.Typer(name="jobs", help="Show and cancel mask jobs.", no_args_is_help=True)

_Id = Annotated[str, typer.Argument(metavar="ID", help="The job's id, job_…")]
_STATES = ("running", "stopped", "finished")


@app.callback()
def jobs() -> None:
    """Show and cancel mask jobs."""


@app.command("list")
@client_command
async def list_jobs(
    session: Session,
    state: Annotated[str, typer.Option(help="List only jobs in this state: running, stopped or finished.")] = "",
    page_size: PageSize = 50,
    everything: Annotated[bool, typer.Option("--all", help="List all pages.")] = False,
) -> None:
    """List mask jobs, newest first.

    They are those that I began and those that run for me; an auditor sees all.
    """
    from pdp.cli import tables
    from pdp.v1.mask_job_pb2 import ListMaskJobsRequest, MaskJobState

    if state and state.lower() not in _STATES:
        raise typer.BadParameter(f"must be {', '.join(_STATES[:-1])} or {_STATES[-1]}", param_hint="--state")
    named = f"MASK_JOB_STATE_{state.upper()}" if state else MaskJobState.MASK_JOB_STATE_UNSPECIFIED
    async with session.client() as client:
        page = await client.call(client.mask_jobs.ListMaskJobs, ListMaskJobsRequest(page_size=page_size, state=named))
        while everything and page.next_page_token:
            asked = ListMaskJobsRequest(page_size=page_size, state=named, page_token=page.next_page_token)
            more = await client.call(client.mask_jobs.ListMaskJobs, asked)
            page.next_page_token = more.next_page_token
            page.jobs.extend(more.jobs)
    header = ("JOB", "STATE", "TABLE", "CALLER", "PARTS", "ROWS", "OTHER", "STARTED")
    session.print(page, lambda: tables.table(header, map(_row, page.jobs)), page.jobs)
    if page.next_page_token:
        say("there are more; --all lists them")


@app.command()
@client_command
async def show(session: Session, job_id: _Id) -> None:
    """Show who masks what, how far, and how it ended."""
    from pdp.v1.mask_job_pb2 import GetMaskJobRequest

    async with session.client() as client:
        answer = await client.call(client.mask_jobs.GetMaskJob, GetMaskJobRequest(job_id=job_id))
    session.print(answer.job, lambda: told(answer.job))


@app.command()
@client_command
async def cancel(
    session: Session,
    job_id: _Id,
    reason: Annotated[str, typer.Option(help="Why; it is kept with the job and its record.")] = "",
) -> None:
    """Stop a mask job.

    No part of it begins any more, and none that runs comes to its end. Its caller may do so, and each person for whom
    it runs. Where the keys are on the machines that mask, these hear of it when the job's program looks the next time.
    """
    from pdp.v1.mask_job_pb2 import CancelMaskJobRequest

    async with session.client() as client:
        request = CancelMaskJobRequest(job_id=job_id, reason=reason)
        answer = await client.call(client.mask_jobs.CancelMaskJob, request)
    session.print(answer.job, lambda: told(answer.job))


def told(job: "MaskJob") -> str:
    """A job in a few lines."""
    from pdp.cli.tables import time
    from pdp.visible import name, visible

    parts = f"{job.parts:,} came to their end, with {job.rows:,} rows"
    other = f"{job.other_attempts:,} other attempts, with {job.other_rows:,} rows as far as it is known"
    lines = [
        ("job", f"{name(job.job_id)}  {_state(job)}"),
        ("table", visible(job.table)),
        ("subject", visible(job.subject)),
        ("caller", visible(job.caller)),
        ("to", visible(job.destination)),
        ("keys", "on the machines that mask" if _is_elsewhere(job) else "in the server"),
        ("parts", parts),
        ("", other if job.other_attempts else ""),
        *(("values", f"{one.values:,} of {visible(one.column)}") for one in job.values),
        ("why", visible(job.why)),
        ("decision", name(job.decision_id) + (f"  approval {name(job.approval_id)}" if job.approval_id else "")),
        ("started", time(job.started_at)),
        ("finished", time(job.finished_at) if job.HasField("finished_at") else ""),
        ("ends", "" if job.HasField("finished_at") else time(job.expires_at)),
        ("record", f"{name(job.record_id)}  (pdp audit show)" if job.record_id else ""),
    ]
    return "\n".join(f"{title:<9} {text}" for title, text in lines if text)


def _row(job: "MaskJob") -> tuple[str, ...]:
    from pdp.cli.tables import time
    from pdp.visible import name, visible

    counts = (f"{job.parts:,}", f"{job.rows:,}", f"{job.other_attempts:,}")
    return (name(job.job_id), _state(job), visible(job.table), visible(job.caller), *counts, time(job.started_at))


def _state(job: "MaskJob") -> str:
    from pdp.v1.approval_pb2 import OutcomeState
    from pdp.v1.mask_job_pb2 import MaskJobState

    state = MaskJobState.Name(job.state).removeprefix("MASK_JOB_STATE_")
    return f"{state}: {OutcomeState.Name(job.outcome).removeprefix('OUTCOME_STATE_')}" if job.outcome else state


def _is_elsewhere(job: "MaskJob") -> bool:
    from pdp.v1.mask_job_pb2 import MaskKeysPlace

    return job.keys == MaskKeysPlace.MASK_KEYS_PLACE_EXECUTORS
