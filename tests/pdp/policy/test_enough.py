"""A condition that one item of a caller's list meets is warned of where all items are meant."""

import re
from pathlib import Path

import pytest

from pdp.policy.check import checked
from tests import authored

CONTEXT = {"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}}}}
PARTS = {"type": "object", "properties": {"name": {"type": "string"}, "size": {"type": "number"}}}
CONTEXT["properties"]["parts"] = {"type": "array", "items": PARTS}  # type: ignore[index]  # a dict of a schema
ENOUGH = {
    "one of some": 'some t in input.context.tags\n\tt in {"public", "open"}',
    "one": 'some t in input.context.tags\n\tt == "public"',
    "one, turned": 'some t in input.context.tags\n\t"public" == t',
    "one that is not": 'some t in input.context.tags\n\tt != "pii"',
    "one that is none of some": 'some t in input.context.tags\n\tnot t in ["pii", "secret"]',
    "one of data": "some t in input.context.tags\n\tt in data.open",
    "any": 'input.context.tags[_] == "public"',
    "any by a name": 'some i\n\tt := input.context.tags[i]\n\tt in {"public"}',
    "by another name": 'tags := input.context.tags\n\tsome t in tags\n\tt == "public"',
    "a member of one": 'some part in input.context.parts\n\tpart.name == "public"',
    "a link that is not": 'some link in input.on_behalf_of\n\tlink.type != "guest"',
    "a link that is none of some": 'some link in input.on_behalf_of\n\tnot link.type in {"guest", "bot"}',
}
FINE = {
    "all": 'every t in input.context.tags { t == "public" }',
    "a named one": '"public" in input.context.tags',
    "a link that is": 'some link in input.on_behalf_of\n\tlink.type == "user"',
    "a group of the caller": 'some group in input.caller.groups\n\tgroup in {"staff", "admins"}',
    "an item by its name": 'some part in input.context.parts\n\tpart.name == "rows"\n\tpart.size <= 10',
    "an item of the request": "some t in input.context.tags\n\tt == input.resource.id",
    "an item of data": "some t in data.open\n\tt == input.resource.id",
}


def check(folder: Path, body: str, rule: str = "allow") -> list[str]:
    """What the check warns of. It refuses nothing of this."""
    text = (
        f'package policy\n\n{rule} contains {{"rule": "r", "reason": "x"}} if {{\n\tinput.action.name == "export"\n'
        f"\t{body}\n}}\n"
    )
    files = {"p.rego": text, "schema/context/export.json": {**CONTEXT, "required": ["tags", "parts"]}}
    files["data.json"] = {"open": ["public"], **({} if "data.open" in body else {"unread": ["open"]})}
    refused, warned = checked(authored.OPA, [authored.written(folder, files)], {})
    assert [each for each in refused if each.rule != "unformatted"] == []
    return warned


@pytest.mark.parametrize("body", ENOUGH.values(), ids=ENOUGH.keys())
def test_one_item_that_is_enough_is_warned_of_with_what_ends_it(body: str, tmp_path: Path) -> None:
    (warned,) = check(tmp_path, body)
    counted, all_of_them, one_of_them = re.findall(r"`([^`]*)`", warned)[1:]
    assert warned.endswith("[one-is-enough]")
    assert check(tmp_path, f"{counted}\n\t{all_of_them}") == []
    assert check(tmp_path, one_of_them) == []


@pytest.mark.parametrize("body", FINE.values(), ids=FINE.keys())
def test_what_asks_one_item_rightly_is_fine(body: str, tmp_path: Path) -> None:
    assert check(tmp_path, body) == []


def test_one_item_is_enough_to_restrict(tmp_path: Path) -> None:
    assert check(tmp_path, ENOUGH["one"], "deny") == []


def test_helper_that_a_rule_denies_allows(tmp_path: Path) -> None:
    helper = f"package lib.tags\n\nare_open if {{\n\t{ENOUGH['one']}\n}}\n"
    authored.written(tmp_path, {"lib/tags.rego": helper})
    assert check(tmp_path, "not data.lib.tags.are_open", "deny")
    assert check(tmp_path, "data.lib.tags.are_open", "deny") == []
