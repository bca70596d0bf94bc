"""Shows requests, approvals and decisions to people, as lines of text.

1. A request is shown as a whole, in a fixed order.
2. Two requests that differ look different.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from pdp.cli import origins, seen_lineage, stuck, timeline, tokens
from pdp.cli.notifications import undelivered
from pdp.cli.tables import moment
from pdp.v1.approval_pb2 import Approval, GetApprovalResponse
from pdp.v1.decision_pb2 import AuthorizeResponse
from pdp.v1.request_pb2 import Request
from pdp.view.leaf import of_struct
from pdp.view.named import effect, state
from pdp.view.progress import Eligible, Needs, needs
from pdp.view.request import Difference, Item, Named, items
from pdp.view.shown import Compared, Reviewed, Shown, of_answer, of_approval
from pdp.view.theirs import Theirs
from pdp.visible import name, noted, visible


def decision(answer: AuthorizeResponse) -> str:
    """A decision in a few lines."""
    notes = ["(dry run)"] * answer.dry_run + ["(withheld: its caller was told no)"] * answer.withheld
    lines = ["  ".join([effect(answer.effect), *notes])]
    lines += [f"  {visible(reason.reason)}  [{visible(reason.rule)}]" for reason in answer.reasons]
    for duty in answer.obligations:
        lines += [f"  obligation {name(duty.type)}: {visible(duty.reason)}  [{visible(duty.rule)}]"]
        lines += [f"  {line}" for line in _of_items(of_struct("", name(duty.type), duty.properties))]
    if answer.HasField("approval"):
        held = answer.approval
        lines += [f"  approval  {name(held.approval_id)}  {state(held)}", *_progress(held)]
    if answer.grant:
        lines.append(f"  grant     {visible(answer.grant[:24])}… (a proof of this one allow, valid for 30 s)")
    if answer.HasField("fired"):
        lines += [f"  fired     {fired}: {_rules(reasons)}" for fired, reasons in _fired(answer) if reasons]
    lines.append(f"  decision  {visible(answer.decision_id)}  policy {visible(answer.policy_revision[:12])}")
    return "\n".join(lines)


def approval(held: Approval) -> str:
    """A whole approval: request, what is known of its data, requirements, reviews, and last the requester's words."""
    return "\n".join(map(noted, _approval(of_approval(held), None)))


def seen(answer: GetApprovalResponse, most: int | None = seen_lineage.SHOWN) -> str:
    """An approval as the caller sees it, with at most so many columns; None is all of them.

    After the approval it shows where the tags of its data come from, who may still review it, what differs from the
    last approved request of this kind, and whether the caller may review it.
    """
    shown = of_answer(answer)
    lines = [*_approval(shown, most), *(origins.lines(shown.origins) if shown.origins else ())]
    lines += ["", *(f"may review    {_eligible(people)}" for people in shown.eligible)] if shown.eligible else []
    lines += stuck.lines(answer)
    lines += _compared(shown.sent_back, "which was sent back") if shown.sent_back else []
    lines += _compared(shown.compared, "the last of this kind that was approved") if shown.compared else []
    may = "you may review it" if answer.may_review else f"you may not review it: {answer.may_not_review_because}"
    return "\n".join([*map(noted, lines), "", visible(may)])


def whole(answer: GetApprovalResponse, most: int | None = seen_lineage.SHOWN) -> str:
    """The same, with what happened to it, and which webhooks were not told."""
    shown = of_answer(answer)
    return "\n".join([seen(answer, most), *map(noted, timeline.lines(shown)), *undelivered(shown.notices)])


def request(asked: Request) -> Iterator[str]:
    """A line for every leaf of a request. An indented line belongs to the line above it."""
    return _of_items(items(asked))


def still_open(held: Approval) -> list[str]:
    """What a pending approval still waits for, a line for each requirement that is not met."""
    found = map(needs, held.requirements)
    return [f"still open    {one.missing} of {_who(one)}  [{one.rule.visible}]" for one in found if one.missing]


def _approval(shown: Shown, most: int | None) -> list[str]:
    asked = shown.unmasking
    return [
        f"approval      {shown.approval_id.name}  {shown.state}",
        f"asked by      {shown.asked_by.name}  at {moment(shown.asked_at)}",
        *_until(shown),
        "",
        *_of_items(shown.request),
        "",
        *(seen_lineage.lines(shown.data, most) if shown.data else ()),
        *(tokens.described(asked, shown.approval_id) if asked else ()),
        *([f"answers       {shown.answers.name}, which was sent back"] if shown.answers else []),
        *(line for one in shown.needs for line in _needs(one, is_over=shown.is_over)),
        *(line for review in shown.reviews for line in _review(review)),
        f"must not review  {', '.join(one.name for one in shown.principals)}",
        f"digest        {shown.digest.visible}",
        *_untrusted(shown),
    ]


def _untrusted(shown: Shown) -> Iterator[str]:
    """What the people behind a request wrote, each text under what it is."""
    words = shown.words
    yield from _words("the requester's own words (untrusted):", words.justification)
    yield from _words(f"{words.closed_by.name} closed it:", words.close_reason)
    if shown.outcome:
        late = " (late: after the grant had expired)" if shown.outcome.late else ""
        yield from ("", f"outcome       {shown.outcome.state}{late}")
        yield from _words("its caller says (untrusted):", words.outcome)


def _compared(earlier: Compared, what: str) -> list[str]:
    title = f"compared with {earlier.approval_id.name}, {what}:"
    return ["", title, *(map(_difference, earlier.differences) if earlier.differences else ["  nothing differs"])]


def _difference(one: Difference) -> str:
    return f"{'+' if one.is_new else '-'} {_item(one.item)}"


def _of_items(shown: Iterable[Item]) -> Iterator[str]:
    return map(_item, shown)


def _item(item: Item) -> str:
    return f"{item.part:<14}{item.text}" if isinstance(item, Named) else f"  {item.label} = {item.text}"


def _words(heading: str, text: Theirs) -> Iterator[str]:
    if text:
        yield from ("", heading, *(f"  | {line.visible}" for line in text.lines))


def _eligible(people: Eligible) -> str:
    others = ["others who fit"] if people.open else []
    names = [one.name for one in people.identities]
    return f"{', '.join([*names, *others]) or 'nobody'}  [{people.rule.visible}]"


def _who(one: Needs) -> str:
    who = ", ".join([*(f"group {group.name}" for group in one.groups), *(person.name for person in one.identities)])
    return ", ".join(filter(None, [who, " and ".join(line.strip() for line in _of_items(one.claims))]))


def _needs(one: Needs, *, is_over: bool) -> Iterator[str]:
    alone = ", each by itself" * one.is_individual + ", with their passkeys" * one.wants_passkey
    asked, got = ("needed ", "got") if is_over else ("needs  ", "so far")
    yield f"{asked}       {one.people} of {_who(one)}, {got} {one.approved}{alone}"
    yield f"              {one.reason.visible}  [{one.rule.visible}]"


def _review(review: Reviewed) -> Iterator[str]:
    came = f" in {review.channel}" * bool(review.channel)
    account = f" as {review.account.name}" if review.account else ""
    signed = ", signed by a passkey" * review.is_signed
    yield f"reviewed      {review.verdict} by {review.reviewer.name} at {moment(review.at)} {came}{account}{signed}"
    if review.words:
        yield from (f"              | {line.visible}" for line in review.words.lines)
    if review.suggestion:
        yield "              it would accept:"
        yield from (f"              {line}" for line in _of_items(review.suggestion))


def _progress(held: Approval) -> Iterator[str]:
    for one in map(needs, held.requirements):
        who = ", ".join(each.name for each in (*one.groups, *one.identities))
        yield f"            {one.approved} of {one.people} from {who}"


def _until(shown: Shown) -> Iterator[str]:
    if shown.ends_at:
        yield f"until         {moment(shown.ends_at)}"
    if shown.closed_at:
        yield f"closed        {moment(shown.closed_at)}"
    if shown.denied_until:
        was = "was denied again until" if shown.denied_until <= datetime.now(UTC) else "denied again  until"
        yield f"{was} {moment(shown.denied_until)}"


def _fired(answer: AuthorizeResponse) -> Iterator[tuple[str, Sequence[object]]]:
    for fired in ("deny", "needs_approval", "allow", "obligation"):
        yield fired, getattr(answer.fired, fired)


def _rules(reasons: Iterable[object]) -> str:
    return ", ".join(visible(getattr(reason, "rule", "")) for reason in reasons)
