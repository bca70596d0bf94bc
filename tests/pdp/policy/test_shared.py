"""What `pdp policy check` says of rules that decide about unmasking by the table alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from pdp.policy.check import checked
from pdp.process import toolcache
from tests.parts import TOOL_CACHE

TWO = """
mask contains {"rule": "ids", "reason": "r", "columns": ["id"], "domain": "people"} if {
	input.resource.id in ["crm", "hr"]
}
"""
ONE = TWO.replace('"crm", ', "")
BY_TAG = """
mask contains {"rule": "ids", "reason": "r", "tags": ["pii"], "domain": "people"}
"""
FOR_ALL = """
mask contains {"rule": "ids", "reason": "r", "columns": ["id"], "domain": "people"}
"""
NAMED_TWICE = "".join(
    ONE.replace('"ids"', f'"ids.{table}"').replace('in ["hr"]', f'== "{table}"') for table in ("crm", "hr")
)
FROM_DATA = TWO.replace('["crm", "hr"]', "data.tables")
ENTRY = '{"rule": "u", "reason": "r"}'
BY_NAME = f'allow contains {ENTRY} if {{\n\tinput.action.name == "unmask"\n\tinput.resource.id == "crm"\n}}\n'
DENIED = BY_NAME.replace("allow", "deny")
LISTED = BY_NAME.replace('== "crm"', "in data.tables")
BY_PROPERTY = BY_NAME.replace('input.resource.id == "crm"', 'object.get(input.resource.properties, "open", 0) == 1')
OTHER_TABLE = BY_NAME.replace("crm", "weather")
BY_DOMAIN = BY_NAME.replace("}\n", '\t"people" in input.context.domains\n}\n').replace("}\n\t", "}\n\t")
OTHER_ACTION = BY_NAME.replace("unmask", "read")
EVERY_TABLE = BY_NAME.replace('\tinput.resource.id == "crm"\n', "")
HELPER = "package lib.helper\n\nasks if {\n\tinput.resource.id in data.tables\n}\n"
THROUGH = f'allow contains {ENTRY} if {{\n\tinput.action.name == "unmask"\n\tdata.lib.helper.asks\n}}\n'


def warned(folder: Path, rules: str, **data: Any) -> list[str]:
    folder.mkdir()
    (folder / "p.rego").write_text(f"package policy\n{rules}")
    (folder / "helper.rego").write_text(HELPER)
    domains = {"people": {"mask": "token", "values": "open"}, "unused": {"mask": "token", "values": "open"}}
    tags = {"crm": {"id": ["pii"]}, "hr": {"name": ["pii"], "note": []}}
    held = {"domains": domains, "column_tags": tags, "tables": ["crm", "hr"], **data}
    (folder / "data.json").write_text(json.dumps(held))
    findings, warnings = checked(toolcache.opa(TOOL_CACHE), [folder], {})
    assert [each for each in findings if each.rule != "unformatted"] == []
    return [each for each in warnings if "unmask-by-table" in each]


@pytest.mark.parametrize("masks", [TWO, BY_TAG, FOR_ALL, NAMED_TWICE, FROM_DATA])
def test_rule_by_table_is_told_where_tables_share_the_domain(tmp_path: Path, masks: str) -> None:
    [one] = warned(tmp_path / "p", masks + BY_NAME)
    assert '"people" in input.context.domains' in one  # ready to paste


@pytest.mark.parametrize("rule", [DENIED, LISTED, BY_PROPERTY, THROUGH])
def test_every_way_to_ask_for_the_table_is_seen(tmp_path: Path, rule: str) -> None:
    assert len(warned(tmp_path / "p", TWO + rule)) == 1


@pytest.mark.parametrize("rule", [OTHER_TABLE, BY_DOMAIN, OTHER_ACTION, EVERY_TABLE])
def test_rules_that_are_safe_are_not_told_of(tmp_path: Path, rule: str) -> None:
    assert warned(tmp_path / "p", TWO + rule) == []


def test_domain_of_one_table_is_not_shared(tmp_path: Path) -> None:
    assert warned(tmp_path / "one", ONE + BY_NAME) == []
    assert warned(tmp_path / "tag", BY_TAG + BY_NAME, column_tags={"crm": {"id": ["pii"]}, "hr": {"name": []}}) == []
    assert warned(tmp_path / "data", FROM_DATA + LISTED, tables=["crm"]) == []


def test_domain_of_an_addresss_half_is_shared_by_two_domains(tmp_path: Path) -> None:
    domains = {
        "a": {"mask": "email", "local": "half", "host": "half", "values": "open"},
        "b": {"mask": "email", "local": "half", "host": "half", "values": "open"},
        "half": {"mask": "token", "values": "open"},
    }
    masks = "".join(
        ONE.replace("ids", name).replace("people", name).replace("hr", table)
        for name, table in (("a", "crm"), ("b", "hr"))
    )
    [one] = warned(tmp_path / "p", masks + BY_NAME, domains=domains)
    assert "`half`" in one
