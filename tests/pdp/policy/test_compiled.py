from pathlib import Path

import pytest

from pdp.environment import Environment
from pdp.policy.check import findings_in
from pdp.policy.sources import rego
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)
RULE = """package policy

{imported}allow contains {{"rule": "a", "reason": "b"}} if {{
	{body}
}}
"""
OF_THE_CORE = {
    "a name": ("", "input.batch[0].action.name == `read`"),
    "a name in brackets": ("", "input[`batch`][0].action.name == `read`"),
    "the whole input": ("", "all := input\n\tall.batch[0].action.name == `read`"),
    "an import of the name": ("import input.batch\n\n", "batch[0].action.name == `read`"),
    "an import of the input": ("import input as asked\n\n", "asked.batch[0].action.name == `read`"),
}


@pytest.mark.parametrize(("imported", "body"), OF_THE_CORE.values(), ids=OF_THE_CORE)
def test_a_rule_cannot_read_what_the_core_alone_is_given(tmp_path: Path, imported: str, body: str) -> None:
    (tmp_path / "rule.rego").write_text(RULE.format(imported=imported, body=body))
    assert [finding.rule for finding in findings_in(OPA, [tmp_path], full=False)] == ["unknown-attribute"]


def test_an_error_is_told_once_and_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "rule.rego").write_text(RULE.format(imported="", body="input.resource.kind == `table`"))
    (found,) = findings_in(OPA, [tmp_path], full=False)
    assert (found.line, found.rule) == (4, "unknown-attribute")
    assert "input.resource.kind" in found.sentence


def test_a_policy_of_which_opa_has_nothing_to_say_has_no_findings() -> None:
    assert findings_in(OPA, [rego()]) == []
