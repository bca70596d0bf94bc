"""When an answer is weaker than another one, and which rule is to blame."""

from dataclasses import replace
from typing import Any

import pytest

from masker.methods import METHODS
from pdp.channel import Channel
from pdp.decision import Effect, Obligation, Reason, Verdict
from pdp.policy.weaker import MASKS, Loss, answers_masks, less, less_masked, losses
from pdp.requirement import Requirement

STEWARDS = Requirement(
    "asked", "asked", ("stewards",), ("user:bob",), 2, 4000, 2000, {"level": 3}, True, 5000, ("context.rows",), 10,
    passkey=True, remind_ms=(1000,),
)  # fmt: skip
MASK = Obligation("masked", "masked", "mask", {"table": "t"})


def reasons(*rules: str) -> tuple[Reason, ...]:
    return tuple(Reason(rule, rule) for rule in rules)


def answer(effect: str, fired: dict[str, tuple[Reason, ...]] | None = None, **members: Any) -> Verdict:
    asked = members.pop("requirements", ())
    rules = fired or {"needs_approval": reasons(*(one.rule for one in asked)), "allow": reasons("open")}
    shown = rules.get({"DENY": "deny", "ALLOW": "allow"}.get(effect, "needs_approval"), ()) or reasons("pdp.no_rule")
    return Verdict(Effect(effect), shown, "r", requirements=tuple(asked), fired=rules, **members)


ALLOWED = answer("ALLOW", {"allow": reasons("open")})
ASKED = answer("NEEDS_APPROVAL", requirements=[STEWARDS])
DENIED = answer("DENY", {"deny": reasons("no"), "allow": reasons("open")})
NOT_ALLOWED = answer("DENY", {})
BOTH = answer("DENY", {"deny": reasons("no"), "needs_approval": reasons("asked")})


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        (DENIED, ALLOWED, [("no", "DENY becomes ALLOW, without no")]),
        (BOTH, ALLOWED, [("asked", "DENY becomes ALLOW, without asked"), ("no", "DENY becomes ALLOW, without no")]),
        (BOTH, ASKED, [("no", "DENY becomes NEEDS_APPROVAL, without no")]),
        (NOT_ALLOWED, ALLOWED, [("open", "DENY becomes ALLOW, by open")]),
        (NOT_ALLOWED, ASKED, [("asked", "DENY becomes NEEDS_APPROVAL, by asked")]),
        (ASKED, ALLOWED, [("asked", "NEEDS_APPROVAL becomes ALLOW, without asked")]),
        (ALLOWED, DENIED, []),
        (ALLOWED, ASKED, []),
        (ASKED, DENIED, []),
        (ASKED, ASKED, []),
        (DENIED, NOT_ALLOWED, []),
    ],
)
def test_effects_get_weaker_in_one_direction(before: Verdict, after: Verdict, wanted: list[tuple[str, str]]) -> None:
    assert losses(before, after) == [Loss(*each) for each in wanted]


@pytest.mark.parametrize(
    ("key", "looser"),
    [
        ("reviewers", {"groups": ("stewards", "everybody")}),
        ("reviewers", {"identities": ("user:bob", "user:eve")}),
        ("reviewers", {"claims": {"level": 2}}),
        ("reviewers", {"claims": {"other": 3}}),
        ("count", {"count": 1}),
        ("pending_for", {"pending_for_ms": 4001}),
        ("valid_for", {"valid_for_ms": 2001}),
        ("individual", {"individual": False}),
        ("individual_every", {"individual_every_ms": 4999}),
        ("summary", {"summary": ()}),
        ("unmask_values", {"unmask_values": 11}),
        ("channels", {"channels": (Channel.API, Channel.WEB, Channel.SLACK)}),
        ("passkey", {"passkey": False}),
        ("remind", {"remind_ms": ()}),
    ],
)
def test_a_requirement_is_looser_in_any_key(key: str, looser: dict[str, Any]) -> None:
    other = replace(STEWARDS, **looser)
    assert less(STEWARDS, other) == [key]
    assert losses(ASKED, answer("NEEDS_APPROVAL", requirements=[other])) == [Loss("asked", f"asked asks less: {key}")]


@pytest.mark.parametrize(
    "stricter",
    [
        {"groups": ()},
        {"claims": {"level": 3, "department": "finance"}},
        {"claims": {}},
        {"count": 3},
        {"pending_for_ms": 1, "valid_for_ms": 1},
        {"individual_every_ms": 6000},
        {"summary": ("context.rows", "context.to")},
        {"unmask_values": 0},
        {"channels": (Channel.WEB,)},
        {"remind_ms": (1000, 2000)},
    ],
)
def test_a_stricter_requirement_is_no_loss(stricter: dict[str, Any]) -> None:
    assert losses(ASKED, answer("NEEDS_APPROVAL", requirements=[replace(STEWARDS, **stricter)])) == []


def test_every_key_of_a_requirement_is_compared() -> None:
    """A key that a later release adds must be compared, too."""
    assert set(Requirement.__dataclass_fields__) == {
        "rule", "reason", "groups", "identities", "count", "pending_for_ms", "valid_for_ms", "claims", "individual",
        "individual_every_ms", "summary", "unmask_values", "channels", "passkey", "remind_ms",
    }  # fmt: skip


def test_one_requirement_stands_for_one() -> None:
    two = answer("NEEDS_APPROVAL", requirements=[STEWARDS, replace(STEWARDS, rule="again")])
    assert losses(two, ASKED) == [Loss("again", "nothing asks for what again asked")]
    renamed = answer("NEEDS_APPROVAL", requirements=[replace(STEWARDS, rule="new")])
    assert losses(ASKED, renamed) == []


def test_an_obligation_is_lost_with_an_allow_or_people_and_not_with_a_deny() -> None:
    obliged = replace(ALLOWED, obligations=(MASK,))
    lost = [Loss("masked", "the obligation `mask` is lost, of masked")]
    assert losses(obliged, ALLOWED) == lost
    other = replace(MASK, properties={"table": "another"})
    assert losses(obliged, replace(ALLOWED, obligations=(other,))) == lost
    assert losses(obliged, replace(ALLOWED, obligations=(replace(MASK, rule="renamed"),))) == []
    assert losses(replace(ASKED, obligations=(MASK,)), ALLOWED)[1:] == lost
    assert losses(replace(DENIED, obligations=(MASK,)), ALLOWED) == losses(DENIED, ALLOWED)


def entry(mask: str, rule: str = "m", **members: Any) -> dict[str, Any]:
    return {"rule": rule, "reason": rule, "columns": ["ssn"], "mask": mask, **members}


def masks(*entries: dict[str, Any], **above: list[dict[str, Any]]) -> dict[str, Any]:
    domains = {"people": {"mask": "token", "kind": "p"}, "others": {"mask": "token", "kind": "o"}}
    return {"entries": list(entries), "columns": {"ssn": list(entries), **above}, "domains": domains}


SSN = [{"name": "ssn", "leaf": True, "above": []}]
NONE, CLEAR, REDACTED = masks(), masks(entry("clear", "rest")), masks(entry("redact"))
PARTIAL = masks(entry("partial", keep_first=1))
DOMAIN = masks({"rule": "d", "reason": "d", "columns": ["ssn"], "domain": "people"})


@pytest.mark.parametrize(
    ("before", "after", "rules"),
    [
        (REDACTED, CLEAR, ["m"]),
        (PARTIAL, CLEAR, ["m"]),
        (DOMAIN, PARTIAL, ["d"]),
        (NONE, DOMAIN, ["d"]),
        (masks(entry("redact"), entry("clear", "rest")), CLEAR, ["m"]),
        (PARTIAL, masks(entry("partial", keep_first=4)), ["m"]),
        (DOMAIN, masks({"rule": "d", "reason": "d", "columns": ["ssn"], "domain": "others"}), ["d"]),
        (CLEAR, REDACTED, []),
        (CLEAR, NONE, []),
        (REDACTED, masks(entry("nullify")), []),
        (REDACTED, masks(entry("unheard-of")), []),
        (DOMAIN, DOMAIN, []),
    ],
)
def test_a_column_is_masked_less_or_otherwise(before: Any, after: Any, rules: list[str]) -> None:
    assert [loss.rule for loss in less_masked(before, after, SSN)] == rules


def test_every_mask_has_its_rank() -> None:
    """One without a rank would count as a column that does not leave."""
    assert {name.partition(".")[0] for name in METHODS} - {"keep"} == set(MASKS)  # `keep` stands in no rule


def test_a_column_inside_another_has_its_mask() -> None:
    inside = [{"name": "a.b", "leaf": True, "above": ["a"]}, {"name": "a", "leaf": False, "above": []}]
    before, after = masks(a=[entry("redact")]), masks(a=[entry("clear")])
    assert [loss.what for loss in less_masked(before, after, inside)] == ["column a.b leaves by `clear`, see m"]


def test_answers_that_a_server_refuses_are_told() -> None:
    assert answers_masks(CLEAR)
    assert not answers_masks(None)
    assert not answers_masks({**CLEAR, "entries": [{"rule": 1, "reason": "x"}]})
    assert not answers_masks({**CLEAR, "domains": {"people": "token"}})
