"""Who checks a part of a policy reads one sentence: check the whole folder."""

from pathlib import Path
from typing import Any

import pytest

from pdp.errors import SetupError
from pdp.policy.check import checked
from tests import authored

RULE = 'package policy\n\ndeny contains {"rule": "d", "reason": "x"} if input.subject.id in data.blocked\n'
HELPED = RULE.replace("data.blocked", "data.lib.who.blocked")
HELPER = 'package lib.who\n\nblocked := {"bot"}\n'
PARTS: dict[str, dict[str, Any]] = {
    "data beside it": {"policy/p.rego": RULE, "data.json": {"blocked": ["bot"]}},
    "helpers beside it": {"policy/p.rego": HELPED, "lib/who.rego": HELPER},
}


@pytest.mark.parametrize("name", PARTS)
def test_part_of_a_policy_is_one_sentence(name: str, tmp_path: Path) -> None:
    authored.written(tmp_path, PARTS[name])
    with pytest.raises(SetupError, match=r"is a part of a policy: .*; check the whole folder: `pdp policy check "):
        checked(authored.OPA, [tmp_path / "policy"], {})
    assert authored.findings(tmp_path) == []


def test_reference_policy_has_parts() -> None:
    with pytest.raises(SetupError, match=r"`pdp policy check rego`$"):
        checked(authored.OPA, [Path("rego/policy")], {})


@pytest.mark.parametrize(
    "beside", [{}, {"data.json": "not JSON"}, {"lib/notes.md": "none"}, {"data.json": ["blocked"]}]
)
def test_name_that_is_nowhere_is_misspelt(beside: dict[str, Any], tmp_path: Path) -> None:
    authored.written(tmp_path, {"policy/p.rego": RULE, **beside})
    assert [each.rule for each in authored.findings(tmp_path / "policy")] == ["unknown-reference"]


def test_parts_that_are_given_together_are_whole(tmp_path: Path) -> None:
    authored.written(tmp_path, {"policy/p.rego": HELPED, "more/lib/who.rego": HELPER})
    refused, _ = checked(authored.OPA, [tmp_path / "policy", tmp_path / "more"], {})
    assert [each.rule for each in refused if each.rule != "unformatted"] == []
