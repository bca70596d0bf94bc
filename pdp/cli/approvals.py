"""`pdp approvals`: shows the requests that wait for people, and sends verdicts on them."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pdp.cli import closing, exit_code, history, request_file, waiting
from pdp.cli.browsing import in_browser
from pdp.cli.closing import show_short
from pdp.cli.paging import PageSize
from pdp.cli.scope import Scope, file_command
from pdp.cli.session import Output, Session, client_command, show_text
from pdp.say import say

if TYPE_CHECKING:
    from pdp.cli.reviewing import Reviewer
    from pdp.v1.approval_pb2 import Verdict
    from pdp.v1.request_pb2 import Request

app = typer.Typer(name="approvals", help="List, review and close approvals.", no_args_is_help=True)
waiting.add_to(app)


_Id = Annotated[str, typer.Argument(metavar="ID", help="The approval's id, apr_…")]
_Ids = Annotated[
    list[str],
    typer.Argument(metavar="ID...", help="Approval ids, apr_…; several if the policy lets you review them together."),
]
_Reason = Annotated[str, typer.Option(help="The reason for your verdict; it is kept with the review.")]
_QUESTIONS = {
    "VERDICT_APPROVE": "Approve this?",
    "VERDICT_DENY": "Deny this?",
    "VERDICT_CHANGES_REQUESTED": "Send this back for changes?",
}
_Every = Annotated[
    bool,
    typer.Option("--all", help="Show all columns of the data, not only the most sensitive and a count of the rest."),
]
_Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation on a terminal.")]


@app.command("list")
@client_command
async def list_approvals(
    session: Session,
    queue: Annotated[
        bool, typer.Option("--queue", help="List what I may review, instead of what I asked for.")
    ] = False,
    in_my_name: Annotated[
        bool, typer.Option("--in-my-name", help="List what others asked for in my name, instead of what I asked for.")
    ] = False,
    action: Annotated[str, typer.Option(metavar="NAME", help="Of the queue: only requests to do this.")] = "",
    resource_type: Annotated[
        str, typer.Option(metavar="TYPE", help="Of the queue: only requests to this type of resource.")
    ] = "",
    caller: Annotated[str, typer.Option(metavar="TYPE:ID", help="Of the queue: only what this caller asked.")] = "",
    person: Annotated[
        str, typer.Option(metavar="TYPE:ID", help="Of the queue: only requests that this person is behind.")
    ] = "",
    group: Annotated[str, typer.Option(metavar="NAME", help="Of the queue: only what asks for this group.")] = "",
    mine_only: Annotated[
        bool, typer.Option("--mine-only", help="Of the queue: only what asks for me by name.")
    ] = False,
    page_size: PageSize = 50,
    everything: Annotated[bool, typer.Option("--all", help="List all pages.")] = False,
) -> None:
    """List my approvals, those asked in my name, or my review queue.

    Approvals come newest first, and in the queue the nearest deadline comes first. In my name are also requests of
    programs that I own. Until one is used, `pdp approvals cancel` withdraws it.
    """
    from pdp.cli import tables
    from pdp.cli.queue import list_queue
    from pdp.v1.approval_pb2 import ListApprovalsRequest
    from pdp.v1.review_pb2 import ListQueueRequest

    if queue and in_my_name:
        raise typer.BadParameter(
            "lists what others asked for; --queue lists what you may review", param_hint="--in-my-name"
        )
    narrowed = ListQueueRequest(
        action=action, resource_type=resource_type, caller=caller, person=person, group=group, mine_only=mine_only
    )
    if narrowed.ByteSize() and not queue:
        raise typer.BadParameter("is missing; the other options narrow the queue down", param_hint="--queue")
    async with session.client() as client:
        if queue:
            await list_queue(session, client, narrowed, page_size, everything=everything)
            return
        rpc = client.approvals.ListApprovals
        asked = ListApprovalsRequest(page_size=page_size, asked_in_my_name=in_my_name)
        page = await client.call(rpc, asked)
        while everything and page.next_page_token:
            asked.page_token = page.next_page_token
            more = await client.call(rpc, asked)
            page.next_page_token = more.next_page_token
            page.approvals.extend(more.approvals)
    shown = tables.table_in_my_name if in_my_name else tables.approval_table
    session.print(page, lambda: shown(page.approvals), page.approvals)
    if page.next_page_token:
        say("there are more; --all lists them")


@app.command()
@file_command
async def show(
    session: Session,
    scope: Scope,
    approval_id: _Id,
    tokens: Annotated[
        str, typer.Option(metavar="FILE", help="Also say whether an approval to unmask is for the tokens in this file.")
    ] = "",
    every: _Every = False,
) -> None:
    """Show a whole approval.

    To those who may review it, it shows which columns of the data carry which tags, where these come from, and what
    masks would do; to all, who may still review it, what differs from the last approved request of this kind, what
    happened to it, which webhooks were not told, and whether I may review it. With --tokens it computes the hash of the
    tokens in a masked file, which stays on this machine, and ends with status 12 if the approval is for others; the
    options about files are for that file.
    """
    from pdp.cli import display, seen_lineage
    from pdp.cli.comparison import require_tokens
    from pdp.v1.approval_pb2 import GetApprovalRequest

    async with session.client() as client:
        answer = await client.call(client.approvals.GetApproval, GetApprovalRequest(approval_id=approval_id))
    if session.output is Output.TABLE:
        show_text(display.whole(answer, None if every else seen_lineage.SHOWN), sys.stdout)
    else:
        session.print(answer, str)
    if tokens:
        await require_tokens(answer.approval, tokens, scope)


@app.command()
@client_command
async def approve(session: Session, approval_ids: _Ids, reason: _Reason = "", yes: _Yes = False) -> None:
    """Approve exactly the request that is displayed.

    The command sends the digest of what it displayed.
    """
    from pdp.v1.approval_pb2 import Verdict

    await _review_each(session, approval_ids, Verdict.VERDICT_APPROVE, reason, ask=not yes)


@app.command()
@client_command
async def deny(session: Session, approval_ids: _Ids, reason: _Reason = "", yes: _Yes = False) -> None:
    """Deny the request. One denial by an eligible reviewer is enough; after the approval it revokes it."""
    from pdp.v1.approval_pb2 import Verdict

    await _review_each(session, approval_ids, Verdict.VERDICT_DENY, reason, ask=not yes)


@app.command("send-back")
@client_command
async def send_back(
    session: Session,
    approval_id: _Id,
    reason: Annotated[str, typer.Option(help="What should be different.")],
    suggest: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The request that you would accept, in JSON; you cannot review it when it is sent."
        ),
    ] = None,
    yes: _Yes = False,
) -> None:
    """Ask for changes.

    This approval ends, and the requester may send a new request that names this one.
    """
    from pdp.cli.reviewing import Reviewer
    from pdp.v1.approval_pb2 import Verdict

    suggestion = _request(suggest) if suggest else None
    async with session.client() as client:
        await _review(
            session,
            await Reviewer.of(client),
            approval_id,
            Verdict.VERDICT_CHANGES_REQUESTED,
            reason,
            ask=not yes,
            suggestion=suggestion,
        )


closing.add_to(app)
history.add_to(app)


def add_to(root: typer.Typer) -> None:
    """Add the group `approvals` and the command `inbox`."""
    root.add_typer(app)
    root.command()(inbox)


@client_command
async def inbox(
    session: Session,
    web: Annotated[bool, typer.Option("--web", help="Print the inbox's address in a browser, and open it.")] = False,
) -> None:
    """Review in the terminal, by keyboard. It shows the queue as it changes, and each approval as a whole."""
    if web:
        await in_browser(session)
        return
    try:
        from pdp.cli.inbox import Inbox
        from pdp.cli.reviewing import Reviewer
    except ImportError:
        exit_code.fail("this needs the extra `inbox`: pip install 'placet[inbox]'")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        sentence = (
            "the inbox needs a terminal; without one use `pdp approvals list --queue` and `pdp approvals approve`"
        )
        exit_code.fail(sentence, exit_code.USAGE)
    async with session.client() as client:
        await Reviewer.of(client)  # what cannot be reached is said before the screen is taken
        await Inbox(client).run_async()


async def _review_each(
    session: Session, approval_ids: list[str], verdict: "Verdict", reason: str, *, ask: bool
) -> None:
    from pdp.cli.reviewing import Reviewer, is_individual

    together = len(approval_ids) > 1
    async with session.client() as client:
        reviewer = await Reviewer.of(client)
        if together:
            alone = [one for one in approval_ids if is_individual((await reviewer.read(one)).approval)]
            if alone:
                exit_code.fail(f"the policy wants these reviewed one by one: {', '.join(alone)}", exit_code.USAGE)
        for approval_id in approval_ids:
            await _review(session, reviewer, approval_id, verdict, reason, ask=ask, together=together)


async def _review(
    session: Session,
    reviewer: "Reviewer",
    approval_id: str,
    verdict: "Verdict",
    reason: str,
    *,
    ask: bool,
    together: bool = False,
    suggestion: "Request | None" = None,
) -> None:
    from pdp.cli import display
    from pdp.cli.reviewing import require_may_review
    from pdp.v1.approval_pb2 import ApprovalState, Verdict

    answer = await reviewer.read(approval_id)
    show_text(display.seen(answer), sys.stderr)
    require_may_review(answer, verdict)
    if ask and sys.stdin.isatty():
        _confirm(_QUESTIONS[Verdict.Name(verdict)])
    reviewed = await reviewer.review(answer.approval, verdict, reason, suggestion=suggestion, together=together)
    show_short(session, reviewed)
    if reviewed.state == ApprovalState.APPROVAL_STATE_PENDING:
        show_text("\n".join(display.still_open(reviewed)), sys.stderr)


def _confirm(question: str) -> None:
    """Ask the person at the terminal, and end here unless the answer is yes."""
    if not sys.stderr.isatty():
        sentence = "the question cannot be shown, because standard error is not a terminal; pass --yes"
        exit_code.fail(sentence, exit_code.USAGE)
    typer.confirm(question, abort=True, err=True)


def _request(file: Path) -> "Request":
    from pdp.v1.request_pb2 import Request

    return request_file.message(str(file), Request())
