"""Makes the notice of an approval from its state of now. Pure."""

from collections.abc import Mapping

import orjson

from pdp.approval import Approval, ApprovalAt, ReviewVerdict, State
from pdp.channels.notice import MAX_WORDS, Aim, Ending, Notice, Part, Reviewed, said
from pdp.quorum import approvals_per_requirement, approvers
from pdp.store.message_pace import MOST_AN_HOUR, MOST_OF_ONE
from pdp.workflow.review_limits import denied_until

TOLD_OF = frozenset({State.APPROVED, State.DENIED, State.EXPIRED, State.CANCELLED, State.REVOKED, State.VOIDED})
"""The states of which the people behind a request are told. That it was used is their own doing."""
_AGAIN: Mapping[State, str] = {
    State.APPROVED: "Run it again exactly as it was asked. The approval is for that one request, and for one use.",
    State.CONSUMED: "It was used. Ask again if you need it once more.",
    State.DENIED: "Ask again with another request, or with this one once it may be asked again.",
    State.EXPIRED: "It was not decided in time, or not used in time. Ask again if you still need it.",
    State.CANCELLED: "It was withdrawn. Ask again if you still need it.",
    State.REVOKED: "The approval was taken back. Talk to the person who did that before you ask again.",
    State.VOIDED: "The policy asks for more by now than the reviews gave. Ask again, so that people review it anew.",
}
_SENT_BACK = "A reviewer asks for changes. Ask again with the changed request, and name this one in `supersedes`."


def notice_of(held: ApprovalAt, aim: Aim, page: str) -> Notice:
    """The notice of an approval as it stands. `page` is its address, which may be empty."""
    approval = held.approval
    request = orjson.loads(approval.request)
    return Notice(
        aim=aim,
        approval_id=approval.id,
        version=approval.version,
        state=held.state,
        action=said(request["action"]["name"]),
        resource_type=said(request["resource"]["type"]),
        caller=said(approval.caller),
        progress=_progress(approval),
        reviews=tuple(Reviewed(said(one.reviewer), one.verdict, one.channel) for one in approval.reviews),
        ends_at=approval.expires_at if held.state is approval.state else None,
        page=page,
        ended_by=said(approval.closed_by),
        ending=ending_of(held) if aim is Aim.END else None,
    )


def ending_of(held: ApprovalAt) -> Ending:
    """How it ended, for the people behind it."""
    approval = held.approval
    is_approved = held.state is State.APPROVED
    return Ending(
        words=said(_words(approval), MAX_WORDS),
        usable_until=approval.expires_at if is_approved else None,
        denied_until=denied_until(approval),
        again=_SENT_BACK if approval.was_sent_back else _AGAIN.get(held.state, ""),
    )


def wants(approval: Approval, who: str) -> bool:
    """Whether an approval still waits for this person or group, as far as its document says."""
    return not any(who in (review.reviewer, review.person) for review in approval.reviews)


def summary(waiting: int) -> str:
    """What a person is told who got as many notices as an hour may have."""
    requests = "request waits" if waiting == 1 else "requests wait"
    told = f"You are told of at most {MOST_AN_HOUR} an hour, {MOST_OF_ONE} of them from one requester"
    return f"{waiting} more {requests} for you. {told}; the inbox has all of them."


def _progress(approval: Approval) -> tuple[Part, ...]:
    counts = approvals_per_requirement(approval.requirements, approvers(approval), approval.principals)
    pairs = zip(approval.requirements, counts, strict=True)
    return tuple(Part(said(requirement.rule), count, requirement.count) for requirement, count in pairs)


def _words(approval: Approval) -> str:
    """What who ended it wrote; of an approval, what its last reviewer wrote."""
    if approval.close_reason:
        return approval.close_reason
    given = [review.reason for review in approval.reviews if review.verdict is ReviewVerdict.APPROVE]
    return given[-1] if approval.state is State.APPROVED and given else ""
