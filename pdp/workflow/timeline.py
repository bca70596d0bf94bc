"""What happened to an approval, in the order of time, from the approval, its messages, and for auditors its records."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import orjson

from pdp import identifier
from pdp.approval import Approval, ApprovalAt, Outcome, Review, ReviewVerdict, State
from pdp.audit.record import Kind
from pdp.caller import Caller, Role
from pdp.recording.payloads import Payloads
from pdp.store.notifications import Errand, Notification, Progress
from pdp.store.records import Records

_TOLD = ("", Errand.ASK, Errand.END, Errand.REMIND)
"""The errands that tell somebody of something new; that of a webhook's message is empty."""
MOST_RECORDS = 100
"""Records of an approval that are looked at; each step has one or two."""


class Event(StrEnum):
    """What happened. The names are the contract's."""

    ASKED = "ASKED"
    TOLD = "TOLD"
    REMINDED = "REMINDED"
    REVIEWED = "REVIEWED"
    SENT_BACK = "SENT_BACK"
    USED = "USED"
    OUTCOME = "OUTCOME"
    ENDED = "ENDED"
    DENIAL_TAKEN_BACK = "DENIAL_TAKEN_BACK"


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened, with its record where the reader may audit.

    `told_of` is what a message is about, and `told_in` the channel of one to people.
    """

    event: Event
    at: datetime
    who: str = ""
    review: Review | None = None
    state: State | None = None
    outcome: Outcome | None = None
    told_of: str = ""
    record_id: str = ""
    told_in: str = ""


@dataclass(frozen=True, slots=True)
class RecordsOf:
    """The ids of an approval's records: of each kind the newest, and of each review its own."""

    newest: Mapping[str, str] = field(default_factory=dict)
    reviews: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def of(self, kind: Kind) -> str:
        """The newest of a kind; empty where none is known."""
        return self.newest.get(kind, "")

    def of_review(self, review: Review) -> str:
        """The record of a review; empty where it is not known, or what it held was erased."""
        return self.reviews.get((review.reviewer, _text(review.at)), "")


class Timelines:
    """Tells the timelines of approvals."""

    def __init__(self, records: Records, payloads: Payloads) -> None:
        self._records, self._payloads = records, payloads

    async def of(self, held: ApprovalAt, sent: Sequence[Notification], caller: Caller) -> list[Happened]:
        """What happened to an approval that the caller may see, and to which `sent` was sent."""
        audits = Role.AUDITOR in caller.roles
        return timeline(held, sent, await self._records_of(held.approval) if audits else RecordsOf(), audits=audits)

    async def _records_of(self, approval: Approval) -> RecordsOf:
        page = await self._records.page(approval_id=approval.id, limit=MOST_RECORDS)
        found = [listed.members for listed in page]
        newest = {one["kind"]: one["id"] for one in reversed(found)}
        reviews = dict[tuple[str, str], str]()
        for one in found:
            if one["kind"] == Kind.APPROVAL_REVIEWED and (uuid := identifier.uuid_bytes(one["id"])):
                payload = await self._payloads.of(uuid, one["id"])
                reviews[payload.get("reviewer", ""), payload.get("at", "")] = one["id"]
        return RecordsOf(newest, reviews)


def timeline(
    held: ApprovalAt, sent: Sequence[Notification], records: RecordsOf, *, audits: bool = False
) -> list[Happened]:
    """What happened, in the order of time. Of equal times the steps come before what was told of them."""
    steps = [*_steps(held, records), *_told(sent, audits=audits)]
    return sorted(steps, key=lambda one: one.at)


def _steps(held: ApprovalAt, records: RecordsOf) -> Iterator[Happened]:
    approval = held.approval
    created = records.of(Kind.APPROVAL_CREATED)
    yield Happened(Event.ASKED, approval.created_at, approval.caller, record_id=created)
    for review in approval.reviews:
        is_back = review.verdict is ReviewVerdict.CHANGES_REQUESTED
        event = Event.SENT_BACK if is_back else Event.REVIEWED
        yield Happened(event, review.at, review.reviewer, review=review, record_id=records.of_review(review))
    if approval.used_by and approval.closed_at:
        used = records.of(Kind.APPROVAL_CONSUMED)
        yield Happened(Event.USED, approval.closed_at, approval.caller, record_id=used)
    elif ended_at := approval.closed_at or (approval.expires_at if held.state is State.EXPIRED else None):
        closed = records.of(Kind.APPROVAL_CLOSED)
        yield Happened(Event.ENDED, ended_at, approval.closed_by, state=held.state, record_id=closed)
    if told := approval.outcome:
        reported = records.of(Kind.OUTCOME)
        yield Happened(Event.OUTCOME, told.reported_at, approval.caller, outcome=told, record_id=reported)
    if taken := approval.taken_back:
        back = records.of(Kind.DENIAL_TAKEN_BACK)
        yield Happened(Event.DENIAL_TAKEN_BACK, taken.at, taken.by, record_id=back)


def _told(sent: Sequence[Notification], *, audits: bool) -> Iterator[Happened]:
    for one in sent:
        if one.progress is Progress.DELIVERED and one.tried_at and one.errand in _TOLD:
            record = one.record_id if audits else ""
            event = Event.REMINDED if one.errand == Errand.REMIND else Event.TOLD
            who, where = one.to or one.webhook, one.channel
            yield Happened(event, one.tried_at, who, told_of=one.event, record_id=record, told_in=where)


def _text(at: datetime) -> str:
    """A time as payloads have it."""
    return str(orjson.loads(orjson.dumps(at)))
