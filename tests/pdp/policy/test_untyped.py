"""Where the type of a value matters: untyped values of callers are refused there, and the printed schema ends it."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from pdp.policy.check import checked
from tests import authored

ORDER = {
    "type": "object",
    "properties": {
        "amount": {"type": "number"},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"price": {"type": "number"}}}},
        "note": {"type": "string"},
        "maybe": {"type": ["number", "null"]},
        "list": {"type": "array"},
        "shared": {"$ref": "#/$defs/money"},
    },
    "$defs": {"money": {"type": "integer"}},
}
BOX = {"type": "object", "properties": {"amount": {"type": "string"}}}
ANY = {"type": "object", "properties": {}, "additionalProperties": True}
PAY = {"type": "object", "properties": {"days": {"type": "integer"}}}
DATA = {
    "limits": {"free": 100, "by_team": {"a": 1, "b": 2}, "mixed": {"a": 1, "b": "2"}, "list": [1, 2]},
    "paying": ["pay"],
    "public": ["public"],
    "unread": ["limits", "paying", "public"],
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

asked if {
	is_number(input.context.rows)
	input.context.rows > 5
}

default risk := 0

risk := 10 if {
	is_number(input.context.rows)
	input.context.rows > 5
}

late if input.context.days > 30
"""


def written(folder: Path, body: str, rule: str = "allow") -> Path:
    entry = {"needs_approval": ', "reviewers": {"groups": ["g"]}', "obligation": ', "type": "t"'}.get(rule, "")
    text = f'{rule} contains {{"rule": "x", "reason": "x"{entry}}} if {{\n\t{body}\n}}\n'
    return authored.written(
        folder,
        {
            "p.rego": f"package policy\n\n{LINE if 'limits.' in body.replace('data.limits', '') else ''}\n\n{text}",
            "data.json": DATA,
            "lib/limits.rego": LIMITS,
            "schema/resource/order.json": ORDER,
            "schema/resource/box.json": BOX,
            "schema/context/pay.json": PAY,
            "schema/context/any.json": ANY,
        },
    )


def refused(folder: Path, body: str, rule: str = "allow") -> list[str]:
    return [str(finding) for finding in authored.findings(written(folder, body, rule))]


PAYS = 'input.action.name == "pay"\n\t'
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
    "context": PAYS + "input.context.days <= 30",
    "context with a default": PAYS + 'object.get(input.context, "days", 0) <= 30',
    "context by a path": PAYS + 'object.get(input, ["context", "days"], 0) <= 30',
    "context where it is not null": PAYS + 'd := object.get(input.context, "days", null)\n\td != null\n\td <= 30',
    "context of a listed action": 'input.action.name in {"pay"}\n\tinput.context.days <= 30',
    "context of an action in data": "input.action.name in data.paying\n\tinput.context.days <= 30",
    "context of an action by a name": 'a := input.action.name\n\ta == "pay"\n\tinput.context.days <= 30',
    "parts of a list": PAYS + "[input.context.days, 1] <= [30, 5]",
    "parts of an object": PAYS + '{"days": input.context.days} <= {"days": 30}',
    "asked of each": "every p in input.on_behalf_of { is_number(p.properties.a); p.properties.a < 5 }",
    "asked and used inside of every": (
        "every p in input.on_behalf_of {\n\t\tp.id\n\t\tis_number(input.context.n)\n\t\tinput.context.n < 5\n\t}"
    ),
    "null taken away": ORDERED + "m := input.resource.properties.maybe\n\tm != null\n\tm < 5",
    "a typed list": ORDERED + "every line in input.resource.properties.lines { line.price == 5 }",
    "a typed list counted": ORDERED + "count(input.resource.properties.lines) < 3",
    "a text's beginning": ORDERED + 'startswith(input.resource.properties.note, "m")',
    "the left side of in": 'input.context.zone in ["a", "b"]',
    "equal": 'input.context.zone == "a"',
    "not equal": 'input.context.zone != "a"',
    "what fails": 'contains(input.context.zone, "a")\n\tregex.match("^a", input.context.zone)',
    "what the contract types": '"a" in input.caller.groups\n\tcount(input.on_behalf_of) == 0',
    "a member by its name": "input.context.team.lead == input.subject.id",
    "a list asked about": "is_array(input.context.tags)\n\tevery tag in input.context.tags { tag in data.public }",
    "items asked about": "is_array(input.context.xs)\n\tevery x in input.context.xs {\n\tis_number(x)\n\tx < 5\n\t}",
    "a text asked about": 'is_string(input.context.zip)\n\tstartswith(input.context.zip, "0")',
    "a number of a text": "is_string(input.context.rows)\n\tto_number(input.context.rows) <= 10",
    "the time": "input.now < 5",
    "a part of the time": '[hour, _, _] := time.clock([input.now, "Europe/Berlin"])\n\thour < 18',
    "data of any key": "data.limits.by_team[input.subject.id] > 1",
    "data of a list": "data.limits.list[_] > 1",
    "a count": "count(input.on_behalf_of) > 1",
    "a sum of anything": "xs := input.subject.properties.xs\n\tis_array(xs)\n\tsum([x | some x in xs]) > 1",
    "a calculation": "input.subject.properties.a - 3 > 1",
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
    "part of a list": "[input.context.major, 1] <= [2, 5]",
    "part of an object": '{"rows": input.context.rows} <= {"rows": 5}',
    "asked inside of every": (
        "every p in input.on_behalf_of {\n\t\tp.id\n\t\tis_number(input.context.e)\n\t}\n\tinput.context.e < 5"
    ),
    "not null inside of every": (
        ORDERED
        + "every p in input.on_behalf_of {\n\t\tp.id\n\t\tinput.resource.properties.maybe != null\n\t}"
        + "\n\tinput.resource.properties.maybe < 5"
    ),
    "property of a subject": "input.subject.properties.level > 5",
    "property of another type": "input.resource.properties.amount > 5",
    "property of two types": 'input.resource.type == "box"\n\tinput.resource.properties.amount > 5',
    "null or a number": ORDERED + "input.resource.properties.maybe < 5",
    "text against a number": ORDERED + "input.resource.properties.note > 5",
    "variable": "level := input.subject.properties.level\n\t5 < level",
    "some": "some level in input.subject.properties.levels\n\tlevel > 5",
    "index": "some i\n\tinput.subject.properties.levels[i] > 5",
    "every": "every level in input.subject.properties.levels { level < 5 }",
    "inside a comprehension": "count([x | some x in input.subject.properties.xs; x > 5]) == 0",
    "the greatest of anything": "max(input.subject.properties.xs) > 5",
    "a function's answer": "limits.same(input.subject.properties.a) < 4",
    "context of an action that has a schema, in a rule that names none": "input.context.days <= 30",
    "context of another action": 'input.action.name == "ship"\n\tinput.context.days <= 30',
    "context of two actions": 'input.action.name in {"pay", "ship"}\n\tinput.context.days <= 30',
    "an action that is denied": 'not input.action.name == "pay"\n\tinput.context.days <= 30',
    "a conversion": "to_number(input.subject.properties.a) > 1",
    "count": "count(input.context.tables) <= 10",
    "every over anything": "every tag in input.context.tags { tag in data.public }",
    "some in anything": 'some tag in input.context.tags\n\ttag == "pii"',
    "in anything": '"pii" in input.context.tags',
    "not in anything": 'not "pii" in input.context.tags',
    "any index of anything": 'input.context.tags[_] == "pii"',
    "an index of anything": 'some i\n\tinput.context.tags[i] == "pii"',
    "a key of anything": 'some i, tag in input.context.tags\n\ttag == "pii"',
    "a beginning": 'startswith(input.context.zip, "0")',
    "an end": 'endswith(input.context.zip, "0")',
    "a pattern": 'glob.match("0*", [], input.context.zip)',
    "one of beginnings": 'strings.any_prefix_match(input.context.zip, ["0"])',
    "a beginning of an item": ORDERED + 'some tag in input.resource.properties.list\n\tstartswith(tag, "0")',
    "a name of a network": "net.cidr_is_valid(input.context.net)",
    "a walk": 'walk(input.context.tree, [_, leaf])\n\tleaf == "x"',
    "properties of an action": "input.action.properties.rows <= 10",
    "properties of the chain": "some party in input.on_behalf_of\n\tparty.properties.level > 5",
    "a list made of lists": "max(array.concat(input.context.a, [1])) > 5",
    "a member of an unpacked object": '{"a": a} := input.context.o\n\ta > 5',
    "an item of an unpacked list": "[a, _] := input.context.pair\n\ta > 5",
    "a value by itself": "input.context.urgent",
    "no value by itself": "not input.context.hotfix",
    "a variable by itself": "x := input.context.held\n\tnot x",
    "a value with a default by itself": 'not object.get(input.context, "calm", false)',
    "a value by itself in every": "every item in data.public { not input.context.frozen[item] }",
    "a question about something else": "is_number(input.subject.properties.b)\n\tinput.subject.properties.a > 1",
    "a question that is denied": "not is_number(input.subject.properties.a)\n\tinput.subject.properties.a > 1",
}


DATA_OF_MANY_KINDS = "data.limits.mixed[input.subject.id] > 1"
GUARDED = {
    "a question": "is_number(input.context.rows)\n\tinput.context.rows > 1000",
    "a question about a list": 'is_array(input.context.tags)\n\t"pii" in input.context.tags',
    "a question in a helper": "limits.asked",
}


def together(folder: Path, bodies: Iterable[str]) -> tuple[Path, dict[str, range]]:
    """A policy with a rule for each body, and the lines of each."""
    text, lines = "package policy\n\nimport data.lib.limits\n\n", {}
    for body in bodies:
        start = text.count("\n") + 1
        text += f'allow contains {{"rule": "x", "reason": "x"}} if {{\n\t{body}\n}}\n\n'
        lines[body] = range(start, text.count("\n"))
    return authored.written(written(folder, "true"), {"p.rego": text}), lines


def test_typed_values_are_fine(tmp_path: Path) -> None:
    folder, _ = together(tmp_path, TYPED.values())
    assert authored.findings(folder) == []
    assert [each for each in checked(authored.OPA, [folder], {})[1] if "[unread-rule]" not in each] == []


def test_untyped_values_are_refused_and_what_is_printed_ends_it(tmp_path: Path) -> None:
    folder, lines = together(tmp_path, UNTYPED.values())
    found = authored.findings(folder)
    assert {finding.rule for finding in found} == {"untyped-attribute"}
    untyped = {finding.line for finding in found if finding.file.endswith("p.rego")}
    assert [name for name, body in UNTYPED.items() if not untyped & {*lines[body]}] == []
    while authored.paste(folder, found):
        before, found = found, authored.findings(folder)
        assert found != before
    assert all("read it from the request" in finding.sentence for finding in found), found


CLASHING = {
    "number and text": ("input.context.rows > 5", 'startswith(input.context.rows, "0")'),
    "text and number": ('input.context.rows < "b"', "input.context.rows > 5"),
    "list and number": ('"pii" in input.context.rows', "input.context.rows > 5"),
    "a part and a text": ("[input.context.rows, 1] <= [2, 5]", 'endswith(input.context.rows, "0")'),
}


@pytest.mark.parametrize("bodies", CLASHING.values(), ids=CLASHING.keys())
def test_value_of_two_kinds_gets_one_and_the_other_rule_is_told(bodies: tuple[str, str], tmp_path: Path) -> None:
    folder, lines = together(tmp_path, [*bodies, "limits.least < 4"])
    first, second = authored.findings(folder)
    assert "write schema/context/any.json" in first.sentence
    authored.paste(folder, [first])
    (left,) = authored.findings(folder)
    assert (left.line in lines[bodies[1]], left.file) == (True, second.file)
    assert "another rule needs `rows` of schema/context/any.json to be of type" in left.sentence
    assert authored.paste(folder, [left]) == []


@pytest.mark.parametrize("rule", ["deny", "needs_approval", "obligation"])
@pytest.mark.parametrize("body", GUARDED.values(), ids=GUARDED.keys())
def test_question_is_a_guard_in_allow_alone(body: str, rule: str, tmp_path: Path) -> None:
    assert refused(tmp_path / "allow", body) == []
    assert all("[untyped-attribute]" in finding for finding in refused(tmp_path / rule, body, rule))
    assert refused(tmp_path / rule, body, rule) != []


def test_question_is_a_guard_in_a_helper_that_a_restricting_rule_negates(tmp_path: Path) -> None:
    assert refused(tmp_path / "deny", "not limits.asked", "deny") == []
    assert refused(tmp_path / "allow", "not limits.asked", "allow") != []
    assert refused(tmp_path / "counted", "count([1 | limits.asked]) == 0", "deny") != []


def test_question_in_a_helper_with_a_default_is_no_guard(tmp_path: Path) -> None:
    assert refused(tmp_path, "limits.risk < 5") != []


def test_default_of_another_kind_is_refused(tmp_path: Path) -> None:
    (found,) = refused(tmp_path, PAYS + 'object.get(input.context, "days", "0") <= 30')
    assert "has a default that is not a number" in found


def test_data_of_many_kinds_is_warned_of(tmp_path: Path) -> None:
    found, warnings = checked(authored.OPA, [written(tmp_path, DATA_OF_MANY_KINDS)], {})
    assert [finding for finding in found if finding.rule != "unformatted"] == []
    (warning,) = [each for each in warnings if "[unread-rule]" not in each]
    assert "ask `is_number(data.limits.mixed[input.subject.id])`" in warning
    assert "[untyped-comparison]" in warning


def test_parameter_is_what_the_calls_pass(tmp_path: Path) -> None:
    assert refused(tmp_path / "typed", ORDERED + "limits.over(input.resource.properties.amount, 5)") == []
    (found,) = refused(tmp_path / "untyped", "limits.over(input.context.x, 5)")
    assert "limits.rego" in found


def test_helper_is_about_the_action_of_all_that_call_it(tmp_path: Path) -> None:
    assert refused(tmp_path / "one", PAYS + "limits.late") == []
    assert refused(tmp_path / "any", "limits.late") != []


def test_action_that_an_every_names_is_named_in_there_alone(tmp_path: Path) -> None:
    named = 'every p in input.on_behalf_of {\n\t\tp.id\n\t\tinput.action.name == "pay"\n\t}'
    (sentence,) = refused(tmp_path, f"{named}\n\tinput.context.days < 5")
    assert "`input.context.days` may be of any type here" in sentence


def test_finding_says_what_to_do(tmp_path: Path) -> None:
    (found,) = refused(tmp_path, "input.subject.properties.level > 5")
    assert "`input.subject.properties.level` may be of any type here: null and true are below every number" in found
    assert "ask `is_number(input.subject.properties.level)` in this rule, or write schema/subject/user.json: " in found
    (found,) = refused(tmp_path, "input.subject.properties.level > 5", "deny")
    assert "ask `is_number" not in found


@pytest.mark.parametrize("rule", ["deny", "needs_approval", "obligation"])
def test_statement_that_is_only_a_value_is_typed_boolean(rule: str, tmp_path: Path) -> None:
    for number, body in enumerate(("input.context.urgent", "not input.context.urgent")):
        (found,) = refused(tmp_path / str(number), body, rule)
        assert "every value but false makes it true" in found
        assert '"urgent":{"type":"boolean"}' in found.replace(" ", "")


def test_statement_that_is_only_a_text_is_refused(tmp_path: Path) -> None:
    (found,) = refused(tmp_path, ORDERED + "not input.resource.properties.note", "deny")
    assert "is of type string, whose every value makes it true" in found


def test_function_that_gives_a_value_by_itself_is_refused(tmp_path: Path) -> None:
    (found,) = refused(tmp_path, "not limits.same(input.context.urgent)", "deny")
    assert '"urgent":{"type":"boolean"}' in found


def test_statement_of_the_contract_or_of_data_is_fine(tmp_path: Path) -> None:
    assert refused(tmp_path, "data.limits.by_team[input.subject.id]\n\tinput.resource.id", "deny") == []
