"""What is recorded of each event: names, resources and free text in the payload alone, which may be erased."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import orjson
import pytest

from pdp.approval import Outcome, OutcomeState, ReviewVerdict, State, Use
from pdp.audit import event
from pdp.audit.record import Entry, Kind, commitment
from pdp.decision import Effect, Obligation, Reason
from pdp.errors import ApprovalTampered, EngineUnavailable, PolicyInvalid
from tests.pdp.specimens import BOT, REQUEST, T0, approval, opening, review, verdict

DECISION_ID, RECORD_ID = f"dec_{2:032x}", f"rec_{2:032x}"
USED = approval(State.CONSUMED, used_by=Use(DECISION_ID, "x"))
NEEDS = verdict(Effect.NEEDS_APPROVAL, "rules.ask")

EVENTS: dict[str, Callable[[], Entry]] = {
    "decision": lambda: event.decision(DECISION_ID, BOT, REQUEST, verdict(), justification="weekly report"),
    "error": lambda: event.error(BOT, REQUEST, EngineUnavailable("OPA is away")),
    "refused": lambda: event.approval_refused(USED, BOT, ApprovalTampered("was changed")),
    "created": lambda: event.approval_created(opening(supersedes="apr_0"), BOT, REQUEST, NEEDS),
    "reviewed": lambda: event.approval_reviewed(approval(), review(reason="read it"), State.PENDING, "r2"),
    "consumed": lambda: event.approval_consumed(USED, DECISION_ID, "call-1", "r2"),
    "closed": lambda: event.approval_closed(approval(), State.DENIED, "r2", closed_by="user:bob", reason="too much"),
    "outcome": lambda: event.outcome(USED, BOT, Outcome(OutcomeState.FAILED, "no room", T0, late=True)),
    "masked": lambda: event.masked(
        Kind.MASK, BOT, decision_id=DECISION_ID, revision="r1", rules=["m"], details={"table": "crm.customers"}
    ),
    "lineage": lambda: event.lineage_changed(BOT, [b'{"kind":"tagged"}', b"x" * (event.TOLD_BYTES + 1)], 7, "ab"),
    "export": lambda: event.by_caller(Kind.EXPORT, BOT),
}
SIGNED: dict[str, dict[str, Any]] = {
    "decision": {"kind": "decision", "effect": "ALLOW", "rules": ["rules.one"], "policy_revision": "r1"},
    "error": {"kind": "error", "error": "ENGINE_UNAVAILABLE"},
    "refused": {"kind": "error", "error": "APPROVAL_TAMPERED", "approval_id": USED.id},
    "created": {"kind": "approval.created", "rules": ["rules.ask"], "policy_revision": "r1", "approval_id": USED.id},
    "reviewed": {
        "kind": "approval.reviewed",
        "rules": ["rules.stewards"],
        "policy_revision": "r2",
        "approval_id": USED.id,
    },
    "consumed": {"kind": "approval.consumed", "policy_revision": "r2", "approval_id": USED.id},
    "closed": {"kind": "approval.closed", "policy_revision": "r2", "approval_id": USED.id},
    "outcome": {"kind": "outcome", "approval_id": USED.id},
    "masked": {"kind": "mask", "rules": ["m"], "policy_revision": "r1"},
    "lineage": {"kind": "lineage"},
    "export": {"kind": "export"},
}
HELD: dict[str, dict[str, Any]] = {
    "error": {"details": {"message": "OPA is away"}},
    "refused": {"details": {"message": "was changed"}},
    "reviewed": {
        "reviewer": "user:bob",
        "person": "user:bob",
        "groups": ["stewards"],
        "verdict": "APPROVE",
        "reason": "read it",
        "request_digest": REQUEST.digest,
        "state": "PENDING",
        "suggestion": None,
    },
    "consumed": {"decision_id": DECISION_ID, "request_id": "call-1", "request_digest": REQUEST.digest},
    "closed": {"state": "DENIED", "request_digest": REQUEST.digest, "closed_by": "user:bob", "reason": "too much"},
    "masked": {"details": {"decision_id": DECISION_ID, "table": "crm.customers"}},
    "lineage": {
        "facts": [
            {"kind": "tagged"},
            {"sha256": sha256(b"x" * (event.TOLD_BYTES + 1)).hexdigest(), "bytes": event.TOLD_BYTES + 1},
        ],
        "revision": {"n": 7, "head": "ab"},
    },
}
PERSONAL = (
    "report-bot",
    "agent:bot",
    "alice",
    "bob",
    "customers",
    "weekly",
    "too much",
    "read it",
    "no room",
    REQUEST.digest,
)


def members(made: Entry) -> dict[str, Any]:
    return dict(orjson.loads(made.record))


def payload(made: Entry) -> dict[str, Any]:
    return dict(orjson.loads(made.payload))


@pytest.mark.parametrize("name", EVENTS)
def test_signed_part_says_what_happened_and_nothing_personal(name: str) -> None:
    made = EVENTS[name]()
    found = members(made)
    assert found.pop("payload_sha256") == commitment(made.salt, made.payload)
    assert found.pop("id") == made.id
    assert found.pop("time").endswith("Z")
    assert found == SIGNED[name]
    assert not [word for word in PERSONAL if word in made.record.decode()]


@pytest.mark.parametrize("name", HELD)
def test_payload_holds_the_rest(name: str) -> None:
    found = payload(EVENTS[name]())
    assert {key: found[key] for key in HELD[name]} == HELD[name]


@pytest.mark.parametrize("name", ["decision", "error", "refused", "created", "outcome", "masked", "lineage", "export"])
def test_payload_says_who_called(name: str) -> None:
    assert payload(EVENTS[name]())["caller"] == orjson.loads(BOT.json)


@pytest.mark.parametrize("name", ["decision", "error", "created"])
def test_payload_of_a_question_holds_the_canonical_request_byte_for_byte(name: str) -> None:
    made = EVENTS[name]()
    assert b'"request":' + REQUEST.json in made.payload
    assert payload(made)["request_digest"] == REQUEST.digest


def test_record_of_a_decision_has_its_uuid() -> None:
    assert EVENTS["decision"]().id == RECORD_ID


def test_decision_is_whole_with_all_that_the_policy_said() -> None:
    fired = {"deny": (), "allow": (Reason("rules.one", "because"),), "needs_approval": (), "obligation": ()}
    said = verdict(obligations=(Obligation("duty", "tell", "log", {"level": 3}),), fired=fired)
    made = event.decision(DECISION_ID, BOT, REQUEST, said, approval_id="apr_1", request_id="call-1", dry_run=True)
    details = payload(made)["details"]
    assert details["reasons"] == [{"rule": "rules.one", "reason": "because"}]
    assert details["obligations"] == [{"rule": "duty", "reason": "tell", "type": "log", "properties": {"level": 3}}]
    assert details["fired"]["allow"] == details["reasons"]
    assert (details["request_id"], details["dry_run"]) == ("call-1", True)
    assert members(made)["approval_id"] == "apr_1"


def test_what_has_no_value_is_left_out() -> None:
    assert payload(event.decision(DECISION_ID, BOT, REQUEST, verdict()))["details"].keys() == {"reasons"}


def test_rules_are_named_once_and_in_order() -> None:
    several = replace(verdict(), reasons=(Reason("b", "x"), Reason("a", "x"), Reason("b", "y")))
    assert members(event.decision(DECISION_ID, BOT, REQUEST, several))["rules"] == ["a", "b"]


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (PolicyInvalid("null", "nothing"), "POLICY_INVALID/null"),
        (PolicyInvalid("conflict", "two"), "POLICY_INVALID/conflict"),
        (EngineUnavailable("away"), "ENGINE_UNAVAILABLE"),
    ],
)
def test_error_names_its_reason_and_the_policys_problem(failure: PolicyInvalid, error: str) -> None:
    assert members(event.error(BOT, REQUEST, failure))["error"] == error


def test_review_holds_what_was_known_of_the_reviewer_and_the_suggestion_as_it_is() -> None:
    said = review(verdict=ReviewVerdict.CHANGES_REQUESTED, suggestion=REQUEST.json, claims={"level": 3}, signature="s")
    made = event.approval_reviewed(approval(), said, State.DENIED, "r2")
    assert b'"suggestion":' + REQUEST.json in made.payload
    found = payload(made)
    assert (found["claims"], found["signature"], found["state"]) == ({"level": 3}, "s", "DENIED")


def test_approval_created_says_who_must_not_review_and_what_it_answers() -> None:
    details = payload(EVENTS["created"]())["details"]
    assert details["requester_principals"] == ["agent:bot", "user:alice"]
    assert details["supersedes"] == "apr_0"
    assert [asked["rule"] for asked in details["requirements"]] == ["rules.stewards"]


def test_outcome_names_the_decision_that_used_it() -> None:
    details = payload(EVENTS["outcome"]())["details"]
    assert details["decision_id"] == DECISION_ID
    assert (details["outcome"]["state"], details["outcome"]["late"]) == ("FAILED", True)


def test_broken_mask_is_recorded_with_why() -> None:
    made = event.masked(
        Kind.UNMASK, BOT, decision_id=DECISION_ID, revision="r1", rules=[], details={}, failure="QUOTA_EXCEEDED"
    )
    assert (members(made)["kind"], members(made)["error"]) == ("unmask", "QUOTA_EXCEEDED")
