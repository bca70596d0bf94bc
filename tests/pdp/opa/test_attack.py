"""An attack on real policies with a real OPA: what it finds, what it leaves alone, and what it cannot ask."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pdp.environment import Environment
from pdp.errors import SetupError
from pdp.opa import attack
from pdp.opa.attack import Report
from pdp.opa.question import heard
from pdp.policy.finding import PolicyRefused
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)
OPEN = 'package policy\n\nallow contains {"rule": "open", "reason": "open"} if input.action.name == "export"\n\n'
ASKED = '"reason": "asked", "reviewers": {"groups": ["stewards"]}'
PEOPLE = {"identities": {"agent:bot": {"owners": ["user:alice"]}}, "groups": {"stewards": ["user:bob"]}}
Attack = Callable[..., Any]


def asks(context: dict[str, Any], table: str = "t", **properties: Any) -> dict[str, Any]:
    return {
        "subject": {"type": "agent", "id": "bot"},
        "action": {"name": "export"},
        "resource": {"type": "table", "id": table, "properties": properties},
        "context": context,
    }


@pytest.fixture
def attacked(tmp_path: Path) -> Attack:
    async def on(rego: str, *inputs: dict[str, Any], data: dict[str, Any] | None = None, **schemas: Any) -> Report:
        (tmp_path / "p.rego").write_text(OPEN + rego)
        (tmp_path / "data.json").write_text(json.dumps({**PEOPLE, **(data or {})}))
        for name, schema in schemas.items():
            file = tmp_path / "schema" / f"{name.replace('__', '/')}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(schema))
        questions = [heard("given", one, frozenset({"user"})) for one in inputs]
        return await attack.attacked(OPA, [tmp_path], questions, person_types=frozenset({"user"}))

    return on


def found(report: Report) -> set[tuple[str, str, str]]:
    return {(one.loss.rule, one.path, one.change) for one in report.findings}


async def test_a_value_that_is_left_out_takes_a_rule_away(attacked: Attack) -> None:
    rule = f'needs_approval contains {{"rule": "large", {ASKED}}} if input.context.size == "large"'
    report = await attacked(rule, asks({"size": "large"}))
    changes = {change for name, path, change in found(report) if (name, path) == ("large", "context.size")}
    assert {"left out", "null", "true", "0", "-1", "other type", "other case", "blank around it"} <= changes
    assert {"empty list", "empty text", "a list of it"} <= changes


async def test_a_schema_ends_what_it_types_and_bounds(attacked: Attack) -> None:
    body = '{\n\tinput.action.name == "export"\n\tinput.context.rows > 5\n}'
    rule = f'needs_approval contains {{"rule": "many", {ASKED}}} if {body}'
    typed = {"type": "object", "properties": {"rows": {"type": "integer"}}}
    report = await attacked(rule, asks({"rows": 10}), context__export=typed)
    assert {(path, change) for _, path, change in found(report)} == {("context.rows", "left out")}
    report = await attacked(rule, asks({"rows": 10}), context__export={**typed, "required": ["rows"]})
    assert found(report) == set()
    assert report.variants > 10


OPENING = """deny contains {"rule": "shut", "reason": "shut"} if {
	input.action.name == "export"
	not object.get(input.context, "hotfix", false)
}"""
HOTFIX = {"type": "object", "properties": {"hotfix": {"type": "boolean"}, "mode": {"enum": ["slow", "fast"]}}}


async def test_a_member_that_a_schema_lists_is_added(attacked: Attack) -> None:
    report = await attacked(OPENING, asks({}), context__export=HOTFIX)
    assert found(report) == {("shut", "context.hotfix", "added true")}


async def test_a_member_is_added_as_the_schema_lists_it(attacked: Attack) -> None:
    rule = 'deny contains {"rule": "slow", "reason": "slow"} if not input.context.mode == "fast"'
    report = await attacked(rule, asks({}), context__export=HOTFIX)
    assert found(report) == {("slow", "context.mode", "added as a schema lists it")}


async def test_a_member_that_the_policy_reads_is_added(attacked: Attack) -> None:
    rule = 'deny contains {"rule": "shut", "reason": "shut"} if not input.resource.properties.free == true'
    report = await attacked(rule, asks({}))
    assert found(report) == {("shut", "resource.properties.free", "added true")}
    rule = 'deny contains {"rule": "shut", "reason": "shut"} if not input.context.team.lead == "unknown"'
    report = await attacked(rule, asks({"team": {}}))
    assert ("shut", "context.team.lead", "added a text") in found(report)


async def test_a_member_of_another_request_is_added(attacked: Attack) -> None:
    rule = 'deny contains {"rule": "shut", "reason": "shut"} if input.context == {"calm": true}'
    report = await attacked(rule, asks({"calm": True}), asks({"word": "open"}))
    assert ("shut", "context.word", "added true") in found(report)


async def test_a_request_that_says_enough_to_be_allowed_is_no_finding(attacked: Attack) -> None:
    rule = 'allow contains {"rule": "told", "reason": "told"} if input.context.ticket == "unknown"'
    assert found(await attacked(rule, {**asks({}), "action": {"name": "read"}})) == set()


async def test_names_in_another_case_are_found_where_data_knows_them(attacked: Attack) -> None:
    report = await attacked(
        'deny contains {"rule": "kept", "reason": "kept"} if input.resource.id in data.kept',
        asks({}, "crm.customers"),
        data={"kept": ["crm.customers"]},
    )
    assert found(report) == {("kept", "resource.id", change) for change in ("other case", "blank around it")}


async def test_a_lost_obligation_and_fewer_reviewers_are_found(attacked: Attack) -> None:
    rules = (
        'obligation contains {"rule": "m", "reason": "m", "type": "mask"} if input.context.to == "partner"\n\n'
        f'needs_approval contains {{"rule": "a", {ASKED}, "count": 2}} if input.context.to == "partner"\n\n'
        f'needs_approval contains {{"rule": "a", {ASKED}}} if not input.context.to == "partner"'
    )
    report = await attacked(rules, asks({"to": "partner"}))
    whats = {one.loss.what for one in report.findings if one.change == "other case"}
    assert whats == {"the obligation `mask` is lost, of m", "a asks less: count"}


async def test_a_column_less_masked_is_found(attacked: Attack) -> None:
    rules = (
        'mask contains {"rule": "ssn", "reason": "x", "columns": ["ssn"], "mask": "redact"} '
        'if input.context.purpose == "report"\n\n'
        'mask contains {"rule": "rest", "reason": "x", "columns": ["ssn"], "mask": "clear"} '
        'if not input.context.purpose == "report"'
    )
    question = {"request": asks({"purpose": "report"}), "columns": [{"name": "ssn", "type": "string"}]}
    report = await attacked(rules, question)
    assert ("ssn", "context.purpose", "left out") in found(report)
    assert {one.loss.what for one in report.findings} == {"column ssn leaves by `clear`, see ssn"}
    request = {**asks({"purpose": "report"}), "action": {"name": "mask"}}  # about the columns that the policy names
    assert ("ssn", "context.purpose", "left out") in found(await attacked(rules, request))


async def test_what_a_credential_vouches_for_is_a_note(attacked: Attack) -> None:
    report = await attacked(
        'deny contains {"rule": "bots", "reason": "x"} if {\n\tinput.subject.type == "agent"\n}', asks({})
    )
    assert found(report) == set()
    assert {(one.path, one.change) for one in report.notes} == {
        ("subject.type", change) for change in ("other case", "blank around it")
    }


async def test_a_builtin_that_fails_is_no_answer_and_hides_no_other(attacked: Attack) -> None:
    """In a question that is not strict it is undefined, and the deny would be gone."""
    rule = 'deny contains {"rule": "d", "reason": "d"} if lower(input.context.zone) == "x"'
    report = await attacked(rule, asks({"zone": "X"}), asks({"zone": "x", "more": "y"}))
    assert {change for _, _, change in found(report)} == {"left out", "empty text", "blank around it"}


async def test_a_rule_with_two_values_fails_alone(attacked: Attack) -> None:
    helper = 'size := 1 if input.context.a == true\n\nsize := 2 if input.context.b == "x"'
    rule = 'deny contains {"rule": "d", "reason": "d"} if data.lib.s.size == 1\n'
    folder = Path(attacked.__closure__[0].cell_contents)  # type: ignore[attr-defined]  # the fixture's folder
    (folder / "lib.rego").write_text(f"package lib.s\n\n{helper}\n")
    report = await attacked(rule, asks({"a": True, "b": "x"}), asks({"a": True}))
    assert ("given", "the policy fails on it") in report.unusable
    assert ("d", "context.a", "left out") in found(report)


async def test_accepted_is_taken_out_and_what_matches_nothing_is_told(attacked: Attack) -> None:
    rule = 'deny contains {"rule": "kept", "reason": "kept"} if input.resource.id == "T"'
    line = {"rule": "kept", "path": "resource.id", "change": "other case", "reason": "names are checked before"}
    gone = {**line, "path": "context.rows"}
    report = await attacked(rule, asks({}, "T"), data={"policy_attack": {"accepted": [line, gone]}})
    assert found(report) == {("kept", "resource.id", "blank around it")}
    assert [each.path for each in report.unmatched] == ["context.rows"]


async def test_what_the_server_puts_into_the_context_is_not_changed(attacked: Attack) -> None:
    body = '{\n\tinput.action.name == "unmask"\n\tinput.context.count == 3\n}'
    rule = f'deny contains {{"rule": "d", "reason": "d"}} if {body}'
    asked = {**asks({"count": 3, "purpose": "x"}), "action": {"name": "unmask"}}
    allowed = '\n\nallow contains {"rule": "any", "reason": "any"}'
    report = await attacked(rule + allowed, asked)
    assert {path for _, path, _ in found(report)} == {"action.name"}
    assert report.variants > 10


async def test_each_loss_is_told_once_with_how_many(attacked: Attack) -> None:
    rule = 'deny contains {"rule": "d", "reason": "d"} if input.resource.id == "T"'
    report = await attacked(rule, *(asks({"rows": rows}, "T") for rows in range(5)), asks({"rows": 0}, "T"))
    assert report.questions == 5
    assert {one.times for one in report.findings} == {5}


async def test_a_policy_that_a_server_refuses_is_not_attacked(attacked: Attack) -> None:
    with pytest.raises(PolicyRefused, match="misspelt-set"):
        await attacked("denny contains {}", asks({}))
    with pytest.raises(SetupError, match="accepted"):
        await attacked("", asks({}), data={"policy_attack": {"accepted": [{}]}})
