"""What happened to an approval, in the order of time."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from pdp.v1.approval_pb2 import ApprovalState, OutcomeState, TimelineEntry, TimelineKind, Verdict
from pdp.view.named import channel, moment, named
from pdp.view.theirs import Theirs

_NOWHERE = Theirs("")


class What(StrEnum):
    """What happened; OTHER is what a newer server tells of."""

    ASKED = "ASKED"
    TOLD = "TOLD"
    REMINDED = "REMINDED"
    REVIEWED = "REVIEWED"
    SENT_BACK = "SENT_BACK"
    USED = "USED"
    OUTCOME = "OUTCOME"
    ENDED = "ENDED"
    DENIAL_TAKEN_BACK = "DENIAL_TAKEN_BACK"
    OTHER = "OTHER"


class Moment(NamedTuple):
    """One thing that happened.

    `who` is empty where time or the policy did it. `result` is the verdict, the state at the end or the outcome.
    `channel` is that of a review, `told_of` what a message was about, `record` the record for who may audit.
    `told_in` is the channel of a message to people; it is empty for a webhook's.
    """

    what: What
    at: datetime | None
    who: Theirs
    result: str
    channel: str
    told_of: Theirs
    record: Theirs
    told_in: Theirs = _NOWHERE


def entry(one: TimelineEntry) -> Moment:
    """One thing that happened."""
    kind = named(TimelineKind, one.kind, "TIMELINE_KIND_")
    what = What(kind) if kind in What.__members__ else What.OTHER
    came, texts = channel(one.channel), (Theirs(one.event), Theirs(one.record_id), Theirs(one.told_in))
    return Moment(what, moment(one, "at"), Theirs(one.who), _result(what, one), came, *texts)


def _result(what: What, one: TimelineEntry) -> str:
    if what is What.REVIEWED:
        return named(Verdict, one.verdict, "VERDICT_")
    if what is What.ENDED:
        return named(ApprovalState, one.state, "APPROVAL_STATE_")
    return named(OutcomeState, one.outcome, "OUTCOME_STATE_") if what is What.OUTCOME else ""
