"""Rules that decide nothing are warned of, unless tests are made of them."""

from pathlib import Path

import pytest

from pdp.policy.check import checked
from tests import authored

POLICY = """package policy

import data.lib.guards

deny contains {"rule": "d", "reason": "x"} if guards.denied
"""
GUARDS = """package lib.guards

denied if input.action.name == "export"
"""
REQUESTS = """package fixtures

export := {"action": {"name": "export"}}

asked(request) := effect if effect := data.pdp.decision.effect with input as request
"""
TEST = """package guards_test

import data.fixtures
import data.lib.guards

test_export if fixtures.asked(fixtures.export) == "DENY"

test_bot if guards.denied with input as fixtures.export
"""


def warned(folder: Path, **files: str) -> list[str]:
    """What the check warns of, of a policy that it does not refuse."""
    text = {f"{name.replace('__', '/')}.rego": content for name, content in files.items()}
    found, warnings = checked(authored.OPA, [authored.written(folder, {"p.rego": POLICY, **text})], {})
    assert [str(finding) for finding in found if finding.rule != "unformatted"] == []
    return warnings


def test_rule_that_a_deciding_rule_reads_is_fine(tmp_path: Path) -> None:
    assert warned(tmp_path, lib__guards=GUARDS) == []


@pytest.mark.parametrize(
    "rule", ['blocked if input.subject.id == "bot"', 'blocked contains "bot"', 'blocked(who) if who == "bot"']
)
def test_rule_that_nothing_reads_is_warned_of(rule: str, tmp_path: Path) -> None:
    (warning,) = warned(tmp_path, lib__guards=f"{GUARDS}\n{rule}\n")
    assert "guards.rego:5: no rule that decides reads `data.lib.guards.blocked`" in warning
    assert warning.endswith("[unread-rule]")


def test_rule_that_an_idle_one_reads_is_idle(tmp_path: Path) -> None:
    rules = 'blocked if worst\n\nworst if input.subject.id == "bot"\n'
    assert len(warned(tmp_path, lib__guards=f"{GUARDS}\n{rules}")) == 2


def test_rule_of_many_branches_is_warned_of_once(tmp_path: Path) -> None:
    rules = 'blocked if input.subject.id == "bot"\n\nblocked if input.subject.id == "robot"\n'
    assert len(warned(tmp_path, lib__guards=f"{GUARDS}\n{rules}")) == 1


def test_what_tests_are_made_of_is_fine(tmp_path: Path) -> None:
    assert warned(tmp_path, lib__guards=GUARDS, fixtures=REQUESTS, guards_test=TEST) == []


def test_library_for_tests_is_fine(tmp_path: Path) -> None:
    library = 'package lib.testing\n\nis_export if input.action.name == "export"\n'
    assert warned(tmp_path, lib__guards=GUARDS, lib__testing=library) == []


def test_rule_that_only_its_test_reads_is_warned_of(tmp_path: Path) -> None:
    rules = 'package lib.blocked\n\ndenied if input.subject.id == "bot"\n'
    test = "package lib.blocked_test\n\nimport data.lib.blocked\n\ntest_bot if blocked.denied with input as {}\n"
    (warning,) = warned(tmp_path, lib__guards=GUARDS, lib__blocked=rules, lib__blocked_test=test)
    assert "no rule that decides reads `data.lib.blocked.denied`" in warning
