"""`pdp approvals wait` and `pdp approvals watch`."""

import sys
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from pdp.cli import exit_code
from pdp.cli.session import Output, Session, client_command, json_text
from pdp.cli.session import show as for_people

if TYPE_CHECKING:
    from pdp.v1.approval_pb2 import Approval
    from pdp.v1.review_pb2 import WatchQueueResponse


def add_to(app: typer.Typer) -> None:
    """Add the commands to `pdp approvals`."""
    app.command()(wait)
    app.command()(watch)


@client_command
async def wait(
    session: Session,
    approval_id: Annotated[str, typer.Argument(metavar="ID", help="apr_…")],
    timeout: Annotated[  # noqa: ASYNC109  # an option's name
        str, typer.Option(metavar="DURATION", help="How long, for example 90s, 10m or 1h30m.")
    ] = "10m",
) -> None:
    """Wait until people have decided. Exit status: 0 approved, 11 still pending, 12 ended otherwise."""
    from pdp.cli import display
    from pdp.duration import duration_ms

    milliseconds = duration_ms(timeout)
    if milliseconds is None:
        exit_code.fail("--timeout takes a duration such as 90s, 10m or 1h30m", exit_code.USAGE)
    async with session.client() as client:
        approval = await client.wait(approval_id, timeout=milliseconds / 1000)
    session.print(approval, lambda: display.approval_table([approval]))
    raise typer.Exit(_status(approval))


@client_command
async def watch(session: Session) -> None:
    """Print my queue, then each change of it: a line each, until Ctrl-C. Restarts of the server lose nothing."""
    from pdp.client.waiting import watched

    async with session.client() as client, aclosing(watched(client.reviews, client.metadata)) as messages:
        async for message in messages:
            if session.output is not Output.TABLE:
                typer.echo(json_text(message))
            elif message.HasField("approval"):
                for_people(_line(message), sys.stdout)
            else:
                typer.echo("this is all for now; changes follow", err=True)


def _status(approval: "Approval") -> int:
    """0 only where it can be used now: a used one has ended, too, and so has a state that is not known here."""
    from pdp.v1.approval_pb2 import ApprovalState

    if approval.state == ApprovalState.APPROVAL_STATE_APPROVED:
        return exit_code.OK
    if approval.state == ApprovalState.APPROVAL_STATE_PENDING:
        return exit_code.NEEDS_APPROVAL
    return exit_code.APPROVAL_ENDED


def _line(message: "WatchQueueResponse") -> str:
    """What to do about it, and the approval as lists show it."""
    from pdp.cli import display
    from pdp.cli.visible import name

    if not message.approval.HasField("request"):  # not mine to see any more
        return f"gone    {name(message.approval.approval_id)}"
    row = display.approval_table([message.approval]).splitlines()[1]
    return f"{'review' if message.may_review else 'gone  '}  {row}"
