"""A schema's file and the rules call a type or an action by one name, or the policy is refused with the other."""

from pathlib import Path
from typing import Any

import pytest

from tests import authored

ROWS: dict[str, Any] = {"type": "object", "properties": {"rows": {"type": "integer"}}}


def found(folder: Path, body: str, *files: str) -> list[str]:
    """What the check says of a policy with one rule and these schemas."""
    rule = f'deny contains {{"rule": "d", "reason": "x"}} if {{\n\t{body}\n}}\n'
    schemas = {f"schema/{file}.json": ROWS for file in files}
    found = authored.findings(authored.written(folder, {"p.rego": f"package policy\n\n{rule}", **schemas}))
    assert {finding.rule for finding in found} <= {"misspelt-type"}
    return [finding.sentence for finding in found]


FILES = {
    "another case": ('input.action.name == "export"', "context/Export", "export"),
    "a letter too many": ('input.action.name == "export"', "context/exports", "export"),
    "two letters swapped": ('input.resource.type == "table"', "resource/tabel", "table"),
    "one of a list": ('input.action.name in {"pay", "refund"}', "context/refnud", "refund"),
    "properties of an action": ('input.action.name == "export"', "action/Export", "export"),
    "a subject": ('input.subject.type == "agent"', "subject/agnet", "agent"),
    "one of the chain": ('some p in input.on_behalf_of\n\tp.type == "agent"', "subject/Agent", "agent"),
    "by a name": ('a := input.action.name\n\ta != "export"', "context/exprot", "export"),
    "in every": ('every p in input.on_behalf_of { p.type == "agent" }', "subject/Agent", "agent"),
}


@pytest.mark.parametrize(("body", "file", "name"), FILES.values(), ids=FILES.keys())
def test_file_with_a_name_like_that_of_the_rules_is_refused(body: str, file: str, name: str, tmp_path: Path) -> None:
    (sentence,) = found(tmp_path, body, file)
    assert f"rename the file to {name}.json" in sentence


def test_rule_with_a_name_like_that_of_a_file_is_refused(tmp_path: Path) -> None:
    body = 'input.resource.type == "tabel"\n\tnot input.resource.type == "table"'
    (sentence,) = found(tmp_path, body, "resource/table")
    assert "mend the name, or write schema/resource/tabel.json" in sentence
    assert found(tmp_path, body, "resource/table", "resource/tabel") == []


@pytest.mark.parametrize(
    ("body", "files"),
    [
        ('input.action.name == "export"', ["context/export"]),
        ('input.action.name == "export"', ["context/any"]),
        ('input.action.name == "redeploy"', ["context/deploy"]),
        ('input.action.name == "mask"', ["context/unmask"]),
        ('input.action.name == "export"', ["context/import", "resource/exports"]),
        ('lower(input.action.name) == "export"', ["context/Export"]),
        ('input.resource.id == "exports"', ["context/export"]),
    ],
)
def test_other_names_are_fine(body: str, files: list[str], tmp_path: Path) -> None:
    assert found(tmp_path, body, *files) == []
