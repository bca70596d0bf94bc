"""`pdp approvals wait` and `pdp approvals watch`: wait for a decision, and follow the queue."""

import sys
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pdp.cli import exit_code, stuck
from pdp.cli.session import Output, Session, client_command, json_text, show_text
from pdp.say import give, say

if TYPE_CHECKING:
    from pdp.client import CallError
    from pdp.v1.approval_pb2 import Approval
    from pdp.v1.review_pb2 import WatchQueueResponse


ABOVE = 100
"""Lines above, from which the next line of a watch must look different."""


def add_to(app: typer.Typer) -> None:
    """Add the commands to `pdp approvals`."""
    app.command()(wait)
    app.command()(watch)


@client_command
async def wait(
    session: Session,
    approval_id: Annotated[str, typer.Argument(metavar="ID", help="The approval's id, apr_…")],
    timeout: Annotated[  # noqa: ASYNC109  # an option's name
        str, typer.Option(metavar="DURATION", help="How long to wait, for example 90s, 10m or 1h30m.")
    ] = "10m",
) -> None:
    """Wait until people have decided.

    Exit status: 0 it is approved, 11 it is still pending, 12 it ended in another way.
    """
    from pdp.cli import tables
    from pdp.duration import duration_ms

    milliseconds = duration_ms(timeout)
    if milliseconds is None:
        exit_code.fail("--timeout takes a duration such as 90s, 10m or 1h30m", exit_code.USAGE)
    async with session.client() as client:
        approval = await client.wait(approval_id, timeout=milliseconds / 1000, told=told)
        for line in await stuck.hints(client, approval):
            say(line)
    session.print(approval, lambda: tables.approval_table([approval]))
    raise typer.Exit(_status(approval))


@client_command
async def watch(session: Session) -> None:
    """Print my queue and then each of its changes, until Ctrl-C.

    A restart of the server, or a connection that breaks, loses no change.
    """
    from pdp.client.waiting import watched

    above: list[Approval] = []
    async with session.client() as client, aclosing(watched(client, told)) as messages:
        async for message in messages:
            if session.output is not Output.TABLE:
                give(json_text(message))
            elif message.HasField("approval"):
                show_text(_line(message, above), sys.stdout)
            else:
                say("this is all for now; changes follow")


def told(error: "CallError | None") -> None:
    """Say on standard error that the connection broke, and that it is there again."""
    say(f"not connected ({error.reason}); trying again" if error else "connected again")


def _status(approval: "Approval") -> int:
    """The exit status for an approval: 0 only if it can be used now. A used one and an unknown state count as ended."""
    from pdp.v1.approval_pb2 import ApprovalState

    if approval.state == ApprovalState.APPROVAL_STATE_APPROVED:
        return exit_code.OK
    if approval.state == ApprovalState.APPROVAL_STATE_PENDING:
        return exit_code.NEEDS_APPROVAL
    return exit_code.APPROVAL_ENDED


def _line(message: "WatchQueueResponse", above: "list[Approval]") -> str:
    """What to do with the approval, and the approval as the queue shows it, unlike those `above`, which it joins."""
    from pdp.cli import tables
    from pdp.view.named import state
    from pdp.visible import name

    if not message.approval.HasField("request"):  # the caller may not see it any more
        return f"gone    {name(message.approval.approval_id)}"
    others = [held for held in above if held.approval_id != message.approval.approval_id]
    (cells,) = tables.queue_cells([message.approval], others, now=datetime.now(UTC))
    above[:] = [*others, message.approval][-ABOVE:]
    if not message.may_review:
        cells.insert(1, state(message.approval))
    return "  ".join(["review" if message.may_review else "gone  ", *filter(None, cells)])
