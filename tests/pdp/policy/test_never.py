"""Questions that nothing answers are found: of another kind, or beside a schema."""

from pathlib import Path
from typing import Any

import pytest

from pdp.policy.check import checked
from tests import authored

DATA = {"blocked": ["bot"], "named": {"bot": "since May"}, "numbers": [1, 2]}
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


@pytest.mark.parametrize("body", ['input.context.env == "production"', 'input.context.rows == "5000"'])
def test_comparison_that_no_request_answers_is_warned_of(body: str, tmp_path: Path) -> None:
    refused, (warned,) = found(tmp_path, body)
    assert (refused, warned.endswith("[never-equal]")) == ([], True)
