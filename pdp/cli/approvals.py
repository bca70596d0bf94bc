"""`pdp approvals`: what waits for people, and their verdicts."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdp.cli import exit_code, waiting
from pdp.cli.session import Output, Session, client_command
from pdp.cli.session import show as for_people
from pdp.cli.visible import visible
from pdp.errors import InvalidRequest

if TYPE_CHECKING:
    from pdp.client import Client
    from pdp.v1.approval_pb2 import Approval

app = typer.Typer(name="approvals", help="What waits for people, and their verdicts.", no_args_is_help=True)
waiting.add_to(app)

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
        rpc: Any = client.reviews.ListQueue if queue else client.approvals.ListApprovals
        request: Any = ListQueueRequest if queue else ListApprovalsRequest
        page = await client.call(rpc, request(page_size=page_size))
        while everything and page.next_page_token:
            more = await client.call(rpc, request(page_size=page_size, page_token=page.next_page_token))
            page.next_page_token = more.next_page_token
            page.approvals.extend(more.approvals)
    session.print(page, lambda: display.approval_table(page.approvals), page.approvals)
    if page.next_page_token:
        typer.echo("there are more; --all lists them", err=True)


@app.command()
@client_command
async def show(session: Session, approval_id: _Id) -> None:
    """Show an approval whole, and whether I may review it."""
    from pdp.cli import display
    from pdp.v1.approval_pb2 import GetApprovalRequest

    async with session.client() as client:
        answer = await client.call(client.approvals.GetApproval, GetApprovalRequest(approval_id=approval_id))
    if session.output is not Output.TABLE:
        session.print(answer, str)
        return
    may = "you may review it" if answer.may_review else f"you may not review it: {answer.may_not_review_because}"
    for_people(f"{display.approval(answer.approval)}\n\n{visible(may)}", sys.stdout)


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
        found = await client.call(client.approvals.GetApproval, GetApprovalRequest(approval_id=approval_id))
        for_people(display.approval(found.approval), sys.stderr)
        digest = await _digest_of_displayed(client, found.approval)
        if ask and sys.stdin.isatty():
            typer.confirm(f"{verdict.removeprefix('VERDICT_').lower()} this?", abort=True, err=True)
        request = ReviewRequest(approval_id=approval_id, expected_digest=digest, verdict=verdict, reason=reason)
        reviewed = (await client.call(client.reviews.Review, request)).approval
    session.print(reviewed, lambda: f"\n{display.approval_table([reviewed])}")


async def _digest_of_displayed(client: "Client", approval: "Approval") -> str:
    """The digest of the very message that was printed; ends where it is not the approval's."""
    from pdp.canonical import canonical
    from pdp.v1.info_pb2 import GetServerInfoRequest

    info = await client.call(client.info.GetServerInfo, GetServerInfoRequest())
    try:
        digest = canonical(approval.request, info.realm).digest
    except InvalidRequest as error:
        exit_code.fail(f"what is displayed is no request that could be approved; leave it alone ({error.sentence})")
    if digest != approval.request_digest:
        exit_code.fail("what is displayed is not what would be approved: its digest differs; leave it alone")
    return digest
