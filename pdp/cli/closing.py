"""How a requester, or who approved, ends an approval: takes it back, withdraws it, or reports what came of its use."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from pdp.cli.session import Session, client_command

if TYPE_CHECKING:
    from pdp.v1.approval_pb2 import Approval


class _Outcome(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


_Id = Annotated[str, typer.Argument(metavar="ID", help="The approval's id, apr_…")]
_Why = Annotated[str, typer.Option("--reason", help="Your reason; it is recorded.")]


def add_to(app: typer.Typer) -> None:
    """Add `revoke`, `cancel` and `outcome`."""
    for command in (revoke, cancel, outcome):
        app.command()(command)


@client_command
async def revoke(session: Session, approval_id: _Id, reason: _Why) -> None:
    """Take an approved approval back before it is used."""
    from pdp.v1.review_pb2 import RevokeApprovalRequest

    request = RevokeApprovalRequest(approval_id=approval_id, reason=reason)
    async with session.client() as client:
        show_short(session, (await client.call(client.reviews.RevokeApproval, request)).approval)


@client_command
async def cancel(session: Session, approval_id: _Id, reason: _Why = "") -> None:
    """Withdraw what I asked for, or what was asked in my name."""
    from pdp.v1.approval_pb2 import CancelApprovalRequest

    request = CancelApprovalRequest(approval_id=approval_id, reason=reason)
    async with session.client() as client:
        show_short(session, (await client.call(client.approvals.CancelApproval, request)).approval)


@client_command
async def outcome(
    session: Session,
    approval_id: _Id,
    state: Annotated[_Outcome, typer.Argument(help="How the action went.")],
    detail: Annotated[str, typer.Option(help="What happened; it is recorded, so it must not contain secrets.")] = "",
) -> None:
    """Report how the action of a used approval went."""
    from pdp.v1.approval_pb2 import ReportOutcomeRequest

    request = ReportOutcomeRequest(approval_id=approval_id, state=f"OUTCOME_STATE_{state.upper()}", detail=detail)
    async with session.client() as client:
        show_short(session, (await client.call(client.approvals.ReportOutcome, request)).approval)


def show_short(session: Session, approval: "Approval") -> None:
    """An approval in one line, below what was shown of it before."""
    from pdp.cli import tables

    session.print(approval, lambda: f"\n{tables.approval_table([approval])}")
