"""An entry of `needs_approval` as a requirement; tests/pdp/test_decision.py has what is refused."""

from dataclasses import replace
from typing import Any

from pdp.channel import Channel
from pdp.requirement import Requirement, allowance
from pdp.requirement_reading import requirement


def asked(**members: Any) -> Requirement:
    return requirement({"rule": "ask", "reason": "ask people", "reviewers": {"groups": ["stewards"]}, **members})


def test_requirement_takes_claims_alone_or_beside_others_and_may_be_individual() -> None:
    wanted = {"department": "finance", "level": 3, "ratio": 0.5, "manager": True}
    for others in ({}, {"groups": ["a"]}, {"identities": ["user:b"]}):
        read = asked(reviewers={**others, "claims": wanted}, individual=True)
        assert (read.claims, read.individual) == (wanted, True)
        assert read.policy_form()["reviewers"]["claims"] == wanted
    read = asked(individual_every="1m", summary=["context.rows"])
    assert (read.individual_every_ms, read.summary) == (60_000, ("context.rows",))
    plain = asked()
    assert (plain.individual_every_ms, plain.summary) == (10_000, ())
    assert (plain.claims, plain.individual) == ({}, False)


def test_requirement_may_say_how_many_values_its_use_unmasks() -> None:
    many = asked(unmask_values=5_000_000)
    plain = asked()
    assert (many.unmask_values, plain.unmask_values) == (5_000_000, 0)
    assert allowance([many, replace(many, unmask_values=7)]) == 7
    assert allowance([many, plain]) == allowance([]) == 0


def test_requirement_says_where_a_yes_counts_with_which_proof_and_when_people_are_reminded() -> None:
    read = asked(channels=["slack", "api"], passkey=True, remind=["2h", "30m"])
    assert (read.channels, read.passkey) == ((Channel.API, Channel.SLACK), True)
    assert read.remind_ms == (1_800_000, 7_200_000)
    assert (read.policy_form()["channels"], read.policy_form()["passkey"]) == (("api", "slack"), True)
    plain = asked()
    assert (plain.channels, plain.passkey, plain.remind_ms) == ((Channel.API, Channel.WEB), False, ())
