"""`pdp approvals history` and `take-back`: what I could review or was asked in my name, and a denial by mistake."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from pdp.cli.closing import show_short
from pdp.cli.paging import PageSize
from pdp.cli.session import Session, client_command
from pdp.say import say

if TYPE_CHECKING:
    from pdp.client import Client
    from pdp.v1.review_pb2 import ListHistoryRequest, ListHistoryResponse


class _State(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    CONSUMED = "consumed"
    VOIDED = "voided"
    CANCELLED = "cancelled"
    REVOKED = "revoked"


def add_to(app: typer.Typer) -> None:
    """Add `history` and `take-back`."""
    app.command()(history)
    app.command("take-back")(take_back)


@client_command
async def history(
    session: Session,
    state: Annotated[_State | None, typer.Option(help="Only those in this state.")] = None,
    caller: Annotated[str, typer.Option(metavar="TYPE:ID", help="Only what this caller asked.")] = "",
    action: Annotated[str, typer.Option(metavar="NAME", help="Only requests to do this.")] = "",
    resource_type: Annotated[str, typer.Option(metavar="TYPE", help="Only requests to this type of resource.")] = "",
    in_my_name: Annotated[bool, typer.Option("--in-my-name", help="Only what was asked in my name.")] = False,
    page_size: PageSize = 50,
    everything: Annotated[bool, typer.Option("--all", help="List all pages.")] = False,
) -> None:
    """List what I could review or was asked in my name.

    It also has what is over, the newest first, and nothing that `pdp approvals show` does not show me today.
    """
    from pdp.cli import tables
    from pdp.v1.review_pb2 import ListHistoryRequest

    asked = ListHistoryRequest(
        page_size=page_size,
        state=f"APPROVAL_STATE_{state.upper()}" if state else None,
        caller=caller,
        action=action,
        resource_type=resource_type,
        asked_in_my_name=in_my_name,
    )
    async with session.client() as client:
        page = await _read(client, asked, everything=everything)
    session.print(page, lambda: tables.history_table(page.approvals), page.approvals)
    if page.next_page_token:
        say("there are more; --all lists them")


@client_command
async def take_back(
    session: Session, approval_id: Annotated[str, typer.Argument(metavar="ID", help="The approval's id, apr_…")]
) -> None:
    """Take my denial back, within ten minutes.

    The approval stays DENIED, and the same request may be asked anew.
    """
    from pdp.v1.review_pb2 import TakeBackDenialRequest

    async with session.client() as client:
        answer = await client.call(client.reviews.TakeBackDenial, TakeBackDenialRequest(approval_id=approval_id))
    show_short(session, answer.approval)
    say("it stays DENIED; the same request may be asked anew")


async def _read(client: "Client", asked: "ListHistoryRequest", *, everything: bool) -> "ListHistoryResponse":
    """One page, or all of them as one."""
    page = await client.call(client.reviews.ListHistory, asked)
    while everything and page.next_page_token:
        asked.page_token = page.next_page_token
        more = await client.call(client.reviews.ListHistory, asked)
        page.next_page_token = more.next_page_token
        page.approvals.extend(more.approvals)
    return page
