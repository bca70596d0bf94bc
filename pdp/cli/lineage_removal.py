"""`pdp lineage untag`, `end-edge`, `unlink` and `declassify`: what takes something away, if the policy allows it."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdp.cli import dataset, decisions
from pdp.cli.dataset import Data, Namespace
from pdp.cli.decisions import status
from pdp.cli.session import Session, client_command

if TYPE_CHECKING:
    from pdp.v1.lineage_pb2 import LineageScope

_Why = Annotated[str, typer.Option("--reason", help="Why; it is required and kept.")]
_Seen = Annotated[int, typer.Option("--revision", min=1, metavar="N", help="The revision that you looked at.")]
_Tag = Annotated[str, typer.Argument(metavar="TAG", help="The tag, such as pii or pii:masked.")]
_Column = Annotated[str, typer.Option(metavar="NAME", help="The column; left out, the whole dataset.")]


@client_command
async def untag(
    session: Session,
    data: Data,
    tag: _Tag,
    reason: _Why,
    revision: _Seen,
    column: _Column = "",
    namespace: Namespace = "",
    request_id: decisions.RequestId = "",
    approval_id: decisions.ApprovalId = "",
    justification: decisions.Justification = "",
) -> None:
    """End what was said of a tag. It may still come through edges."""
    from pdp.v1.lineage_pb2 import UntagRequest

    scope = _scope(request_id, approval_id, justification)
    request = UntagRequest(
        data=dataset.data(data, namespace), column=column, tag=tag, reason=reason, revision=revision, scope=scope
    )
    await _remove(session, "Untag", request)


@client_command
async def end_edge(
    session: Session,
    source: Annotated[str, typer.Argument(metavar="FROM", help="The dataset where it begins, as NAMESPACE/NAME.")],
    data: Annotated[str, typer.Argument(metavar="TO", help="The data where it ends.")],
    reason: _Why,
    revision: _Seen,
    source_column: Annotated[str, typer.Option(metavar="NAME", help="The column where it begins.")] = "",
    column: Annotated[str, typer.Option(metavar="NAME", help="The column where it ends.")] = "",
    request_id: decisions.RequestId = "",
    approval_id: decisions.ApprovalId = "",
    justification: decisions.Justification = "",
) -> None:
    """End the edges from one column to another.

    That ends those that were seen so far; a job that runs again brings them back.
    """
    from pdp.v1.lineage_pb2 import EndEdgeRequest

    request = EndEdgeRequest(
        data=dataset.data(data, hint="TO"),
        column=column,
        source=dataset.dataset(source, hint="FROM"),
        source_column=source_column,
        reason=reason,
        revision=revision,
        scope=_scope(request_id, approval_id, justification),
    )
    await _remove(session, "EndEdge", request)


@client_command
async def unlink(
    session: Session,
    one: Annotated[str, typer.Argument(metavar="ONE", help="A dataset as NAMESPACE/NAME.")],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The other name.")],
    reason: _Why,
    revision: _Seen,
    request_id: decisions.RequestId = "",
    approval_id: decisions.ApprovalId = "",
    justification: decisions.Justification = "",
) -> None:
    """Part two names that were taken for one dataset."""
    from pdp.v1.lineage_pb2 import UnlinkRequest

    request = UnlinkRequest(
        one=dataset.dataset(one, hint="ONE"),
        other=dataset.dataset(other, hint="OTHER"),
        reason=reason,
        revision=revision,
        scope=_scope(request_id, approval_id, justification),
    )
    await _remove(session, "Unlink", request)


@client_command
async def declassify(
    session: Session,
    data: Data,
    tag: _Tag,
    reason: _Why,
    revision: _Seen,
    column: Annotated[str, typer.Option(metavar="NAME", help="The column; left out, what every column gets.")] = "",
    until: Annotated[datetime | None, typer.Option(help="When the tag comes back (UTC); by default never.")] = None,
    namespace: Namespace = "",
    request_id: decisions.RequestId = "",
    approval_id: decisions.ApprovalId = "",
    justification: decisions.Justification = "",
) -> None:
    """Stop an inherited tag at a column, or in what every column gets.

    It stops for the edges of that revision. One that comes later brings the tag back. Without --column it stops what
    came without columns; a column keeps what comes to it by itself.
    """
    from google.protobuf.timestamp_pb2 import Timestamp

    from pdp.v1.lineage_pb2 import DeclassifyRequest

    expires_at = Timestamp()
    if until is not None:
        expires_at.FromDatetime(until)
    request = DeclassifyRequest(
        data=dataset.data(data, namespace),
        column=column,
        tag=tag,
        expires_at=expires_at if until else None,
        reason=reason,
        revision=revision,
        scope=_scope(request_id, approval_id, justification),
    )
    await _remove(session, "Declassify", request)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (untag, end_edge, unlink, declassify):
        app.command()(command)


def _scope(request_id: str, approval_id: str, justification: str) -> "LineageScope":
    from pdp.v1.lineage_pb2 import LineageScope

    return LineageScope(request_id=request_id, approval_id=approval_id, justification=justification)


async def _remove(session: Session, rpc: str, request: Any) -> None:
    from pdp.cli import display

    async with session.client() as client:
        answer = await client.call(getattr(client.lineage, rpc), request)
    done = f"\nas of revision {answer.revision.n}" if answer.HasField("revision") else ""
    session.print(answer, lambda: display.decision(answer.decision) + done)
    raise typer.Exit(status(answer.decision))
