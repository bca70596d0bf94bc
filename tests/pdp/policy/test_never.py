"""Questions that nothing answers are found: of another kind, or beside a schema."""

from pathlib import Path
from typing import Any

import pytest

from pdp.policy.check import checked
from tests import authored

DATA = {"blocked": ["bot"], "named": {"bot": "since May"}, "numbers": [1, 2], "objects": [{"id": "bot"}]}
EXPORT = {"type": "object", "properties": {"rows": {"type": "integer"}, "env": {"enum": ["prod", "dev"]}}}


def found(folder: Path, body: str, **files: Any) -> tuple[list[str], list[str]]:
    """The rules of what the check refuses, and what it warns of."""
    rule = f'deny contains {{"rule": "d", "reason": "x"}} if {{\n\tinput.action.name == "export"\n\t{body}\n}}\n'
    data = {"data.json": {**DATA, "unread": [*DATA]}, "schema/context/export.json": EXPORT}
    authored.written(folder, {"p.rego": f"package policy\n\n{rule}", **data, **files})
    refused, warned = checked(authored.OPA, [folder], {})
    return [finding.rule for finding in refused if finding.rule != "unformatted"], warned


@pytest.mark.parametrize(
    "body",
    [
        "data.blocked[input.subject.id]",
        "input.subject.id in data.named",
        "input.subject.id in data.numbers",
    ],
)
def test_question_that_no_data_answers_is_refused(body: str, tmp_path: Path) -> None:
    assert found(tmp_path, body)[0] == ["never-in"]


@pytest.mark.parametrize(
    "body",
    [
        "input.subject.id in data.blocked",
        "data.named[input.subject.id]",
        "input.context.rows in data.numbers",
        "some i\n\tdata.blocked[i] == input.subject.id",
        'input.context.env == "prod"',
        "input.context.rows == 5",
    ],
)
def test_question_that_data_may_answer_is_fine(body: str, tmp_path: Path) -> None:
    assert found(tmp_path, body) == ([], [])


NEVER_EQUAL = {
    "a text that the schema lacks": 'input.context.env == "production"',
    "another text, always": 'input.context.env != "production"',
    "one of a list": 'input.context.env in {"prod", "production"}',
    "by a variable": 'env := input.context.env\n\twanted := "production"\n\tenv == wanted',
    "another kind": 'input.context.rows == "5000"',
    "items of another kind": "some each in data.objects\n\teach == input.subject.id",
    "any item of another kind": "data.numbers[_] == input.subject.id",
    "what the contract types": "input.now == input.subject.id",
    "a list and a set": '[x | some x in data.blocked] == {"bot"}',
    "two texts at once": 'input.subject.type == "agent"\n\tinput.subject.type == "user"',
    "two numbers at once": "rows := input.context.rows\n\trows == 1\n\t2 == input.context.rows",
    "a name that no member has": 'every key, _ in input.context { key != "rowz" }',
}


@pytest.mark.parametrize("body", NEVER_EQUAL.values(), ids=NEVER_EQUAL.keys())
def test_comparison_of_one_answer_is_refused(body: str, tmp_path: Path) -> None:
    assert found(tmp_path, body)[0] == ["never-equal"]


@pytest.mark.parametrize(
    "body",
    [
        'object.get(input.context, "env", null) == null',
        "{x | some x in data.blocked} - {input.subject.id} == set()",
        '[x | some x in data.blocked] == ["bot"]',
        'input.subject.type == "agent"\n\tnot input.subject.type == "user"',
        'every key, _ in input.context { key in {"rows", "env"} }',
        'some party in array.concat([input.subject], input.on_behalf_of)\n\tparty.type == "user"',
    ],
)
def test_comparison_of_two_answers_is_fine(body: str, tmp_path: Path) -> None:
    assert found(tmp_path, body) == ([], [])
