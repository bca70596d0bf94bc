"""The schema that a finding prints is whole: what was there, what the policy reads, and what it needs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests import authored


def printed(folder: Path, rule: str, **files: Any) -> dict[str, Any]:
    """The schemas that the findings of a policy of one rule print."""
    text = f"package policy\n\n{rule}\n"
    found = authored.findings(authored.written(folder, {"p.rego": text, **files}))
    assert {finding.rule for finding in found} == {"untyped-attribute"}
    pairs = [pair for each in found for pair in re.findall(r"write (\S+): (\{.*?\})(?=; write |$)", each.sentence)]
    return {file: json.loads(schema) for file, schema in pairs}


def rule(body: str) -> str:
    return f'deny contains {{"rule": "x", "reason": "x"}} if {{\n\t{body}\n}}'


def test_all_that_a_rule_reads_is_listed_and_what_it_needs_typed(tmp_path: Path) -> None:
    reads = ("input.context.days > 5", 'input.context.team == "a"', "count(input.context.o.xs) > 1")
    body = "\n\t".join(['input.action.name == "pay"', *reads])
    nested = {"type": "object", "properties": {"xs": {"type": "array"}}}
    schema = {"type": "object", "properties": {"days": {"type": "number"}, "o": nested, "team": {}}}
    assert printed(tmp_path, rule(body)) == {"schema/context/pay.json": schema}


def test_rule_of_no_action_gets_the_context_of_any_and_leaves_it_open(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"days": {"type": "number"}}, "additionalProperties": True}
    assert printed(tmp_path, rule("input.context.days > 5")) == {"schema/context/any.json": schema}


def test_what_is_there_is_kept_and_a_wrong_type_is_mended(tmp_path: Path) -> None:
    there = {
        "title": "Days",
        "type": "object",
        "properties": {"days": {"type": ["number", "null"], "description": "d"}, "note": {"type": "string"}},
        "required": ["note"],
    }
    (schema,) = printed(
        tmp_path, rule('input.action.name == "pay"\n\tinput.context.days > 5'), **{"schema/context/pay.json": there}
    ).values()
    assert schema["properties"] == {"days": {"type": "number", "description": "d"}, "note": {"type": "string"}}
    assert (schema["title"], schema["required"]) == ("Days", ["note"])


@pytest.mark.parametrize(
    ("body", "file"),
    [
        ("input.subject.properties.level > 5", "schema/subject/user.json"),
        ('input.subject.type == "agent"\n\tinput.subject.properties.level > 5', "schema/subject/agent.json"),
        ("some p in input.on_behalf_of\n\tp.properties.level > 5", "schema/subject/user.json"),
        ("input.action.properties.rows > 5", "schema/action/read.json"),
        ('input.action.name == "export"\n\tinput.action.properties.rows > 5', "schema/action/export.json"),
        ("input.resource.properties.rows > 5", "schema/resource/table.json"),
        ('input.resource.type == "order"\n\tinput.resource.properties.rows > 5', "schema/resource/order.json"),
    ],
)
def test_file_is_that_of_the_type(body: str, file: str, tmp_path: Path) -> None:
    assert printed(tmp_path, rule(body)).keys() == {file}


def test_type_that_nothing_but_a_test_names(tmp_path: Path) -> None:
    test = """package p_test

import data.pdp

test_x if pdp.decision.effect == "DENY" with input as {"resource": {"type": "order", "id": "1"}}
"""
    files = printed(tmp_path, rule("input.resource.properties.rows > 5"), **{"p_test.rego": test})
    assert files.keys() == {"schema/resource/order.json"}


def test_two_actions_get_two_files(tmp_path: Path) -> None:
    files = printed(tmp_path, rule('input.action.name in ["a", "b"]\n\tinput.context.rows > 5'))
    assert files.keys() == {"schema/context/a.json", "schema/context/b.json"}
