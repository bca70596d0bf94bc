"""Whose review counts, and when an approval has its people. Pure: approval and policy answer in, result out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pdp.approval import Approval, ReviewVerdict, State
from pdp.channel import Channel
from pdp.requirement import Requirement


@dataclass(frozen=True, slots=True)
class Eligibility:
    """The policy's word on one reviewer: the requirements it fits, and the one name of that person."""

    identity: str
    person: str
    fits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PolicyReview:
    """The answer of `data.pdp.review`. `suggesters` are principals because they wrote the request, and nothing else."""

    reviewers: tuple[Eligibility, ...]
    principals: frozenset[str]
    revision: str
    suggesters: frozenset[str] = frozenset()


def barred(approval: Approval, answer: PolicyReview) -> set[str]:
    """Who must not review: the requester principals frozen at creation, and those of today."""
    return {*approval.principals, *answer.principals}


def approvals_per_requirement(
    requirements: Sequence[Requirement], approvers: Iterable[Eligibility], principals: Iterable[str]
) -> list[int]:
    """How many different people approve each requirement; principals and those who fit nothing count for none."""
    barred = frozenset(principals)
    people: list[set[str]] = [set() for _ in requirements]
    for approver in approvers:
        if approver.identity in barred or approver.person in barred:
            continue
        for index in approver.fits:
            people[index].add(approver.person)
    return [len(persons) for persons in people]


def counting(requirements: Sequence[Requirement], fits: Iterable[int], channel: Channel, *, passkey: bool) -> list[int]:
    """Those of the requirements that a reviewer fits in which a yes from this channel counts."""
    return [index for index in fits if requirements[index].counts(channel, passkey=passkey)]


def satisfied(requirements: Sequence[Requirement], approvers: Iterable[Eligibility], principals: Iterable[str]) -> bool:
    """Whether every requirement has its people; no requirement at all is never satisfied."""
    counts = approvals_per_requirement(requirements, approvers, principals)
    return bool(counts) and all(
        people >= requirement.count for people, requirement in zip(counts, requirements, strict=True)
    )


def approvers(approval: Approval) -> list[Eligibility]:
    """Who approved, as judged at their review."""
    return [
        Eligibility(review.reviewer, review.person, review.fits)
        for review in approval.reviews
        if review.verdict is ReviewVerdict.APPROVE
    ]


def after_verdict(
    approval: Approval, reviewer: Eligibility, verdict: ReviewVerdict, principals: Iterable[str]
) -> State:
    """Where a verdict leaves an approval that is PENDING, or a denial one that is APPROVED."""
    if approval.state is State.APPROVED:
        return State.REVOKED
    if verdict is not ReviewVerdict.APPROVE:
        return State.DENIED
    done = satisfied(approval.requirements, [*approvers(approval), reviewer], principals)
    return State.APPROVED if done else State.PENDING


def suggesters(approval: Approval, digest: str = "") -> set[str]:
    """Who wrote a request into this approval, as identity and as person: they must not review that request.

    With `digest`, only those who suggested the request with this digest.
    """
    wrote = [one for one in approval.reviews if one.suggestion and digest in ("", one.suggestion_digest)]
    return {name for review in wrote for name in (review.reviewer, review.person)}
