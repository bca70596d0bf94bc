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
        (
            'write `found := object.get(input.context, "veto", null)` and `found != null` in the body, and `found` in '
            "its place"
        ),
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
        "write `text != null` after it if the rule is only for what is there; or add `default conditional_of(_)",
        ("text", "text := words.conditional_of(input.now)\n\ttext != null"),
    ),
    "value of a rule": (
        ("text", "text := words.conditional"),
        "write `text != null` after it if the rule is only for what is there; or add `default conditional",
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
def test_rule_and_function_get_a_default(name: str) -> None:
    term, line = DEFAULTS[name]
    (said,) = sentences(term, "")
    assert f"add `{line}`" in said
    assert "to package `lib.words`" in said
    assert sentences(term, "", f"{LIBRARY}\n{line}\n") == []


def test_data_that_no_file_holds_is_to_be_added() -> None:
    (said,) = sentences("data.nothing.at_all", "")
    assert said == "without `data.nothing.at_all` this entry vanishes; add `nothing` to data.json"
