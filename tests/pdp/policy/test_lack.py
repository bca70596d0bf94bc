"""What the check says to write: in these words, and whoever pastes it has an entry that stays."""

import pytest

from pdp.policy.module import Module
from pdp.policy.reference import definitions
from pdp.policy.total import Totality
from tests.pdp.policy.test_total import DATA, LIBRARY, parsed

PASTED = {
    "part of the request": (
        ('sprintf("%v", [input.context.rows])', ""),
        'write `object.get(input.context, "rows", "unknown")` in its place',
        ('sprintf("%v", [object.get(input.context, "rows", "unknown")])', ""),
    ),
    "part of the request that is the condition": (
        ("input.context.veto", ""),
        'write `found := object.get(input.context, "veto", null)` and `found != null` in the body, and `found` in',
        ("found", 'found := object.get(input.context, "veto", null)\n\tfound != null'),
    ),
    "deep in the request": (
        ('input.resource.properties.owner["the name"]', ""),
        'write `object.get(input.resource.properties, ["owner", "the name"], "unknown")` in its place',
        ('object.get(input.resource.properties, ["owner", "the name"], "unknown")', ""),
    ),
    "data by what is asked": (
        ("owner", "owner := data.owners[input.resource.id]"),
        "write `owner := object.get(data.owners, input.resource.id, null)`, and `owner != null` if",
        ("owner", "owner := object.get(data.owners, input.resource.id, null)\n\towner != null"),
    ),
    "data by two steps": (
        ("data.owners[input.resource.id][input.action.name]", ""),
        'write `object.get(data.owners, [input.resource.id, input.action.name], "unknown")` in its place',
        ('object.get(data.owners, [input.resource.id, input.action.name], "unknown")', ""),
    ),
    "one of a list": (
        ("tag", "tag := input.context.tags[_]"),
        "write `some tag in input.context.tags` in the body",
        ("tag", "some tag in input.context.tags"),
    ),
    "one of an object": (
        ('sprintf("%v %v", [k, v])', "input.context[k] = v"),
        "write `some k, v in input.context` in the body",
        ('sprintf("%v %v", [k, v])', "some k, v in input.context"),
    ),
    "step into many": (
        ("name", "name := input.context.people[_].name"),
        "bind each step by `some … in` in the body",
        ("name", "some person in input.context.people\n\tname := person.name\n\tname != null"),
    ),
    "object taken apart": (
        ("x", '{"x": x} = input.context'),
        "write `x != null` after it",
        ("x", '{"x": x} = input.context\n\tx != null'),
    ),
    "property of a party": (
        ("party.properties.team", "some party in input.on_behalf_of"),
        'write `object.get(party, ["properties", "team"], "unknown")` in its place',
        ('object.get(party, ["properties", "team"], "unknown")', "some party in input.on_behalf_of"),
    ),
    "step of a call": (
        ('split(input.action.name, ".")[1]', ""),
        'write `found := split(input.action.name, ".")[1]` and `found != null` in the body, and `found` in its place',
        ("found", 'found := split(input.action.name, ".")[1]\n\tfound != null'),
    ),
    "least of a list": (
        ("min(data.list)", ""),
        "write `found := min(data.list)` and `found != null` in the body, and `found` in its place",
        ("found", "found := min(data.list)\n\tfound != null"),
    ),
    "least of a list, set to a variable": (
        ("least", "least := min(data.list)"),
        "write `least != null` after it if the rule is only for what is there",
        ("least", "least := min(data.list)\n\tleast != null"),
    ),
    "item of a list, set to a variable": (
        ("item", "item := data.list[0]"),
        "write `item != null` after it",
        ("item", "item := data.list[0]\n\titem != null"),
    ),
    "value of a function": (
        ("text", "text := words.conditional_of(input.now)"),
        "to package `lib.words`; or write `text != null` after it if the rule is only for what is there",
        ("text", "text := words.conditional_of(input.now)\n\ttext != null"),
    ),
    "value of a rule": (
        ("text", "text := words.conditional"),
        "to package `lib.words`; or write `text != null` after it if the rule is only for what is there",
        ("text", "text := words.conditional\n\ttext != null"),
    ),
    "pair": (
        ("first", '[first, _] := split(input.action.name, ".")'),
        "write `first != null` after it",
        ("first", '[first, _] := split(input.action.name, ".")\n\tfirst != null'),
    ),
}
DEFAULTS = {
    "rule": ("words.conditional", 'default conditional := "unknown"'),
    "function": ("words.conditional_of(input.action.name)", 'default conditional_of(_) := "unknown"'),
    "function of two": ("words.same(input.now, 1)", 'default same(_, _) := "unknown"'),
}


def sentences(term: str, body: str, library: str = LIBRARY) -> list[str]:
    rule = f'deny contains {{"rule": "x", "reason": {term}}} if {{\n\tinput.action.name == "x"\n\t{body}\n}}\n'
    found: list[Module] = parsed({"p.rego": f"package policy\n\nimport data.lib.words\n\n{rule}", "w.rego": library})
    return [finding.sentence for finding in Totality(definitions(found), DATA).findings(found[0])]


@pytest.mark.parametrize("name", PASTED)
def test_sentence_has_what_ends_it_ready_to_paste(name: str) -> None:
    before, sentence, after = PASTED[name]
    (said,) = sentences(*before)
    assert sentence in said
    assert sentences(*after) == []


@pytest.mark.parametrize("name", DEFAULTS)
def test_rule_and_function_get_a_default_or_are_asked_about(name: str) -> None:
    term, line = DEFAULTS[name]
    (said,) = sentences(term, "")
    assert f"add `{line}`" in said
    assert "to package `lib.words`; or if the rule is only for what is there, write `found := words." in said
    assert sentences(term, "", f"{LIBRARY}\n{line}\n") == []


def test_data_that_no_file_holds_is_to_be_added() -> None:
    (said,) = sentences("data.nothing.at_all", "")
    assert said == "without `data.nothing.at_all` this entry vanishes; add `nothing` to data.json"


def asks(more: str, reviewers: str = '{"groups": ["stewards"]}', body: str = "true") -> list[str]:
    entry = f'{{"rule": "x", "reason": "x", "reviewers": {reviewers}{more}}}'
    found: list[Module] = parsed({"p.rego": f"package policy\n\nneeds_approval contains {entry} if {{\n\t{body}\n}}\n"})
    return [finding.sentence for finding in Totality(definitions(found), DATA).findings(found[0])]


@pytest.mark.parametrize(
    ("more", "reviewers", "wanted"),
    [
        (', "count": data.owners[input.resource.id].count', "", '[input.resource.id, "count"], 1)` in its place'),
        (', "count": count(input.context.xs)', "", '"xs", [])` in its place'),
        (', "count": input.context.x + 1', "", '"x", 0)` in its place'),
        (', "pending_for": input.context.x', "", '"x", "4h")` in its place'),
        (', "individual": input.context.x', "", '"x", true)` in its place'),
        ("", '{"groups": input.context.x}', '"x", ["data-owners"])` in its place'),
        ("", '{"groups": [input.context.x]}', '"x", "data-owners")` in its place'),
        ("", '{"identities": [input.context.x]}', '"x", "user:alice")` in its place'),
    ],
)
def test_default_is_of_the_kind_that_its_place_takes(more: str, reviewers: str, wanted: str) -> None:
    (said,) = asks(more, reviewers or '{"groups": ["stewards"]}')
    assert wanted in said


def test_default_of_a_variable_is_of_that_kind_too() -> None:
    (said,) = asks(', "count": n', body="n := input.context.n")
    assert "else a default such as `1` for null" in said
