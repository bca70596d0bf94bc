"""Shows requests, approvals and decisions to people.

1. A request is shown as a whole, in a fixed order.
2. Two requests that differ look different.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from pdp.cli import origins, seen_lineage, stuck, telling, tokens
from pdp.cli.leaves import of_struct
from pdp.v1.approval_pb2 import (
    Approval,
    ApprovalReview,
    ApprovalState,
    EligibleReviewers,
    GetApprovalResponse,
    OutcomeState,
    Requirement,
    Verdict,
)
from pdp.v1.audit_pb2 import RecordSummary
from pdp.v1.decision_pb2 import AuthorizeResponse
from pdp.v1.request_pb2 import Effect, Request, Subject
from pdp.visible import name, noted, typed, visible


def decision(answer: AuthorizeResponse) -> str:
    """A decision in a few lines."""
    notes = ["(dry run)"] * answer.dry_run + ["(withheld: its caller was told no)"] * answer.withheld
    lines = ["  ".join([effect(answer.effect), *notes])]
    lines += [f"  {visible(reason.reason)}  [{visible(reason.rule)}]" for reason in answer.reasons]
    for duty in answer.obligations:
        lines += [f"  obligation {name(duty.type)}: {visible(duty.reason)}  [{visible(duty.rule)}]"]
        lines += [f"  {line}" for line in _leaves(name(duty.type), duty.properties)]
    if answer.HasField("approval"):
        held = answer.approval
        lines += [f"  approval  {name(held.approval_id)}  {state(held)}", *_progress(held)]
    if answer.grant:
        lines.append(f"  grant     {visible(answer.grant[:24])}… (a proof of this one allow, valid for 30 s)")
    if answer.HasField("fired"):
        lines += [f"  fired     {fired}: {_rules(reasons)}" for fired, reasons in _fired(answer) if reasons]
    lines.append(f"  decision  {visible(answer.decision_id)}  policy {visible(answer.policy_revision[:12])}")
    return "\n".join(lines)


def approval(held: Approval, data: Iterable[str] | None = None) -> str:
    """A whole approval: request, what is known of its data, requirements, reviews, and last the requester's words."""
    known = seen_lineage.lines(held.lineage) if data is None else data
    lines = [
        f"approval      {name(held.approval_id)}  {state(held)}",
        f"asked by      {name(held.caller)}  at {_time(held.created_at)}",
        *_until(held),
        "",
        *request(held.request),
        "",
        *(known if held.HasField("lineage") else ()),
        *tokens.described(held),
        *([f"answers       {name(held.supersedes)}, which was sent back"] if held.supersedes else []),
        *(line for requirement in held.requirements for line in _requirement(requirement)),
        *(line for review in held.reviews for line in _review(review)),
        f"must not review  {', '.join(map(name, held.requester_principals))}",
        f"digest        {visible(held.request_digest)}",
    ]
    lines += _words("the requester's own words (untrusted):", held.justification)
    lines += _words(f"{name(held.closed_by)} closed it:", held.close_reason)
    if held.HasField("outcome"):
        late = " (late: after the grant had expired)" if held.outcome.late else ""
        lines += ["", f"outcome       {_named(OutcomeState, held.outcome.state, 'OUTCOME_STATE_')}{late}"]
        lines += _words("its caller says (untrusted):", held.outcome.detail)
    return "\n".join(map(noted, lines))


def seen(answer: GetApprovalResponse, most: int | None = seen_lineage.SHOWN) -> str:
    """An approval as the caller sees it, with at most so many columns; None is all of them.

    After the approval it shows where the tags of its data come from, who may still review it, what differs from the
    last approved request of this kind, and whether the caller may review it.
    """
    lines = origins.lines(answer.origins, answer.approval.lineage)
    lines += ["", *(f"may review    {_eligible(people)}" for people in answer.eligible)] if answer.eligible else []
    lines += stuck.lines(answer)
    if answer.HasField("last_approved"):
        lines += [
            "",
            f"compared with {name(answer.last_approved.approval_id)}, the last of this kind that was approved:",
            *(list(differences(answer.last_approved.request, answer.approval.request)) or ["  nothing differs"]),
        ]
    may = "you may review it" if answer.may_review else f"you may not review it: {answer.may_not_review_because}"
    shown = approval(answer.approval, seen_lineage.whole(answer, most))
    return "\n".join([shown, *map(noted, lines), "", visible(may)])


def differences(before: Request, after: Request) -> Iterator[str]:
    """The lines that differ between two requests: `-` is only in `before`, `+` is only in `after`."""
    old, new = list(request(before)), list(request(after))
    yield from (f"- {line}" for line in old if line not in set(new))
    yield from (f"+ {line}" for line in new if line not in set(old))


def request(asked: Request) -> Iterator[str]:
    """A line for every leaf of a request. An indented line belongs to the line above it."""
    yield f"who           {_subject(asked.subject)}"
    yield from _leaves("who", asked.subject.properties)
    for principal in asked.on_behalf_of:
        yield f"on behalf of  {_subject(principal)}"
        yield from _leaves("on behalf of", principal.properties)
    yield f"does          {name(asked.action.name)}"
    yield from _leaves("action", asked.action.properties)
    yield f"to            {typed(asked.resource.type, asked.resource.id)}"
    yield from _leaves("resource", asked.resource.properties)
    yield from _leaves("context", asked.context)


def approval_table(approvals: Iterable[Approval]) -> str:
    """A table with one line for each approval."""
    rows = [
        (
            name(held.approval_id),
            state(held),
            telling.does(held),
            _subject(held.request.subject),
            _time(held.expires_at) if held.HasField("expires_at") else "",
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
            _time(row.held.expires_at) if row.held.HasField("expires_at") else "",
        )
        for row in telling.rows(approvals)
    ]
    return table(("APPROVAL", "STATE", "ACTION", "WHAT", "WHO", "UNTIL"), rows)


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
            _time(row.held.expires_at) if row.held.HasField("expires_at") else "",
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


def still_open(held: Approval) -> list[str]:
    """What a pending approval still waits for, a line for each requirement that is not met."""
    return [
        f"still open    {one.count - one.approved} of {_who(one)}  [{visible(one.rule)}]"
        for one in held.requirements
        if one.approved < one.count
    ]


QUEUE = ("APPROVAL", "ACTION", "WHAT", "WHO", "CARRIES", "NEEDS", "AGE", "UNTIL")
"""The header of a queue."""


def record_table(records: Iterable[RecordSummary]) -> str:
    """A table with one line for each record."""
    rows = [
        (
            visible(record.record_id),
            visible(record.kind),
            _time(record.recorded_at),
            (effect(record.effect) if record.effect else "") + " (withheld)" * record.withheld,
            ", ".join(map(visible, record.rules)),
            visible(record.approval_id),
        )
        for record in records
    ]
    return table(("RECORD", "KIND", "AT", "EFFECT", "RULES", "APPROVAL"), rows)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; nothing is cut. The caller gives cells of visible text."""
    cells = [tuple(header), *map(tuple, rows)]
    return aligned(cells, [max(len(row[column]) for row in cells) for column in range(len(header))])


def aligned(rows: Iterable[Sequence[str]], widths: Sequence[int]) -> str:
    """Rows in columns of these widths."""
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def state(held: Approval) -> str:
    """The state's name."""
    return _named(ApprovalState, held.state, "APPROVAL_STATE_")


def effect(value: int) -> str:
    """The effect's name."""
    return _named(Effect, value, "EFFECT_")


def _named(enum: Any, value: int, prefix: str) -> str:
    """The name of an enum's value, or its number: a newer server may send a value that has no name here."""
    return str(enum.Name(value)).removeprefix(prefix) if value in enum.values() else f"{prefix}{value}"


def _leaves(label: str, struct: Struct) -> Iterator[str]:
    return (f"  {leaf.label} = {leaf.text}" for leaf in of_struct("", label, struct))


def _words(heading: str, text: str) -> list[str]:
    return ["", heading, *(f"  | {visible(line)}" for line in text.split("\n"))] if text else []


def _eligible(people: EligibleReviewers) -> str:
    others = ["others who fit"] if people.open else []
    return f"{', '.join([*map(name, people.identities), *others]) or 'nobody'}  [{visible(people.rule)}]"


def _who(requirement: Requirement) -> str:
    who = ", ".join([*(f"group {name(group)}" for group in requirement.groups), *map(name, requirement.identities)])
    claims = [line.strip() for line in _leaves("claim", requirement.claims)]
    return ", ".join(filter(None, [who, " and ".join(claims)]))


def _requirement(requirement: Requirement) -> Iterator[str]:
    alone = ", each by itself" * requirement.individual + ", with their passkeys" * requirement.passkey
    yield f"needs         {requirement.count} of {_who(requirement)}, so far {requirement.approved}{alone}"
    yield f"              {visible(requirement.reason)}  [{visible(requirement.rule)}]"


def _review(review: ApprovalReview) -> Iterator[str]:
    verdict = _named(Verdict, review.verdict, "VERDICT_")
    yield f"reviewed      {verdict} by {name(review.reviewer)} at {_time(review.reviewed_at)}"
    if review.reason:
        yield from (f"              | {visible(line)}" for line in review.reason.split("\n"))
    if review.HasField("suggestion"):
        yield "              it would accept:"
        yield from (f"              {line}" for line in request(review.suggestion))


def _progress(held: Approval) -> Iterator[str]:
    for requirement in held.requirements:
        who = ", ".join(map(name, [*requirement.groups, *requirement.identities]))
        yield f"            {requirement.approved} of {requirement.count} from {who}"


def _until(held: Approval) -> Iterator[str]:
    if held.HasField("expires_at"):
        yield f"until         {_time(held.expires_at)}"
    if held.HasField("closed_at"):
        yield f"closed        {_time(held.closed_at)}"
    if held.HasField("denied_until"):
        yield f"denied again  until {_time(held.denied_until)}"


def _fired(answer: AuthorizeResponse) -> Iterator[tuple[str, Sequence[object]]]:
    for fired in ("deny", "needs_approval", "allow", "obligation"):
        yield fired, getattr(answer.fired, fired)


def _rules(reasons: Iterable[object]) -> str:
    return ", ".join(visible(getattr(reason, "rule", "")) for reason in reasons)


def _subject(subject: Subject) -> str:
    return typed(subject.type, subject.id)


def _time(stamp: Timestamp) -> str:
    return stamp.ToDatetime().strftime("%Y-%m-%d %H:%M:%S UTC")
