"""Attributes that no schema lists are found wherever they are read, and nothing else is."""

from pathlib import Path

import pytest

from tests import authored

TABLE = {
    "type": "object",
    "properties": {
        "marks": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
        "owner": {"type": "object", "properties": {"id": {"type": "string"}}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "free": {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": True},
    },
}
LIB = """package lib.read

mark(properties) := properties.markz

listed(properties) := properties.marks

by(properties, key) := properties[key]

whole := input.resource.properties

deep(x) := y.markz if y := x.resource.properties
"""
SCHEMAS = {
    "schema/resource/table.json": TABLE,
    "schema/context/export.json": {"type": "object", "properties": {"rows": {"type": "number"}}},
    "schema/subject/user.json": {"type": "object", "properties": {"level": {"type": "number"}}},
    "schema/action/export.json": {"type": "object", "properties": {"format": {"type": "string"}}},
}
UNLISTED = {
    "itself": 'input.resource.properties.markz == "a"',
    "an alias": 'p := input.resource.properties\n\tp.markz == "a"',
    "an alias of an alias": 'r := input.resource\n\tp := r.properties\n\tp.markz == "a"',
    "object.get": 'object.get(input.resource.properties, "markz", "a") == "a"',
    "object.get over an alias": 'p := input.resource\n\tobject.get(p, ["properties", "markz"], "a") == "a"',
    "object.get by a name that is bound": 'k := "markz"\n\tobject.get(input.resource.properties, k, "a") == "a"',
    "an argument": 'read.mark(input.resource.properties) == "a"',
    "an argument of an argument": 'read.deep(input) == "a"',
    "a rule's value": 'read.whole.markz == "a"',
    "a computed step": 'some key in ["marks"]\n\tinput.resource.properties[key] == "a"',
    "a computed step in a helper": 'read.by(input.resource.properties, input.action.name) == ["a"]',
    "any member": 'input.resource.properties[_] == "a"',
    "every member": 'some key, value in input.resource.properties\n\tis_array(value)\n\tkey == "marks"',
    "a member of all": '"a" in input.resource.properties',
    "a walk": 'walk(input.resource.properties, [_, value])\n\tvalue == "a"',
    "json.filter": 'json.filter(input.resource.properties, ["markz"]) == {}',
    "object.filter": 'object.filter(input.resource.properties, ["markz"]) == {}',
    "an object made of it": 'object.union(input.resource.properties, {"a": 1}).markz == "a"',
    "what remains of it": 'object.remove(input.resource.properties, ["marks"]).markz == "a"',
    "below a listed one": 'input.resource.properties.owner.name == "a"',
    "below an item": 'some mark in input.resource.properties.marks\n\tmark.nmae == "a"',
    "of a context": "c := input.context\n\tc.rowz == 3",
    "of a subject": "s := input.subject\n\ts.properties.levle == 3",
    "of the chain": "some p in input.on_behalf_of\n\tp.properties.levle == 3",
    "of parties": "some p in array.concat([input.subject], input.on_behalf_of)\n\tp.properties.levle == 3",
    "of an action": 'a := input.action.properties\n\ta.fromat == "csv"',
    "object.keys": '"ownr" in object.keys(input.resource.properties)',
    "object.subset": 'object.subset(input.resource.properties, {"ownr": "a"})',
    "object.remove": 'object.remove(input.resource.properties, ["owner"]) == {"ownr": "a"}',
    "json.marshal": 'contains(json.marshal(input.resource.properties), "ownr")',
    "yaml.marshal": 'contains(yaml.marshal(input.resource.properties), "ownr")',
    "of the request": 's := input.subject\n\ts.idd == "a"',
}
LISTED = {
    "itself": 'input.resource.properties.owner.id == "a"',
    "an alias": 'p := input.resource.properties\n\tp.owner.id == "a"',
    "an argument": 'read.listed(input.resource.properties)[0].name == "a"',
    "object.get": 'object.get(input.resource.properties, ["owner", "id"], "a") == "a"',
    "items": 'some mark in input.resource.properties.marks\n\tmark.name == "a"',
    "any item": 'input.resource.properties.marks[_].name == "a"',
    "names that are open": 'input.resource.properties.labels[input.subject.id] == "a"',
    "names beside a listed one": 'input.resource.properties.free.b == "a"',
    "a name that is bound": 'k := "owner"\n\tinput.resource.properties[k].id == "a"',
    "another type": 'input.resource.type == "file"\n\tinput.resource.properties.path == "a"',
    "another action": 'input.action.name == "pay"\n\tinput.context.days == 3',
    "what the server sets": 'input.action.name == "unmask"\n\tinput.context.count == 3',
    "json.filter": 'json.filter(input.resource.properties, ["owner/id"]) == {}',
    "object.subset": 'object.subset(input.resource.properties, {"owner": {"id": "a"}})',
    "a member as text": 'json.marshal(input.resource.properties.owner.id) == "a"',
    "every value": "every _, value in input.resource.properties { value != null }",
    "every name": 'every name, _ in input.resource.properties { name != "owner" }',
    "a whole object": "count(input.resource.properties) == 0",
}


def written(folder: Path, body: str, schemas: dict[str, object] = SCHEMAS) -> Path:
    imported = "import data.lib.read\n\n" if "read." in body else ""
    rule = f'allow contains {{"rule": "x", "reason": "x"}} if {{\n\t{body}\n}}\n'
    return authored.written(folder, {"p.rego": f"package policy\n\n{imported}{rule}", "lib/read.rego": LIB, **schemas})


@pytest.mark.parametrize("body", UNLISTED.values(), ids=UNLISTED.keys())
def test_unlisted_attribute_is_refused(body: str, tmp_path: Path) -> None:
    found = authored.findings(written(tmp_path, body))
    assert [finding.rule for finding in found if "read.rego" not in finding.file or "read." in body] == [
        "unknown-attribute"
    ]


@pytest.mark.parametrize("body", LISTED.values(), ids=LISTED.keys())
def test_listed_attribute_is_fine(body: str, tmp_path: Path) -> None:
    assert [finding for finding in authored.findings(written(tmp_path, body)) if "read.rego" not in finding.file] == []


def test_what_is_printed_ends_it(tmp_path: Path) -> None:
    folder = written(tmp_path, UNLISTED["an argument"])
    (finding,) = authored.findings(folder)
    assert (
        "no request has `input.resource.properties.markz`; is it `marks`? If not, write schema/resource/"
        in finding.sentence
    )
    assert authored.paste(folder, [finding]) == ["schema/resource/table.json"]
    assert authored.findings(folder) == []


@pytest.mark.parametrize("body", [UNLISTED["an argument"], "walk(input.subject, [_, value])\n\tis_string(value)"])
def test_folder_without_schemas_is_open(body: str, tmp_path: Path) -> None:
    assert authored.findings(written(tmp_path, body, {})) == []


def test_annotation_of_schemas_is_refused(tmp_path: Path) -> None:
    text = """package policy

# METADATA
# title: x
# schemas:
#   - input: {type: object}
allow contains {"rule": "x", "reason": "x"} if input.action.name == "read"
"""
    (finding,) = authored.findings(authored.written(tmp_path, {"p.rego": text}))
    assert (finding.rule, finding.line) == ("schema-annotation", 3)


@pytest.mark.parametrize(
    "replaced",
    [
        "input as input.context.asked",
        "input.context.rows as input.context.raw",
        "input.subject as party",
        "input.context.rows as 5",
        "data.limit as input.context.raw",
        "is_number as data.lib.few.yes",
    ],
)
@pytest.mark.parametrize("place", ["few.few {}", "not few.few {}", "count([1 | few.few {}]) == 1", "few.less"])
def test_replaced_value_is_refused_in_rules_that_decide(replaced: str, place: str, tmp_path: Path) -> None:
    rule = f"some party in input.on_behalf_of\n\tparty.id\n\t{place.format(f'with {replaced}')}"
    few = f"""package lib.few

few if input.context.rows == data.limit

less if few with {replaced.replace("party", "input.caller")}

yes(_) := true
"""
    policy = f"""package policy

import data.lib.few

deny contains {{"rule": "d", "reason": "x"}} if {{
\t{rule}
}}
"""
    found = authored.findings(
        authored.written(tmp_path, {"p.rego": policy, "lib/few.rego": few, "data.json": {"limit": 5}})
    )
    assert "replaced-value" in {finding.rule for finding in found}, found


def test_value_that_tests_and_their_helpers_replace_is_fine(tmp_path: Path) -> None:
    policy = 'package policy\n\ndeny contains {"rule": "d", "reason": "x"} if input.action.name == "export"\n'
    helper = (
        "package fixtures\n\nasked(request) := effect if effect := data.pdp.decision.effect with input as request\n"
    )
    test = 'package p_test\n\ntest_it if data.fixtures.asked({}) == "DENY" with data.limit as 5\n'
    files = {"p.rego": policy, "fixtures.rego": helper, "p_test.rego": test}
    assert authored.findings(authored.written(tmp_path, files)) == []
