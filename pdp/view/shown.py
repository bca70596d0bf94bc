"""All that people are shown of one approval."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from pdp.v1.approval_pb2 import Approval, ApprovalReview, GetApprovalResponse, Notification, OutcomeState, Verdict
from pdp.view.data import Data, data
from pdp.view.named import at, channel, moment, named, state
from pdp.view.origins import Provenance, origins
from pdp.view.progress import Barred, Eligible, Needs, TooFew, barred, eligible, needs, too_few
from pdp.view.request import Difference, Item, differences, items
from pdp.view.theirs import Theirs, theirs
from pdp.view.timeline import Moment, entry
from pdp.view.unmasking import Unmasking, marked, unmasking

_OVER = frozenset({"DENIED", "EXPIRED", "CANCELLED", "CONSUMED", "REVOKED", "VOIDED"})


class Reviewed(NamedTuple):
    """One person's verdict, where it came from, its words, and the request that the person would accept.

    `account` is the chat account that sent it, and `is_signed` says that the person's passkey signed it.
    """

    verdict: str
    reviewer: Theirs
    at: datetime
    words: Theirs
    suggestion: tuple[Item, ...]
    channel: str
    account: Theirs
    is_signed: bool


class Words(NamedTuple):
    """What the people behind a request wrote, apart from all else: untrusted. Empty texts were not written."""

    justification: Theirs
    closed_by: Theirs
    close_reason: Theirs
    outcome: Theirs


class Outcome(NamedTuple):
    """How it went, as its caller says; `late` where that came after the grant had expired."""

    state: str
    at: datetime | None
    late: bool


class Compared(NamedTuple):
    """An earlier approval, and what differs from its request."""

    approval_id: Theirs
    differences: tuple[Difference, ...]


class May(NamedTuple):
    """Whether the reader may review it now, else why not: the sentence, and its stable reason."""

    may: bool
    because: Theirs
    reason: Theirs


class Notice(NamedTuple):
    """A message to a webhook, or in a channel to people: what it is about, how it went, and why it failed last."""

    webhook: Theirs
    event: Theirs
    state: Theirs
    attempts: int
    problem: Theirs
    channel: Theirs
    to: Theirs


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An approval as it is. What only `GetApproval` tells is None or empty in one that a list has.

    `compared` is the last approval of this kind that was given, `sent_back` the one that this one answers.
    """

    approval_id: Theirs
    state: str
    version: int
    digest: Theirs
    asked_by: Theirs
    asked_at: datetime
    ends_at: datetime | None
    closed_at: datetime | None
    denied_until: datetime | None
    request: tuple[Item, ...]
    data: Data | None
    unmasking: Unmasking | None
    answers: Theirs
    needs: tuple[Needs, ...]
    reviews: tuple[Reviewed, ...]
    principals: tuple[Theirs, ...]
    barred: tuple[Barred, ...]
    outcome: Outcome | None
    words: Words
    origins: Provenance | None = None
    eligible: tuple[Eligible, ...] = ()
    too_few: tuple[TooFew, ...] = ()
    compared: Compared | None = None
    sent_back: Compared | None = None
    notices: tuple[Notice, ...] = ()
    timeline: tuple[Moment, ...] = ()
    earlier: tuple[Theirs, ...] = ()
    page: Theirs | None = None
    you: May | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has ended, so that what is missing stays missing."""
        return self.state in _OVER


def of_approval(held: Approval) -> Shown:
    """An approval of a list."""
    return _of(held, data(held.lineage) if held.HasField("lineage") else None)


def of_answer(answer: GetApprovalResponse) -> Shown:
    """An approval as `GetApproval` tells of it to one reader."""
    held = answer.approval
    foreseen = answer.mask_forecast if answer.HasField("mask_forecast") else None
    known = data(held.lineage, foreseen, held.request.action.name) if held.HasField("lineage") else None
    before = answer.sent_back if answer.HasField("sent_back") else None
    return replace(
        _of(held, known),
        origins=origins(answer.origins, held.lineage),
        eligible=tuple(map(eligible, answer.eligible)),
        too_few=too_few(answer),
        barred=barred(held, before),
        compared=_compared(answer.last_approved, held) if answer.HasField("last_approved") else None,
        sent_back=_compared(before, held) if before else None,
        notices=tuple(_notice(one) for one in answer.notifications if _is_told(one)),
        timeline=tuple(map(entry, answer.timeline)),
        earlier=theirs(held.earlier),
        page=Theirs(answer.page) if answer.page else None,
        you=May(answer.may_review, Theirs(answer.may_not_review_because), Theirs(answer.may_not_review_reason)),
    )


def _of(held: Approval, known: Data | None) -> Shown:
    opens = unmasking(held)
    return Shown(
        approval_id=Theirs(held.approval_id),
        state=state(held),
        version=held.version,
        digest=Theirs(held.request_digest),
        asked_by=Theirs(held.caller),
        asked_at=at(held.created_at),
        ends_at=moment(held, "expires_at"),
        closed_at=moment(held, "closed_at"),
        denied_until=moment(held, "denied_until"),
        request=tuple(marked(item) if opens else item for item in items(held.request)),
        data=known,
        unmasking=opens,
        answers=Theirs(held.supersedes),
        needs=tuple(map(needs, held.requirements)),
        reviews=tuple(map(_reviewed, held.reviews)),
        principals=theirs(held.requester_principals),
        barred=barred(held),
        outcome=_outcome(held) if held.HasField("outcome") else None,
        words=Words(*theirs((held.justification, held.closed_by, held.close_reason, held.outcome.detail))),
    )


def _reviewed(review: ApprovalReview) -> Reviewed:
    return Reviewed(
        named(Verdict, review.verdict, "VERDICT_"),
        Theirs(review.reviewer),
        at(review.reviewed_at),
        Theirs(review.reason),
        tuple(items(review.suggestion) if review.HasField("suggestion") else ()),
        channel(review.channel),
        Theirs(review.account),
        review.HasField("passkey"),
    )


def _outcome(held: Approval) -> Outcome:
    outcome = held.outcome
    return Outcome(named(OutcomeState, outcome.state, "OUTCOME_STATE_"), moment(outcome, "reported_at"), outcome.late)


def _is_told(sent: Notification) -> bool:
    """Whether a message has somebody to go to; a step that is not yet split into messages counts once it failed."""
    return bool(sent.webhook or sent.to or sent.problem)


def _notice(sent: Notification) -> Notice:
    about = Theirs(sent.webhook), Theirs(sent.event), Theirs(sent.state)
    return Notice(*about, sent.attempts, Theirs(sent.problem), Theirs(sent.channel), Theirs(sent.to))


def _compared(earlier: Approval, held: Approval) -> Compared:
    return Compared(Theirs(earlier.approval_id), differences(earlier.request, held.request))
