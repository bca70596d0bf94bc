"""Domain values as the contract's messages: every field once, and nothing where there is nothing."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf import json_format

from pdp.approval import ApprovalAt, Outcome, OutcomeState, ReviewVerdict, State, Use
from pdp.channel import Channel
from pdp.decision import Effect, Obligation, Reason
from pdp.requirement import Requirement
from pdp.service import message
from pdp.v1 import approval_pb2, request_pb2
from pdp.workflow.answer import Answer, Ask, Decided
from pdp.workflow.lineage_views import OFF
from pdp.workflow.review_limits import DENIED_FOR
from pdp.workflow.reviewers import Eligible
from tests.parts import asking
from tests.pdp.specimens import BOT, REQUEST, T0, approval, review, verdict

NOW = T0 + timedelta(minutes=1)


def shown(held: Any, at: timedelta = timedelta(minutes=1)) -> approval_pb2.Approval:
    return message.approval(ApprovalAt(held, T0 + at))


def members(answer: Any) -> dict[str, Any]:
    return dict(json_format.MessageToDict(answer))


@pytest.mark.parametrize("state", State)
def test_each_state_has_its_name_in_the_contract(state: State) -> None:
    held = approval(state, approved_at=T0, closed_at=T0)
    assert approval_pb2.ApprovalState.Name(shown(held).state) == f"APPROVAL_STATE_{state}"


def test_pending_approval_says_what_was_asked_who_must_not_review_and_until_when() -> None:
    found = shown(approval(supersedes="apr_0"))
    assert found.request.action.name == "read"
    assert (found.request_digest, found.caller, found.justification) == (REQUEST.digest, "agent:bot", "weekly report")
    assert list(found.requester_principals) == ["agent:bot", "user:alice"]
    assert found.expires_at.ToDatetime(T0.tzinfo) == T0 + timedelta(days=1)
    assert (found.supersedes, found.version, found.policy_revision) == ("apr_0", 1, "r1")
    assert not found.HasField("closed_at")
    assert not found.HasField("outcome")
    assert not found.HasField("denied_until")


def test_approval_whose_time_is_over_is_shown_as_expired_and_ends_no_more() -> None:
    found = shown(approval(), timedelta(days=1))
    assert found.state == approval_pb2.APPROVAL_STATE_EXPIRED
    assert not found.HasField("expires_at")


def test_requirement_counts_the_people_who_approve_and_none_that_are_barred() -> None:
    board = Requirement(
        "rules.board",
        "money",
        identities=("user:dave",),
        claims={"level": 3.0},
        individual=True,
        summary=("context.rows",),
        unmask_values=9,
        channels=(Channel.WEB, Channel.TEAMS),
        passkey=True,
        remind_ms=(90_000,),
    )
    reviews = (review("bob"), review("carol", ReviewVerdict.DENY), review("alice"), review("dave", fits=(0, 1)))
    found = shown(approval(requirements=(*approval().requirements, board), reviews=reviews))
    assert [(one.rule, one.count, one.approved) for one in found.requirements] == [
        ("rules.stewards", 2, 2),
        ("rules.board", 1, 1),
    ]
    assert members(found.requirements[1]) == {
        "rule": "rules.board",
        "reason": "money",
        "identities": ["user:dave"],
        "count": 1,
        "approved": 1,
        "pendingFor": "86400s",
        "validFor": "900s",
        "claims": {"level": 3.0},
        "individual": True,
        "individualEvery": "10s",
        "summary": ["context.rows"],
        "unmaskValues": "9",
        "channels": ["REVIEW_CHANNEL_WEB", "REVIEW_CHANNEL_TEAMS"],
        "passkey": True,
        "remind": ["90s"],
    }
    assert not found.requirements[0].HasField("claims")


def test_review_names_the_rules_that_it_counts_in() -> None:
    said = review(verdict=ReviewVerdict.CHANGES_REQUESTED, suggestion=REQUEST.json, signature="s")
    [found] = shown(approval(reviews=(said,))).reviews
    assert (found.reviewer, list(found.rules), found.signature) == ("user:bob", ["rules.stewards"], "")
    assert found.verdict == approval_pb2.VERDICT_CHANGES_REQUESTED
    assert found.suggestion.resource.id == "customers"
    assert (found.channel, found.account, found.view_digest) == (approval_pb2.REVIEW_CHANNEL_API, "", "")
    told = review(channel=Channel.SLACK, account="slack:T1/U1", view_digest="v")
    [found] = shown(approval(reviews=(told,))).reviews
    assert found.channel == approval_pb2.REVIEW_CHANNEL_SLACK
    assert (found.account, found.view_digest) == ("slack:T1/U1", "v")
    assert not shown(approval(reviews=(review(),))).reviews[0].HasField("suggestion")


def test_denied_approval_says_until_when_the_same_is_denied_again() -> None:
    found = shown(approval(State.DENIED, closed_at=NOW, closed_by="user:bob", close_reason="too much"))
    assert found.denied_until.ToDatetime(T0.tzinfo) == NOW + DENIED_FOR
    assert (found.closed_by, found.close_reason) == ("user:bob", "too much")


def test_use_and_its_outcome_are_shown() -> None:
    outcome = Outcome(OutcomeState.UNKNOWN, "broke off", NOW, late=True)
    used = approval(State.CONSUMED, closed_at=NOW, used_by=Use("dec_1", ""), outcome=outcome)
    found = shown(used)
    assert found.used_by_decision_id == "dec_1"
    assert members(found.outcome) == {
        "state": "OUTCOME_STATE_UNKNOWN",
        "detail": "broke off",
        "reportedAt": "2026-01-01T00:01:00Z",
        "late": True,
    }


def decided(said: Any, **changes: Any) -> Decided:
    ask = Ask(asking(dryRun=changes.pop("dry_run", False)), BOT, REQUEST, 0, lineage=OFF)
    return Decided(ask, Answer(said, "dec_1", (), changes.pop("held", None)), **changes)


def test_decision_carries_what_a_client_recomputes_and_enforces() -> None:
    duty = Obligation("duty", "tell", "log", {"level": 3.0})
    found = message.decision(decided(verdict(obligations=(duty,)), grant="g", dry_run=True))
    assert members(found) == {
        "decisionId": "dec_1",
        "effect": "EFFECT_ALLOW",
        "policyRevision": "r1",
        "requestDigest": REQUEST.digest,
        "reasons": [{"rule": "rules.one", "reason": "because"}],
        "grant": "g",
        "dryRun": True,
        "obligations": [{"rule": "duty", "reason": "tell", "type": "log", "properties": {"level": 3.0}}],
        "onBehalfOf": [{"type": "user", "id": "alice"}],
    }


def test_decision_about_an_approval_shows_it() -> None:
    found = message.decision(decided(verdict(Effect.NEEDS_APPROVAL), held=ApprovalAt(approval(), T0)))
    assert found.approval.approval_id == approval().id
    assert not message.decision(decided(verdict())).HasField("approval")


def test_fired_rules_are_there_where_they_were_asked_for() -> None:
    fired = {"deny": (Reason("no", "x"),), "allow": (), "needs_approval": (), "obligation": ()}
    found = message.decision(decided(verdict(fired=fired)))
    assert [one.rule for one in found.fired.deny] == ["no"]
    assert not message.decision(decided(verdict())).HasField("fired")


@pytest.mark.parametrize("effect", Effect)
def test_effect_of_each_name(effect: Effect) -> None:
    assert request_pb2.Effect.Name(message.effect(effect)) == f"EFFECT_{effect}"


def test_eligible_reviewers_and_empty_times() -> None:
    found = message.eligible(Eligible("rules.stewards", ("user:bob",), open=True))
    assert members(found) == {"rule": "rules.stewards", "identities": ["user:bob"], "open": True}
    assert message.timestamp(None) is None
    assert not replace(approval(), closed_at=None).closed_at
