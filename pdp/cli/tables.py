"""Tables of approvals, of a queue and of records, a line for each."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from pdp.cli import seen_lineage, telling
from pdp.v1.approval_pb2 import Approval
from pdp.v1.audit_pb2 import RecordSummary
from pdp.view.decided import Step, decided
from pdp.view.named import effect, state
from pdp.visible import name, typed, visible


def approval_table(approvals: Iterable[Approval]) -> str:
    """A table with one line for each approval."""
    rows = [
        (
            name(held.approval_id),
            state(held),
            telling.does(held),
            typed(held.request.subject.type, held.request.subject.id),
            time(held.expires_at) if held.HasField("expires_at") else "",
        )
        for held in approvals
    ]
    return table(("APPROVAL", "STATE", "ACTION", "SUBJECT", "UNTIL"), rows)


def table_in_my_name(approvals: Iterable[Approval]) -> str:
    """A table of what others asked for, a line for each: no two different requests look alike."""
    rows = [
        (
            name(row.held.approval_id),
            state(row.held),
            row.does,
            row.what,
            row.whose,
            time(row.held.expires_at) if row.held.HasField("expires_at") else "",
        )
        for row in telling.rows(approvals)
    ]
    return table(("APPROVAL", "STATE", "ACTION", "WHAT", "WHO", "UNTIL"), rows)


def history_table(approvals: Iterable[Approval]) -> str:
    """A table of what was asked for, a line for each, with who decided on it and when."""
    rows = [
        (
            name(row.held.approval_id),
            state(row.held),
            row.does,
            row.what,
            row.whose,
            "; ".join(map(_step, decided(row.held))),
        )
        for row in telling.rows(approvals)
    ]
    return table(("APPROVAL", "STATE", "ACTION", "WHAT", "WHO", "DECIDED"), rows)


def queue_cells(approvals: Iterable[Approval], among: Iterable[Approval] = (), *, now: datetime) -> list[list[str]]:
    """The cells of a queue, a row for each approval. No row looks like that of another request, here or `among`."""
    chosen = list(approvals)
    told = telling.rows([*among, *chosen])[-len(chosen) :] if chosen else []
    return [
        [
            name(row.held.approval_id),
            row.does,
            row.what,
            row.whose,
            seen_lineage.brief(row.held.lineage),
            telling.needs(row.held),
            age(row.held, now),
            time(row.held.expires_at) if row.held.HasField("expires_at") else "",
        ]
        for row in told
    ]


def age(held: Approval, now: datetime) -> str:
    """How long ago it was opened."""
    seconds = max(int((now - held.created_at.ToDatetime(UTC)).total_seconds()), 0)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


QUEUE = ("APPROVAL", "ACTION", "WHAT", "WHO", "CARRIES", "NEEDS", "AGE", "UNTIL")
"""The header of a queue."""


def record_table(records: Iterable[RecordSummary]) -> str:
    """A table with one line for each record."""
    rows = [
        (
            visible(record.record_id),
            visible(record.kind),
            time(record.recorded_at),
            (effect(record.effect) if record.effect else "") + " (withheld)" * record.withheld,
            ", ".join(map(visible, record.rules)),
            visible(record.approval_id),
        )
        for record in records
    ]
    return table(("RECORD", "KIND", "AT", "EFFECT", "RULES", "APPROVAL"), rows)


def _step(one: Step) -> str:
    by = f" by {', '.join(who.name for who in one.who)}" if one.who else ""
    return f"{one.what}{by}{f' at {moment(one.at)}' if one.at else ''}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; nothing is cut. The caller gives cells of visible text."""
    cells = [tuple(header), *map(tuple, rows)]
    return aligned(cells, [max(len(row[column]) for row in cells) for column in range(len(header))])


def aligned(rows: Iterable[Sequence[str]], widths: Sequence[int]) -> str:
    """Rows in columns of these widths."""
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def time(stamp: Timestamp) -> str:
    """A time to the second."""
    return moment(stamp.ToDatetime(UTC))


def moment(at: datetime) -> str:
    """A time to the second."""
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")
