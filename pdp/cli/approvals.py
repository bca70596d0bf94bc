"""`pdp approvals`: what waits for people, and their verdicts."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdp.cli import exit_code
from pdp.cli.session import Session, client_command

if TYPE_CHECKING:
    from pdp.client import Client
    from pdp.v1.approval_pb2 import Approval

app = typer.Typer(name="approvals", help="What waits for people, and their verdicts.", no_args_is_help=True)

_Id = Annotated[str, typer.Argument(metavar="ID", help="apr_…")]
_Reason = Annotated[str, typer.Option(help="Why; kept with the review.")]
_Yes = Annotated[bool, typer.Option("--yes", help="Do not ask on a terminal.")]


@app.command("list")
@client_command
async def list_approvals(
    session: Session,
    queue: Annotated[bool, typer.Option("--queue", help="What I may review, instead of what I asked for.")] = False,
    page_size: Annotated[int, typer.Option(help="So many a page, up to 100.")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="All pages.")] = False,
) -> None:
    """List my approvals, or my review queue, newest first."""
    from pdp.cli import display
    from pdp.v1.approval_pb2 import ListApprovalsRequest
    from pdp.v1.review_pb2 import ListQueueRequest

    async with session.client() as client:
        call: Any = client.reviews.ListQueue if queue else client.approvals.ListApprovals
        request = ListQueueRequest if queue else ListApprovalsRequest
        token, approvals = "", []
        while True:
            page = await call(
                request(page_size=page_size, page_token=token), metadata=client.metadata, timeout=client.timeout
            )
            approvals += page.approvals
            token = page.next_page_token
            if not token or not everything:
                break
    session.print(approvals, lambda: display.approval_table(approvals))
    if token:
        typer.echo("there are more; --all lists them", err=True)


@app.command()
@client_command
async def show(session: Session, approval_id: _Id) -> None:
    """Show an approval whole, and whether I may review it."""
    from pdp.cli import display
    from pdp.v1.approval_pb2 import GetApprovalRequest

    async with session.client() as client:
        answer = await client.approvals.GetApproval(
            GetApprovalRequest(approval_id=approval_id), metadata=client.metadata, timeout=client.timeout
        )
    may = "you may review it" if answer.may_review else f"you may not review it: {answer.may_not_review_because}"
    session.print([answer], lambda: f"{display.approval(answer.approval)}\n\n{may}")


@app.command()
@client_command
async def approve(session: Session, approval_id: _Id, reason: _Reason = "", yes: _Yes = False) -> None:
    """Approve exactly what is displayed: the digest that is sent is recomputed from it."""
    await _review(session, approval_id, "VERDICT_APPROVE", reason, ask=not yes)


@app.command()
@client_command
async def deny(session: Session, approval_id: _Id, reason: _Reason = "", yes: _Yes = False) -> None:
    """Deny; one eligible no is enough."""
    await _review(session, approval_id, "VERDICT_DENY", reason, ask=not yes)


async def _review(session: Session, approval_id: str, verdict: str, reason: str, *, ask: bool) -> None:
    from pdp.cli import display
    from pdp.v1.approval_pb2 import GetApprovalRequest
    from pdp.v1.review_pb2 import ReviewRequest

    async with session.client() as client:
        found = await client.approvals.GetApproval(
            GetApprovalRequest(approval_id=approval_id), metadata=client.metadata, timeout=client.timeout
        )
        typer.echo(display.approval(found.approval), err=True)
        digest = await _digest_of_displayed(client, found.approval)
        if ask and sys.stdin.isatty():
            typer.confirm(f"{verdict.removeprefix('VERDICT_').lower()} this?", abort=True, err=True)
        request = ReviewRequest(approval_id=approval_id, expected_digest=digest, verdict=verdict, reason=reason)
        reviewed = (await client.reviews.Review(request, metadata=client.metadata, timeout=client.timeout)).approval
    session.print([reviewed], lambda: f"\n{display.approval_table([reviewed])}")


async def _digest_of_displayed(client: "Client", approval: "Approval") -> str:
    """The digest of the very message that was printed; ends where it is not the approval's."""
    from pdp.canonical import canonical
    from pdp.v1.info_pb2 import GetServerInfoRequest

    info = await client.info.GetServerInfo(GetServerInfoRequest(), metadata=client.metadata, timeout=client.timeout)
    digest = canonical(approval.request, info.realm).digest
    if digest != approval.request_digest:
        exit_code.fail("what is displayed is not what would be approved (its digest differs); do not approve it")
    return digest
