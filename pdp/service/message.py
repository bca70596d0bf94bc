"""Domain values -> the contract's messages; the one mapping at this boundary."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import cast

from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from pdp.approval import (
    Approval,
    ApprovalAt,
    Outcome,
    Review,
)
from pdp.assertion import Assertion, decoded
from pdp.canonical import request_of
from pdp.channel import Channel
from pdp.decision import Obligation, Reason, Verdict
from pdp.quorum import (
    approvals_per_requirement,
    approvers,
)
from pdp.v1 import approval_pb2, decision_pb2, request_pb2
from pdp.workflow.answer import Ask, Decided
from pdp.workflow.review_limits import denied_until
from pdp.workflow.reviewers import Eligible


def approval(
    found: ApprovalAt,
    *,
    requests: bool = True,
    lineage: approval_pb2.ApprovalLineage | None = None,
    earlier: Sequence[str] = (),
) -> approval_pb2.Approval:
    """An approval as its readers see it, with the requests that it holds or without; reviewers see the `lineage`."""
    held = found.approval
    counts = approvals_per_requirement(held.requirements, approvers(held), held.principals)
    return approval_pb2.Approval(
        approval_id=held.id,
        state=f"APPROVAL_STATE_{found.state}",
        request=request_of(held.request) if requests else None,
        request_digest=held.digest,
        caller=held.caller,
        justification=held.justification,
        requirements=[_requirement(held, index, count) for index, count in enumerate(counts)],
        reviews=[_review(held, review, requests=requests) for review in held.reviews],
        requester_principals=held.principals,
        created_at=timestamp(held.created_at),
        expires_at=timestamp(held.expires_at) if found.state is held.state else None,
        closed_at=timestamp(held.closed_at),
        decision_id=held.decision_id,
        policy_revision=held.policy_revision,
        denied_until=timestamp(denied_until(held)),
        used_by_decision_id=held.used_by.decision_id if held.used_by else "",
        version=held.version,
        closed_by=held.closed_by,
        close_reason=held.close_reason,
        supersedes=held.supersedes,
        outcome=_outcome(held.outcome) if held.outcome else None,
        lineage=lineage,
        earlier=earlier,
    )


def decision(decided: Decided) -> decision_pb2.AuthorizeResponse:
    """An answer as its caller gets it."""
    answered = decision_pb2.AuthorizeResponse()
    write_decision(decided, answered)
    return answered


def write_decision(decided: Decided, into: decision_pb2.AuthorizeResponse, *, requests: bool = True) -> None:
    """Fill an empty answer, its approval with the requests that it holds or without.

    It is written where it belongs: a message that is put into another one is copied by its bytes.
    """
    ask, answer = decided.ask, decided.answer
    into.decision_id, into.effect = answer.decision_id, effect(decided.effect)
    for reason in answer.verdict.reasons:
        into.reasons.add(rule=reason.rule, reason=reason.reason)
    into.policy_revision, into.request_digest = answer.verdict.revision, ask.canonical.digest
    into.on_behalf_of.extend(chain(ask))
    into.grant, into.dry_run = decided.grant, ask.request.dry_run
    if answer.verdict.obligations:
        into.obligations.extend(obligations(answer.verdict.obligations))
    if answer.approval:
        into.approval.CopyFrom(approval(answer.approval, requests=requests))
    if said := fired(answer.verdict):
        into.fired.CopyFrom(said)


def eligible(value: Eligible) -> approval_pb2.EligibleReviewers:
    """Who may still review by one requirement."""
    return approval_pb2.EligibleReviewers(rule=value.rule, identities=value.identities, open=value.open)


_EFFECTS: Mapping[str, request_pb2.Effect] = {
    name.removeprefix("EFFECT_"): cast("request_pb2.Effect", number) for name, number in request_pb2.Effect.items()
}


def effect(name: str) -> request_pb2.Effect:
    """The contract's effect of that name."""
    return _EFFECTS[name]


def reasons(values: Sequence[Reason]) -> list[request_pb2.Reason]:
    """Rules and their words."""
    return [request_pb2.Reason(rule=value.rule, reason=value.reason) for value in values]


def obligations(values: Sequence[Obligation]) -> list[decision_pb2.Obligation]:
    """Duties with their properties."""
    return [_obligation(value) for value in values]


def fired(verdict: Verdict) -> decision_pb2.Fired | None:
    """Every rule that fired, where it was asked for."""
    if verdict.fired is None:
        return None
    return decision_pb2.Fired(**{name: reasons(values) for name, values in verdict.fired.items()})


def timestamp(moment: datetime | None) -> Timestamp | None:
    """None stays unset."""
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def struct(members: object) -> Struct:
    """A JSON object as Struct."""
    message = Struct()
    message.update(members)  # type: ignore[arg-type]  # a JSON object by its schema
    return message


def chain(ask: Ask) -> Sequence[request_pb2.Subject]:
    """For whom it was decided. Attributes that came as text leave in Structs."""
    if not any(subject.properties_json for subject in ask.request.on_behalf_of):
        return ask.request.on_behalf_of
    return [json_format.ParseDict(subject, request_pb2.Subject()) for subject in ask.canonical.members["on_behalf_of"]]


def _obligation(value: Obligation) -> decision_pb2.Obligation:
    return decision_pb2.Obligation(
        rule=value.rule, reason=value.reason, type=value.type, properties=struct(value.properties)
    )


def _requirement(held: Approval, index: int, count: int) -> approval_pb2.Requirement:
    requirement = held.requirements[index]
    return approval_pb2.Requirement(
        rule=requirement.rule,
        reason=requirement.reason,
        groups=requirement.groups,
        identities=requirement.identities,
        count=requirement.count,
        pending_for=duration(requirement.pending_for_ms),
        valid_for=duration(requirement.valid_for_ms),
        approved=count,
        claims=struct(requirement.claims) if requirement.claims else None,
        individual=requirement.individual,
        individual_every=duration(requirement.individual_every_ms) if requirement.individual else None,
        summary=requirement.summary,
        unmask_values=requirement.unmask_values,
        channels=map(channel, requirement.channels),
        passkey=requirement.passkey,
        remind=[duration(time) for time in requirement.remind_ms],
    )


def _review(held: Approval, review: Review, *, requests: bool) -> approval_pb2.ApprovalReview:
    return approval_pb2.ApprovalReview(
        reviewer=review.reviewer,
        verdict=f"VERDICT_{review.verdict}",
        reason=review.reason,
        reviewed_at=timestamp(review.at),
        rules=[held.requirements[index].rule for index in review.fits],
        policy_revision=review.policy_revision,
        suggestion=request_of(review.suggestion) if review.suggestion and requests else None,
        channel=channel(review.channel),
        account=review.account,
        view_digest=review.view_digest,
        passkey=_signed(review.passkey) if review.passkey else None,
    )


def _signed(passkey: Assertion) -> approval_pb2.PasskeyAssertion | None:
    """What a passkey signed; nothing where somebody wrote into the database what no server writes."""
    with suppress(ValueError):
        return approval_pb2.PasskeyAssertion(
            credential_id=decoded(passkey.credential_id),
            statement=passkey.statement,
            authenticator_data=decoded(passkey.authenticator_data),
            client_data=decoded(passkey.client_data),
            signature=decoded(passkey.signature),
        )
    return None


def channel(came: Channel) -> approval_pb2.ReviewChannel:
    """Where a review came from, as the contract says it."""
    return cast("approval_pb2.ReviewChannel", approval_pb2.ReviewChannel.Value(f"REVIEW_CHANNEL_{came.name}"))


def _outcome(outcome: Outcome) -> approval_pb2.Outcome:
    return approval_pb2.Outcome(
        state=f"OUTCOME_STATE_{outcome.state}",
        detail=outcome.detail,
        reported_at=timestamp(outcome.reported_at),
        late=outcome.late,
    )


def duration(milliseconds: int) -> Duration:
    """Milliseconds as a message."""
    duration = Duration()
    duration.FromMilliseconds(milliseconds)
    return duration
