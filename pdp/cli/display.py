"""For people's eyes: the whole of a request, in a fixed order, with every character that could deceive made visible."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

import orjson
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

from pdp.v1.approval_pb2 import Approval, ApprovalReview, ApprovalState, Requirement, Verdict
from pdp.v1.audit_pb2 import RecordSummary
from pdp.v1.decision_pb2 import AuthorizeResponse
from pdp.v1.request_pb2 import Effect, Request, Subject

_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_VARIATION_SELECTORS = (
    *range(0xFE00, 0xFE10),
    *range(0xE0100, 0xE01F0),
    0x034F,
    0x115F,
    0x1160,
    0x17B4,
    0x17B5,
    0x3164,
    0xFFA0,
)
MAX_MARKS = 4


def visible(text: str) -> str:
    r"""`text` with control, bidi, zero-width, tag and unassigned characters and piled-up marks as `\u{…}`."""
    shown, marks = [], 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        hidden = category in _INVISIBLE or ord(character) in _VARIATION_SELECTORS or marks > MAX_MARKS
        shown.append(f"\\u{{{ord(character):x}}}" if hidden else character)
    return "".join(shown)


def decision(answer: AuthorizeResponse) -> str:
    """An answer in a few lines."""
    lines = [f"{_short(Effect.Name(answer.effect), 'EFFECT_')}{'  (dry run)' if answer.dry_run else ''}"]
    lines += [f"  {visible(reason.reason)}  [{visible(reason.rule)}]" for reason in answer.reasons]
    lines += [f"  obligation {visible(duty.type)}: {visible(duty.reason)}" for duty in answer.obligations]
    if answer.HasField("approval"):
        lines += [f"  approval  {answer.approval.approval_id}  {state(answer.approval)}", *_progress(answer.approval)]
    if answer.grant:
        lines.append(f"  grant     {answer.grant[:24]}… (a proof of this one allow, valid for 30 s)")
    if answer.HasField("fired"):
        lines += [f"  fired     {name}: {_rules(reasons)}" for name, reasons in _fired(answer) if reasons]
    lines.append(f"  decision  {answer.decision_id}  policy {answer.policy_revision[:12]}")
    return "\n".join(lines)


def approval(held: Approval) -> str:
    """An approval, whole: request, requirements, reviews; then, apart, the requester's own words."""
    lines = [
        f"approval      {held.approval_id}  {state(held)}",
        f"asked by      {visible(held.caller)}  at {_time(held.created_at)}",
        *_until(held),
        "",
        *request(held.request),
        "",
        *(line for requirement in held.requirements for line in _requirement(requirement)),
        *(line for review in held.reviews for line in _review(review)),
        f"must not review  {', '.join(map(visible, held.requester_principals))}",
        f"digest        {held.request_digest}",
    ]
    if held.justification:
        lines += ["", "the requester's own words (untrusted):", f"  | {visible(held.justification)}"]
    return "\n".join(lines)


def request(asked: Request) -> Iterator[str]:
    """Every leaf of a request."""
    yield f"who           {_subject(asked.subject)}"
    yield from _leaves("who", asked.subject.properties)
    for principal in asked.on_behalf_of:
        yield f"on behalf of  {_subject(principal)}"
        yield from _leaves("on behalf of", principal.properties)
    yield f"does          {visible(asked.action.name)}"
    yield from _leaves("action", asked.action.properties)
    yield f"to            {visible(asked.resource.type)}:{visible(asked.resource.id)}"
    yield from _leaves("resource", asked.resource.properties)
    yield from _leaves("context", asked.context)


def approval_table(approvals: Iterable[Approval]) -> str:
    """One line an approval."""
    rows = [
        (
            held.approval_id,
            state(held),
            f"{held.request.action.name} {held.request.resource.type}:{held.request.resource.id}",
            _subject(held.request.subject),
            _time(held.expires_at) if held.HasField("expires_at") else "",
        )
        for held in approvals
    ]
    return table(("APPROVAL", "STATE", "ACTION", "SUBJECT", "UNTIL"), rows)


def record_table(records: Iterable[RecordSummary]) -> str:
    """One line a record."""
    rows = [
        (
            record.record_id,
            record.kind,
            _time(record.recorded_at),
            _short(Effect.Name(record.effect), "EFFECT_") if record.effect else "",
            ", ".join(record.rules),
            record.approval_id,
        )
        for record in records
    ]
    return table(("RECORD", "KIND", "AT", "EFFECT", "RULES", "APPROVAL"), rows)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as they need to be; nothing is cut."""
    cells = [tuple(header), *(tuple(visible(cell) for cell in row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def state(held: Approval) -> str:
    """The state's name."""
    return _short(ApprovalState.Name(held.state), "APPROVAL_STATE_")


def _leaves(path: str, struct: Struct) -> Iterator[str]:
    for key in sorted(struct.fields):
        yield from _leaf(f"{path}.{key}", struct.fields[key])


def _leaf(path: str, value: Value) -> Iterator[str]:
    kind = value.WhichOneof("kind")
    if kind == "struct_value" and value.struct_value.fields:
        yield from _leaves(path, value.struct_value)
    elif kind == "list_value" and value.list_value.values:
        for index, item in enumerate(value.list_value.values):
            yield from _leaf(f"{path}[{index}]", item)
    else:
        yield f"  {visible(path)} = {_json(value)}"


def _json(value: Value) -> str:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return visible(orjson.dumps(value.string_value).decode())
    if kind == "number_value":
        number = value.number_value
        return str(int(number)) if number.is_integer() else repr(number)
    if kind == "bool_value":
        return "true" if value.bool_value else "false"
    return {"null_value": "null", "struct_value": "{}", "list_value": "[]"}[kind or "null_value"]


def _requirement(requirement: Requirement) -> Iterator[str]:
    who = ", ".join([*(f"group {group}" for group in requirement.groups), *requirement.identities])
    why = f"{visible(requirement.reason)}  [{visible(requirement.rule)}]"
    yield f"needs         {requirement.count} of {visible(who)}: {why}"
    yield f"              {requirement.approved} of {requirement.count} so far"


def _review(review: ApprovalReview) -> Iterator[str]:
    verdict = _short(Verdict.Name(review.verdict), "VERDICT_")
    yield f"reviewed      {verdict} by {visible(review.reviewer)} at {_time(review.reviewed_at)}"
    if review.reason:
        yield f"              | {visible(review.reason)}"


def _progress(held: Approval) -> Iterator[str]:
    for requirement in held.requirements:
        who = ", ".join([*requirement.groups, *requirement.identities])
        yield f"            {requirement.approved} of {requirement.count} from {visible(who)}"


def _until(held: Approval) -> Iterator[str]:
    if held.HasField("expires_at"):
        yield f"until         {_time(held.expires_at)}"
    if held.HasField("closed_at"):
        yield f"closed        {_time(held.closed_at)}"


def _fired(answer: AuthorizeResponse) -> Iterator[tuple[str, Sequence[object]]]:
    for name in ("deny", "needs_approval", "allow", "obligation"):
        yield name, getattr(answer.fired, name)


def _rules(reasons: Iterable[object]) -> str:
    return ", ".join(visible(getattr(reason, "rule", "")) for reason in reasons)


def _subject(subject: Subject) -> str:
    return f"{visible(subject.type)}:{visible(subject.id)}"


def _time(stamp: Timestamp) -> str:
    return stamp.ToDatetime().strftime("%Y-%m-%d %H:%M:%S UTC")


def _short(name: str, prefix: str) -> str:
    return name.removeprefix(prefix)
