import json
from datetime import UTC, datetime
from typing import Any

import pytest

from pdp.approval import Review, ReviewVerdict
from pdp.caller import Caller
from pdp.decision import Effect, Reason, opa_input, policy_review, review_input, verdict
from pdp.errors import PolicyInvalid
from pdp.requirement import Requirement
from pdp.v1 import request_pb2

PERSONS = frozenset({"user"})
YES, NO = {"rule": "yes", "reason": "may"}, {"rule": "no", "reason": "may not"}
ASK = {"rule": "ask", "reason": "ask people", "reviewers": {"groups": ["stewards"]}}
DUTY = {"rule": "duty", "reason": "tell", "type": "log"}
ALLOW: dict[str, Any] = {"effect": "ALLOW", "reasons": [YES], "revisions": ["r1"]}
DENY: dict[str, Any] = {"effect": "DENY", "reasons": [NO], "revisions": ["r1"]}
NEEDS: dict[str, Any] = {
    "effect": "NEEDS_APPROVAL",
    "requirements": [ASK],
    "obligations": [],
    "requester_principals": ["agent:bot", "user:alice"],
    "owners": ["user:alice"],
    "revisions": ["r1"],
}
FIRED = {"deny": [], "needs_approval": [], "allow": [YES], "obligation": []}
MISSING = object()
T0 = datetime(2026, 1, 1, tzinfo=UTC)


def changed(answer: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {name: value for name, value in {**answer, **members}.items() if value is not MISSING}


def asking(**members: Any) -> dict[str, Any]:
    return changed(NEEDS, requirements=[changed(ASK, **members)])


def problem(result: Any) -> str:
    with pytest.raises(PolicyInvalid) as invalid:
        verdict(result, PERSONS)
    assert invalid.value.metadata["problem"] == invalid.value.problem
    return invalid.value.problem


def test_effects_are_those_of_the_contract() -> None:
    names = {name.removeprefix("EFFECT_") for name in list(request_pb2.Effect.keys())}
    assert names - {"UNSPECIFIED"} == {str(effect) for effect in Effect}


def test_allow_is_read_with_reasons_and_obligations() -> None:
    read = verdict(changed(ALLOW, obligations=[DUTY, {**DUTY, "properties": {"level": 1}}]), PERSONS)
    assert (read.effect, read.reasons, read.revision) == (Effect.ALLOW, (Reason("yes", "may"),), "r1")
    assert [dict(duty.properties) for duty in read.obligations] == [{}, {"level": 1}]
    assert read.fired is None


def test_reasons_come_in_order_and_each_once() -> None:
    read = verdict(changed(DENY, reasons=[YES, NO, YES]), PERSONS)
    assert [reason.rule for reason in read.reasons] == ["no", "yes"]


def test_requirement_has_its_defaults() -> None:
    read = verdict(NEEDS, PERSONS)
    assert read.effect is Effect.NEEDS_APPROVAL
    assert read.reasons == (Reason("ask", "ask people"),)
    assert read.principals == ("agent:bot", "user:alice")
    assert read.requirements == (Requirement("ask", "ask people", ("stewards",), (), 1, 86_400_000, 900_000),)


def test_requirement_is_read_whole() -> None:
    reviewers = {"groups": ["a"], "identities": ["user:b"]}
    read = verdict(asking(reviewers=reviewers, count=1000, pending_for="1h", valid_for="30s"), PERSONS)
    assert read.requirements == (Requirement("ask", "ask people", ("a",), ("user:b",), 1000, 3_600_000, 30_000),)


def test_fired_rules_are_read_as_rule_and_reason() -> None:
    read = verdict(changed(ALLOW, fired={**FIRED, "needs_approval": [ASK]}), PERSONS)
    assert read.fired is not None
    assert read.fired["needs_approval"] == (Reason("ask", "ask people"),)


@pytest.mark.parametrize("owners", [[], ["agent:bot"], ["users:alice"], ["alice"], ["agent:user:alice"], [""]])
def test_approval_that_no_person_answers_for_is_a_deny(owners: list[str]) -> None:
    read = verdict(changed(NEEDS, owners=owners), PERSONS)
    assert (read.effect, read.reasons[0].rule) == (Effect.DENY, "pdp.unowned_subject")
    assert read.revision == "r1"
    assert not read.requirements


def test_one_person_among_the_owners_is_enough() -> None:
    assert verdict(changed(NEEDS, owners=["agent:bot", "user:alice"]), PERSONS).effect is Effect.NEEDS_APPROVAL
    assert verdict(changed(NEEDS, owners=["staff:alice"]), frozenset({"user"})).effect is Effect.DENY


WRONG: dict[str, tuple[Any, str]] = {
    "null": (None, "null"),
    **{
        f"whole answer {json.dumps(value)}": (value, "wrong_type")
        for value in (True, False, 1, 0, "ALLOW", [], [ALLOW], "")
    },
    "empty": ({}, "wrong_type"),
    "unknown member": (changed(ALLOW, allow=True), "unknown_key"),
    "misspelt member": (changed(ALLOW, obligation=[]), "unknown_key"),
    "effect missing": (changed(ALLOW, effect=MISSING), "wrong_type"),
    **{
        f"effect {json.dumps(value)}": (changed(ALLOW, effect=value), "wrong_type")
        for value in (None, True, 1, "", "allow", "ALLOWED", "EFFECT_ALLOW", ["ALLOW"], {"ALLOW": 1}, "ALLOW ")
    },
    "revisions missing": (changed(ALLOW, revisions=MISSING), "wrong_type"),
    "revisions null": (changed(ALLOW, revisions=None), "wrong_type"),
    "revisions text": (changed(ALLOW, revisions="r1"), "wrong_type"),
    "no revision": (changed(ALLOW, revisions=[]), "no_revision"),
    "no revision of a deny": (changed(DENY, revisions=[]), "no_revision"),
    "no revision of an approval": (changed(NEEDS, revisions=[]), "no_revision"),
    "empty revision": (changed(ALLOW, revisions=[""]), "no_revision"),
    "two revisions": (changed(ALLOW, revisions=["r1", "r2"]), "no_revision"),
    "revision is a number": (changed(ALLOW, revisions=[1]), "wrong_type"),
    "revision is null": (changed(ALLOW, revisions=[None]), "wrong_type"),
    "reasons missing": (changed(ALLOW, reasons=MISSING), "wrong_type"),
    "reasons null": (changed(ALLOW, reasons=None), "wrong_type"),
    "reasons true": (changed(ALLOW, reasons=True), "wrong_type"),
    "reasons object": (changed(ALLOW, reasons={"yes": YES}), "wrong_type"),
    "allow for no reason": (changed(ALLOW, reasons=[]), "wrong_type"),
    "deny for no reason": (changed(DENY, reasons=[]), "wrong_type"),
    "reason null": (changed(ALLOW, reasons=[None]), "null"),
    "one of the reasons null": (changed(ALLOW, reasons=[YES, None]), "null"),
    "reason text": (changed(ALLOW, reasons=["yes"]), "wrong_type"),
    "reason true": (changed(ALLOW, reasons=[True]), "wrong_type"),
    "reason list": (changed(ALLOW, reasons=[["yes", "may"]]), "wrong_type"),
    "reason empty": (changed(ALLOW, reasons=[{}]), "wrong_type"),
    "reason without a rule": (changed(ALLOW, reasons=[{"reason": "may"}]), "wrong_type"),
    "reason without a reason": (changed(ALLOW, reasons=[{"rule": "yes"}]), "wrong_type"),
    "rule empty": (changed(ALLOW, reasons=[{**YES, "rule": ""}]), "wrong_type"),
    "rule null": (changed(ALLOW, reasons=[{**YES, "rule": None}]), "wrong_type"),
    "rule number": (changed(ALLOW, reasons=[{**YES, "rule": 1}]), "wrong_type"),
    "reason's words a list": (changed(ALLOW, reasons=[{**YES, "reason": ["may"]}]), "wrong_type"),
    "reason with a key of a requirement": (changed(ALLOW, reasons=[{**YES, "count": 2}]), "unknown_key"),
    "reason with an unknown key": (changed(DENY, reasons=[{**NO, "severity": "high"}]), "unknown_key"),
    "obligations null": (changed(ALLOW, obligations=None), "wrong_type"),
    "obligations object": (changed(ALLOW, obligations={}), "wrong_type"),
    "obligation null": (changed(ALLOW, obligations=[None]), "null"),
    "obligation without a type": (changed(ALLOW, obligations=[YES]), "wrong_type"),
    "obligation's type empty": (changed(ALLOW, obligations=[{**DUTY, "type": ""}]), "wrong_type"),
    "obligation with an unknown key": (changed(ALLOW, obligations=[{**DUTY, "columns": []}]), "unknown_key"),
    "obligation's properties null": (changed(ALLOW, obligations=[{**DUTY, "properties": None}]), "wrong_type"),
    "obligation's properties list": (changed(ALLOW, obligations=[{**DUTY, "properties": []}]), "wrong_type"),
    "requirements missing": (changed(NEEDS, requirements=MISSING), "wrong_type"),
    "requirements null": (changed(NEEDS, requirements=None), "wrong_type"),
    "requirements object": (changed(NEEDS, requirements={"0": ASK}), "wrong_type"),
    "requirements empty": (changed(NEEDS, requirements=[]), "wrong_type"),
    "requirement null": (changed(NEEDS, requirements=[None]), "null"),
    "one of the requirements null": (changed(NEEDS, requirements=[ASK, None]), "null"),
    "requirement true": (changed(NEEDS, requirements=[True]), "wrong_type"),
    "requirement misspelt count": (asking(cuont=2), "unknown_key"),
    "requirement in another case": (asking(Count=2), "unknown_key"),
    "requirement with a key of an obligation": (asking(type="mask"), "unknown_key"),
    "reviewers missing": (asking(reviewers=MISSING), "null"),
    "reviewers null": (asking(reviewers=None), "null"),
    "reviewers list": (asking(reviewers=["stewards"]), "wrong_type"),
    "reviewers text": (asking(reviewers="stewards"), "wrong_type"),
    "reviewers empty": (asking(reviewers={}), "wrong_type"),
    "reviewers nobody": (asking(reviewers={"groups": [], "identities": []}), "wrong_type"),
    "reviewers misspelt": (asking(reviewers={"group": ["stewards"]}), "unknown_key"),
    "reviewers misspelt beside a good one": (asking(reviewers={"groups": ["a"], "identity": []}), "unknown_key"),
    "claims empty": (asking(reviewers={"claims": {}}), "wrong_type"),
    "claims empty beside a group": (asking(reviewers={"groups": ["a"], "claims": {}}), "wrong_type"),
    **{
        f"claims {json.dumps(value)}": (asking(reviewers={"groups": ["a"], "claims": value}), "wrong_type")
        for value in (None, [], ["department"], "department", True)
    },
    **{
        f"claim {json.dumps(value)}": (asking(reviewers={"claims": {"department": value}}), "wrong_type")
        for value in (None, [], ["finance"], {}, {"is": "finance"}, 1e300, 2**53)
    },
    **{
        f"individual {json.dumps(value)}": (asking(individual=value), "wrong_type")
        for value in (None, 0, 1, "true", "", [], {})
    },
    **{
        f"summary {json.dumps(value)}": (asking(summary=value), "wrong_type")
        for value in (None, "resource.id", [1], [""], ["input.resource.id"], ["resource.."], ["context"] * 11)
    },
    **{
        f"unmask_values {json.dumps(value)}": (asking(unmask_values=value), "wrong_type")
        for value in (None, 0, -1, 1.5, "9", True, 2**53)
    },
    **{
        f"channels {json.dumps(value)}": (asking(channels=value), "wrong_type")
        for value in (None, [], "api", ["mail"], ["API"], ["api", "api"], [1], {"api": True})
    },
    **{f"passkey {json.dumps(value)}": (asking(passkey=value), "wrong_type") for value in (None, 1, "true")},
    **{
        f"remind {json.dumps(value)}": (asking(remind=value), "wrong_type")
        for value in (None, "30m", ["0s"], [30], ["24h"], ["1m", "60s"], ["1m", "2m", "3m", "4m"])
    },
    "remind behind its own end": (asking(remind=["1h"], pending_for="1h"), "wrong_type"),
    "groups text": (asking(reviewers={"groups": "stewards"}), "wrong_type"),
    "groups null": (asking(reviewers={"groups": None}), "wrong_type"),
    "groups of numbers": (asking(reviewers={"groups": [1]}), "wrong_type"),
    "identities object": (asking(reviewers={"identities": {"user:bob": True}}), "wrong_type"),
    **{
        f"count {json.dumps(value)}": (asking(count=value), "wrong_type")
        for value in (True, False, None, 0, -1, 1001, 1.0, 2.5, "2", [2], {}, 1e300)
    },
    **{
        f"{key} {json.dumps(value)}": (asking(**{key: value}), "wrong_type")
        for key in ("pending_for", "valid_for", "individual_every")
        for value in (None, 0, 60, True, "", "0s", "1d", "1 h", ["1h"], "-1h")
    },
    "rule of a requirement missing": (asking(rule=MISSING), "wrong_type"),
    "reason of a requirement empty": (asking(reason=""), "wrong_type"),
    "principals text": (changed(NEEDS, requester_principals="user:alice"), "wrong_type"),
    "principals null": (changed(NEEDS, requester_principals=None), "wrong_type"),
    "principal number": (changed(NEEDS, requester_principals=[1]), "wrong_type"),
    "owners missing": (changed(NEEDS, owners=MISSING), "wrong_type"),
    "owners null": (changed(NEEDS, owners=None), "wrong_type"),
    "owner number": (changed(NEEDS, owners=["user:alice", 1]), "wrong_type"),
    "fired null": (changed(ALLOW, fired=None), "null"),
    "fired list": (changed(ALLOW, fired=[]), "wrong_type"),
    "fired without a set": (changed(ALLOW, fired={"deny": []}), "wrong_type"),
    "fired with another set": (changed(ALLOW, fired={**FIRED, "denies": []}), "unknown_key"),
    "fired entry null": (changed(ALLOW, fired={**FIRED, "deny": [None]}), "wrong_type"),
}


@pytest.mark.parametrize("name", WRONG)
def test_answer_that_is_not_exactly_one_is_the_policys_problem(name: str) -> None:
    result, expected = WRONG[name]
    assert problem(result) == expected


def test_problem_says_which_key_is_unknown_and_which_are_known() -> None:
    with pytest.raises(PolicyInvalid, match=r"'cuont'.*count"):
        verdict(asking(cuont=2), PERSONS)


REVIEWER = {"identity": "user:bob", "person": "user:bob", "fits": [0]}
REVIEW: dict[str, Any] = {"reviewers": [REVIEWER], "requester_principals": ["agent:bot"], "revisions": ["r1"]}


def test_review_is_read_in_the_order_of_the_question() -> None:
    other = {"identity": "slack:U1", "person": "user:bob", "fits": []}
    read = policy_review(changed(REVIEW, reviewers=[REVIEWER, other]), ["user:bob", "slack:U1"], 1)
    assert [reviewer.fits for reviewer in read.reviewers] == [(0,), ()]
    assert [reviewer.person for reviewer in read.reviewers] == ["user:bob", "user:bob"]
    assert (read.principals, read.revision) == (frozenset({"agent:bot"}), "r1")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, "null"),
        (True, "wrong_type"),
        ({}, "wrong_type"),
        (changed(REVIEW, extra=1), "unknown_key"),
        (changed(REVIEW, reviewers=MISSING), "wrong_type"),
        (changed(REVIEW, reviewers={}), "wrong_type"),
        (changed(REVIEW, reviewers=[]), "wrong_keys"),
        (changed(REVIEW, reviewers=[REVIEWER, REVIEWER]), "wrong_keys"),
        (changed(REVIEW, reviewers=[{**REVIEWER, "identity": "user:eve"}]), "wrong_keys"),
        (changed(REVIEW, reviewers=[None]), "null"),
        (changed(REVIEW, reviewers=[{**REVIEWER, "person": ""}]), "wrong_type"),
        (changed(REVIEW, reviewers=[{**REVIEWER, "admin": True}]), "unknown_key"),
        *(
            (changed(REVIEW, reviewers=[{**REVIEWER, "fits": fits}]), "wrong_type")
            for fits in (None, 0, "0", True, {}, [1], [-1], [True], ["0"], [0.0], [[0]], [None])
        ),
        (changed(REVIEW, requester_principals=MISSING), "wrong_type"),
        (changed(REVIEW, requester_principals=[1]), "wrong_type"),
        (changed(REVIEW, revisions=[]), "no_revision"),
    ],
)
def test_review_that_is_not_exactly_one_is_the_policys_problem(answer: Any, expected: str) -> None:
    with pytest.raises(PolicyInvalid) as invalid:
        policy_review(answer, ["user:bob"], 1)
    assert invalid.value.problem == expected


def caller(identity: str = "agent:bot", groups: tuple[str, ...] = ()) -> Caller:
    described = json.dumps({"identity": identity, "kind": "workload", "groups": list(groups)}).encode()
    return Caller(identity, "workload", frozenset(), groups, described)


def test_policys_input_is_the_canonical_request_with_caller_and_time_around_it() -> None:
    request = b'{"action":{"name":"read"},"context":{"caller":"fake","now":0}}'
    read = json.loads(opa_input(request, caller(), 1_700_000_000_000_000_001))
    assert read == {
        "caller": {"identity": "agent:bot", "kind": "workload", "groups": []},
        "now": 1_700_000_000_000_000_001,
        "action": {"name": "read"},
        "context": {"caller": "fake", "now": 0},
    }


def test_reviewers_are_asked_about_with_their_claims_at_the_review() -> None:
    requirement = Requirement("ask", "ask", ("a",), ("user:b",))
    past = Review("user:bob", "user:bob", ("a",), ReviewVerdict.APPROVE, "", T0, (0,), claims={"level": 3})
    read = json.loads(review_input(b"{}", caller(), [requirement], [past, caller("user:eve", ("x",))], 7))
    wanted = {"groups": ["a"], "identities": ["user:b"], "claims": {}}
    said = {"channels": ["api", "web"], "passkey": False}
    assert read["requirements"] == [{"rule": "ask", "reviewers": wanted, **said}]
    assert read["reviewers"] == [
        {"identity": "user:bob", "groups": ["a"], "claims": {"level": 3}, "channel": "api", "passkey": False},
        {"identity": "user:eve", "groups": ["x"], "claims": {}},
    ]
    assert (read["request"], read["now"]) == ({}, 7)


def test_turned_into_a_deny_it_keeps_only_what_explains_it() -> None:
    read = verdict(changed(ALLOW, obligations=[DUTY], fired=FIRED), PERSONS).denied("pdp.x", "because")
    assert (read.effect, read.reasons, read.obligations) == (Effect.DENY, (Reason("pdp.x", "because"),), ())
    assert read.fired is not None
    assert read.revision == "r1"


def test_turned_into_an_allow_it_keeps_its_obligations() -> None:
    read = verdict(changed(NEEDS, obligations=[DUTY]), PERSONS).allowed()
    assert read.effect is Effect.ALLOW
    assert [duty.type for duty in read.obligations] == ["log"]
    assert not read.requirements


def test_faulty_requirement_is_told_with_its_rule() -> None:
    with pytest.raises(PolicyInvalid, match=r"count is not a whole number .*\(rule '.+'\)") as invalid:
        verdict(asking(count="2"), PERSONS)
    assert invalid.value.problem == "wrong_type"
