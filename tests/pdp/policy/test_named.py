"""Tags, columns and groups that rules write out, and that the data does not have."""

import json
from pathlib import Path
from typing import Any

import pytest

from pdp.environment import Environment
from pdp.policy.check import checked
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)
COLUMNS = {"crm.customers": {"ssn": ["pii"], "post_code": []}, "hr.staff": {"salary": ["pay"]}}


def found(folder: Path, body: str, **data: Any) -> tuple[list[str], list[str]]:
    (folder / "p.rego").write_text(f"package policy\n\n{body}\n")
    (folder / "data.json").write_text(json.dumps(data))
    findings, warnings = checked(OPA, [folder], {})
    return [finding.sentence for finding in findings if finding.rule != "unformatted"], warnings


def mask(selector: str, condition: str = "true") -> str:
    return f'mask contains {{"rule": "m", "reason": "r", {selector}, "mask": "redact"}} if {condition}'


@pytest.mark.parametrize(
    "declared",
    [
        {"column_tags": {"t": {"c": ["pii"]}}},
        {"table_tags": {"t": ["pii"]}},
        {"tags": ["pii"]},
        {"tags": {"pii": "personal"}},
    ],
)
def test_tag_may_be_declared_in_three_places(declared: dict[str, Any], tmp_path: Path) -> None:
    assert found(tmp_path, mask('"tags": ["pii"]'), **declared) == ([], [])
    [sentence], _ = found(tmp_path, mask('"tags": ["ppi"]'), **declared)
    assert "no tag `ppi`" in sentence
    assert "is `pii` meant?" not in sentence or declared
    assert len(found(tmp_path, mask('"tags": ["pii"]'))[0]) == 1


@pytest.mark.parametrize(
    ("column", "condition", "meant"),
    [
        ("ssn", "true", ""),
        ("email", "true", ""),
        ("*", "true", ""),
        ("snn", 'input.resource.id == "hr.staff"', ""),
        ("SSN", "true", "ssn"),
        ("postcode", 'input.resource.id == "crm.customers"', "post_code"),
        ("salery", "true", "salary"),
        ("post_codes", "true", "post_code"),
    ],
)
def test_column_that_is_nearly_one_of_its_table_is_refused(
    column: str, condition: str, meant: str, tmp_path: Path
) -> None:
    tags = [mask('"tags": ["pii", "pay"]'), mask(f'"columns": ["{column}"]', condition)]
    sentences, _ = found(tmp_path, "\n\n".join(tags), column_tags=COLUMNS)
    assert [f"is `{meant}` meant?" in sentence for sentence in sentences] == ([True] if meant else [])


def test_column_that_the_data_lists_is_its_own(tmp_path: Path) -> None:
    listed = {"crm.customers": {"phone1": ["pii"], "phone2": []}}
    assert found(tmp_path, mask('"columns": ["phone2"]'), column_tags=listed) == ([], [])


NEEDS = 'needs_approval contains {"rule": "n", "reason": "r", "reviewers": {"groups": ["stewrads"]}}'
MEMBER = 'allow contains {"rule": "a", "reason": "r"} if data.pdp.is_member(input.caller.identity, "stewrads")'


@pytest.mark.parametrize("body", [NEEDS, MEMBER])
def test_group_that_the_data_does_not_have_is_warned_of(body: str, tmp_path: Path) -> None:
    sentences, [warning] = found(tmp_path, body, groups={"stewards": ["user:bob"]})
    assert sentences == []
    assert "no group `stewrads`" in warning
    assert "is `stewards` meant?" in warning
    assert found(tmp_path, body.replace("stewrads", "stewards"), groups={"stewards": ["user:bob"]}) == ([], [])


def test_group_of_a_requirement_in_the_data_is_warned_of(tmp_path: Path) -> None:
    body = """needs_approval contains {"rule": "n", "reason": "r", "reviewers": needed.reviewers} if {
    some needed in data.requirements
}"""
    requirements = [{"reviewers": {"groups": ["owners"]}}]
    assert "`owners`" in found(tmp_path, body, requirements=requirements, groups={})[1][0]
