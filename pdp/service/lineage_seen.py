"""What a reviewer is shown of the data, as the contract's message."""

from pdp.lineage.seen import NOTHING_TO_SHOW, seen
from pdp.lineage.view import View
from pdp.service.dataset_message import dataset
from pdp.v1.approval_pb2 import ApprovalColumn, ApprovalLineage

ALL_COLUMNS, FEW_COLUMNS = 10_000, 100
"""Columns that one approval shows, and one of many in a list. Of more, none is shown."""


def lineage(now: View, opened: str, most: int = ALL_COLUMNS) -> ApprovalLineage | None:
    """What is known now, with what came since the approval was `opened` marked; None where there is nothing to show."""
    if now.state in NOTHING_TO_SHOW:
        return None
    before = seen(opened)
    is_cut = len(now.columns) > most
    return ApprovalLineage(
        state=now.state,
        datasets=[dataset(one) for one in now.datasets],
        tags=now.tags,
        new_tags=[tag for tag in now.tags if tag not in before.tags],
        columns=[
            ApprovalColumn(name=name, tags=tags, new_tags=before.added(name, tags))
            for name, tags in (() if is_cut else sorted(now.columns.items()))
        ],
        coarse=now.coarse,
        revision=now.revision.n,
        head=now.revision.head,
        digest=now.digest,
        truncated=is_cut,
    )
