"""Rows of a queue: what the policy names or what differs, and no two requests alike."""

from collections.abc import Mapping
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.canonical import canonical
from pdp.cli import telling
from pdp.v1.approval_pb2 import Approval, Requirement
from pdp.v1.request_pb2 import Request
from tests.cli.test_display import EVIL, is_harmless

BOT = {"type": "agent", "id": "bot"}


def held(
    context: Mapping[str, Any] | None = None,
    *,
    summary: tuple[str, ...] = (),
    caller: str = "agent:bot",
    **members: Any,
) -> Approval:
    asked = {
        "subject": BOT,
        "onBehalfOf": [{"type": "user", "id": "alice"}],
        "action": {"name": "refund"},
        "resource": {"type": "order", "id": "4711", "properties": {"amount": 450}},
        "context": dict(context or {}),
        **members,
    }
    request = json_format.ParseDict(asked, Request())
    digest = canonical(request, "dev").digest
    rule = Requirement(rule="refunds.manager", count=2, approved=1, summary=summary)
    return Approval(request=request, request_digest=digest, caller=caller, requirements=[rule])


def whats(*approvals: Approval) -> list[str]:
    return [row.what for row in telling.rows(approvals)]


def test_row_shows_what_it_does_for_whom_and_which_rule_asks() -> None:
    (row,) = telling.rows([held({"reason": "lost"}, caller="agent:gateway")])
    assert row.does == "refund order:4711"
    assert row.whose == "agent:bot for user:alice, asked by agent:gateway"
    assert row.what == 'resource.amount = 450, context.reason = "lost"'
    assert telling.needs(row.held) == "refunds.manager 1 of 2"


def test_first_leaves_that_differ_are_shown_and_what_is_equal_is_not() -> None:
    found = whats(held({"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}), held({"a": 1, "b": 2, "c": 2, "d": 2, "e": 2}))
    assert found == ["context.b = 1, context.c = 1, context.d = 1", "context.b = 2, context.c = 2, context.d = 2"]
    assert whats(held({"a": 1}), held({})) == ["context.a = 1", ""]


def test_only_requests_of_one_kind_are_compared() -> None:
    other = held({"a": 2}, action={"name": "pay"})
    assert whats(held({"a": 1}), other) == [
        "resource.amount = 450, context.a = 1",
        "resource.amount = 450, context.a = 2",
    ]


def test_policy_says_what_is_shown() -> None:
    names = ("resource.properties.amount", "context.why", 'context["two words"]', "context.absent")
    context = {"why": {"code": 7, "text": "lost"}, "two words": True, "whyever": 1, "z": 9}
    (found,) = whats(held(context, summary=names))
    assert (
        found == 'resource.amount = 450, context.why.code = 7, context.why.text = "lost", context["two words"] = true'
    )


def test_what_looks_alike_by_the_policys_choice_shows_more_until_it_differs() -> None:
    named = ("resource.properties.amount",)
    found = whats(held({"a": 1, "b": 1}, summary=named), held({"a": 1, "b": 2}, summary=named), held(summary=named))
    assert len({*found}) == 3
    assert all(one.startswith("resource.amount = 450") for one in found)
    assert found[1] == "resource.amount = 450, context.a = 1, context.b = 2"


def test_long_values_that_differ_at_their_end_are_told_apart_by_digest() -> None:
    one, two = held({"sql": "x" * 500 + "1"}), held({"sql": "x" * 500 + "2"})
    first, second = whats(one, two)
    assert first != second
    assert f"digest {one.request_digest[:8]}…" in first
    assert len(first) < 120


def test_equal_requests_of_two_callers_differ_by_who_asks() -> None:
    rows = telling.rows([held(caller="agent:bot"), held(caller="agent:gateway")])
    assert len({row.looks for row in rows}) == 2


@pytest.mark.parametrize("text", [EVIL, "[bold]x[/bold]", "a\nb", "a, context.b = 1"])
def test_nothing_deceiving_is_in_a_row(text: str) -> None:
    (row,) = telling.rows([held({text: text})])
    assert is_harmless(" ".join(row.looks))


values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "ab", "x" * 70, "x" * 69 + "y"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", "c d"]), inner, max_size=3),
    max_leaves=6,
)
contexts = st.dictionaries(st.sampled_from(["a", "b", "two words"]), values, max_size=3)
summaries = st.lists(st.sampled_from(["context.a", "context.b.a", 'context["two words"]', "resource"]), max_size=2)


@given(st.lists(st.tuples(contexts, summaries), min_size=2, max_size=8))
@settings(max_examples=200, deadline=None)
def test_no_two_requests_look_alike(drawn: list[tuple[dict[str, Any], list[str]]]) -> None:
    approvals = [held(context, summary=tuple(summary)) for context, summary in drawn]
    rows = telling.rows(approvals)
    looks = {row.looks for row in rows}
    assert len(looks) >= len({row.held.request_digest for row in rows})


def unmasking(*, table: str = "crm.customers", **context: Any) -> Approval:
    bound = {
        "columns": ["email", "id"],
        "column_domains": ["person.email", "person.id"],
        "domains": ["person.email", "person.id"],
        "count": 1200,
        "chunks": 2,
        "tokens_tree": "ab" * 32,
        **context,
    }
    return held(bound, action={"name": "unmask"}, resource={"type": "table", "id": table})


def test_row_of_an_unmasking_names_table_count_columns_and_domains() -> None:
    (row,) = telling.rows([unmasking(purpose="support")])
    assert row.does == "unmask table:crm.customers (1,200 values)"
    assert row.what == 'columns email (person.email), id (person.id), context.purpose = "support"'


@pytest.mark.parametrize(
    ("context", "what"),
    [
        ({}, "columns email (person.email), id (person.id)"),
        ({"column_domains": []}, "columns email, id; domains person.email, person.id"),
        ({"column_domains": ["a", ""], "domains": ["a", "b"]}, "columns email (a), id; domains b"),
        (
            {"columns": list("abcdefg"), "column_domains": [], "domains": []},
            "columns a, b, c, d, e and 2 more",
        ),
    ],
)
def test_columns_of_an_unmasking_are_told_with_their_domains(context: Mapping[str, Any], what: str) -> None:
    assert whats(unmasking(**context), unmasking(table="crm.other", **context)) == [what, what]


def test_unmaskings_that_differ_in_what_is_not_told_do_not_look_alike() -> None:
    first, second = whats(unmasking(), unmasking(tokens_tree="cd" * 32))
    assert first == f'columns email (person.email), id (person.id), context.tokens_tree = "{"ab" * 29}a…'
    assert first != second
    many = [f"c{number}" for number in range(9)]
    one, other = whats(unmasking(columns=[*many, "x"]), unmasking(columns=[*many, "y"]))
    assert one != other


def test_unmasking_that_the_policy_sums_up_still_names_its_columns() -> None:
    asked = unmasking(purpose="support")
    asked.requirements[0].summary.append("context.purpose")
    assert whats(asked) == ['columns email (person.email), id (person.id), context.purpose = "support"']
