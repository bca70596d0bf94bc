"""What `<` and `>` may compare: the warning stands where a text could be taken for a large number, and nowhere else."""

import json
from pathlib import Path

import pytest

from pdp.environment import Environment
from pdp.policy.check import checked
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)
ORDER = {
    "type": "object",
    "properties": {
        "amount": {"type": "number"},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"price": {"type": "number"}}}},
        "note": {"type": "string"},
        "maybe": {"type": ["number", "null"]},
        "shared": {"$ref": "#/$defs/money"},
    },
    "$defs": {"money": {"type": "integer"}},
}
BOX = {"type": "object", "properties": {"amount": {"type": "string"}}}
PAY = {"type": "object", "properties": {"days": {"type": "integer"}}}
DATA = {
    "limits": {"free": 100, "by_team": {"a": 1, "b": 2}, "mixed": {"a": 1, "b": "2"}, "list": [1, 2]},
    "unread": ["limits"],
}
LINE = "import data.lib.limits"
LIMITS = """package lib.limits

least := 5

most := data.limits.free if input.action.name == "pay"

most := 7 if input.action.name != "pay"

of[team] := amount if some team, amount in data.limits.by_team

twice(x) := x * 2

same(x) := x

over(x, y) if x > y
"""


def written(folder: Path, body: str) -> Path:
    rule = f'allow contains {{"rule": "x", "reason": "x"}} if {{\n\t{body}\n}}'
    files = {
        "p.rego": f"package policy\n\n{LINE if 'limits.' in body.replace('data.limits', '') else ''}\n\n{rule}\n",
        "data.json": json.dumps(DATA),
        "lib/limits.rego": LIMITS,
        "schema/resource/order.json": json.dumps(ORDER),
        "schema/resource/box.json": json.dumps(BOX),
        "schema/context/pay.json": json.dumps(PAY),
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def warned(folder: Path, body: str) -> list[str]:
    findings, warnings = checked(OPA, [written(folder, body)], {})
    assert [finding for finding in findings if finding.rule != "unformatted"] == []
    return [warning for warning in warnings if "p.rego" in warning]


ORDERED = 'input.resource.type == "order"\n\t'
TYPED = {
    "property": ORDERED + "input.resource.properties.amount > 5",
    "property through a variable": ORDERED + "p := input.resource.properties\n\tp.amount >= data.limits.free",
    "property of the schema's own definition": ORDERED + "input.resource.properties.shared < 5",
    "item of a list": ORDERED + "some line in input.resource.properties.lines\n\tline.price > 5",
    "index of a list": ORDERED + "input.resource.properties.lines[0].price > 5",
    "any index": ORDERED + "some i\n\tinput.resource.properties.lines[i].price > 5",
    "every": ORDERED + "every line in input.resource.properties.lines { line.price < 5 }",
    "texts": ORDERED + 'input.resource.properties.note > "m"',
    "context": "input.context.days <= 30",
    "context with a default": 'object.get(input.context, "days", 0) <= 30',
    "context by a path": 'object.get(input, ["context", "days"], 0) <= 30',
    "the time": "input.now < 5",
    "a part of the time": '[hour, _, _] := time.clock([input.now, "Europe/Berlin"])\n\thour < 18',
    "data of any key": "data.limits.by_team[input.subject.id] > 1",
    "data of a list": "data.limits.list[_] > 1",
    "a count": "count(input.on_behalf_of) > 1",
    "a sum of anything": "sum([x | some x in input.subject.properties.xs]) > 1",
    "a calculation": "input.subject.properties.a - 3 > 1",
    "a conversion": "to_number(input.subject.properties.a) > 1",
    "a question": "is_number(input.subject.properties.a)\n\tinput.subject.properties.a > 1",
    "a question about a variable": "a := input.subject.properties.a\n\tis_number(a)\n\ta > 1",
    "the greatest": ORDERED + "max([line.price | some line in input.resource.properties.lines]) > 1",
    "a rule": "limits.least < 4",
    "a rule of two": "limits.most < 4",
    "a rule of a name": 'limits.of["a"] < 4',
    "a function": ORDERED + "limits.twice(input.resource.properties.amount) < 4",
    "a function's answer": ORDERED + "limits.same(input.resource.properties.amount) < 4",
}
UNTYPED = {
    "property of a subject": "input.subject.properties.level > 5",
    "property of another type": "input.resource.properties.amount > 5",
    "property of two types": 'input.resource.type == "box"\n\tinput.resource.properties.amount > 5',
    "null or a number": ORDERED + "input.resource.properties.maybe < 5",
    "text against a number": ORDERED + "input.resource.properties.note > 5",
    "default of another type": 'object.get(input.context, "days", "0") <= 30',
    "variable": "level := input.subject.properties.level\n\t5 < level",
    "some": "some level in input.subject.properties.levels\n\tlevel > 5",
    "index": "some i\n\tinput.subject.properties.levels[i] > 5",
    "every": "every level in input.subject.properties.levels { level < 5 }",
    "inside a comprehension": "count([x | some x in input.subject.properties.xs; x > 5]) == 0",
    "the greatest of anything": "max(input.subject.properties.xs) > 5",
    "data of many kinds": "data.limits.mixed[input.subject.id] > 1",
    "a function's answer": "limits.same(input.subject.properties.a) < 4",
    "a question about something else": "is_number(input.subject.properties.b)\n\tinput.subject.properties.a > 1",
    "a question that is denied": "not is_number(input.subject.properties.a)\n\tinput.subject.properties.a > 1",
}


@pytest.mark.parametrize("body", TYPED.values(), ids=TYPED.keys())
def test_comparison_of_typed_values_has_no_warning(body: str, tmp_path: Path) -> None:
    assert warned(tmp_path, body) == []


@pytest.mark.parametrize("body", UNTYPED.values(), ids=UNTYPED.keys())
def test_comparison_of_an_untyped_value_is_warned_of(body: str, tmp_path: Path) -> None:
    (warning,) = warned(tmp_path, body)
    assert "[untyped-comparison]" in warning
    assert ":6: " in warning or ":7: " in warning


def test_parameter_is_what_the_calls_pass(tmp_path: Path) -> None:
    text = {
        True: ORDERED + "limits.over(input.resource.properties.amount, 5)",
        False: "limits.over(input.context.x, 5)",
    }
    for typed, body in text.items():
        _, warnings = checked(OPA, [written(tmp_path, body)], {})
        assert [("limits.rego" in warning) for warning in warnings] == ([] if typed else [True]), body


def test_warning_says_what_to_do(tmp_path: Path) -> None:
    (warning,) = warned(tmp_path, "input.subject.properties.level > 5")
    assert "`input.subject.properties.level` may be of any type" in warning
    assert "ask `is_number(input.subject.properties.level)`" in warning
