"""Where the tags of an approval's data come from, for the person who reviews it."""

from typing import TYPE_CHECKING

from pdp.client.call_error import CallError
from pdp.visible import visible

if TYPE_CHECKING:
    from pdp.client import Client
    from pdp.v1.approval_pb2 import Approval
    from pdp.v1.lineage_pb2 import ExplainTagResponse

MAX_SHOWN = 20
"""Tags of columns that are explained; `pdp lineage why` explains the others."""
_ASKS = "unclassified"


async def origins(client: "Client", held: "Approval") -> list[str]:
    """Two lines or more for each tag of each column: who says so, where, and each job between there and here.

    Nothing where the server keeps no lineage, or does not show it to this caller.
    """
    from pdp.v1.lineage_pb2 import DataName, ExplainTagRequest, ResourceName

    resource = held.request.resource
    data = DataName(resource=ResourceName(type=resource.type, id=resource.id))
    pairs = [(column.name, tag) for column in held.lineage.columns for tag in column.tags if tag != _ASKS]
    lines: list[str] = []
    for column, tag in pairs[:MAX_SHOWN]:
        request = ExplainTagRequest(data=data, column=column, tag=tag, at=held.lineage.revision)
        try:
            answer = await client.call(client.lineage.ExplainTag, request)
        except CallError:
            break
        lines += _told(column, tag, answer)
    if len(pairs) > MAX_SHOWN and lines:
        lines.append(f"  {len(pairs) - MAX_SHOWN} more: pdp lineage why DATA --column NAME --tag TAG")
    return ["", "where the tags come from:", *lines] if lines else []


def _told(column: str, tag: str, answer: "ExplainTagResponse") -> list[str]:
    from pdp.cli.lineage_display import assertion, step

    if not answer.carried:
        return []
    said = [f"    {line}" for one in answer.assertions for line in assertion(one)]
    return [f"  {visible(column)}: {visible(tag)}", *said, *(f"    {step(one)}" for one in answer.steps)]
