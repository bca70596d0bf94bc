"""Rules that read as if they decided, in tests or in packages of other names, are refused."""

from pathlib import Path

import pytest

from pdp.environment import Environment
from pdp.policy.check import findings_in
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)
OPEN = 'package policy\n\nallow contains {"rule": "a", "reason": "open"} if input.action.name == "export"\n'
DENY = 'deny contains {"rule": "d", "reason": "stays here"} if input.resource.id == "customers"\n'


def found(folder: Path, **files: str) -> list[tuple[str, int, str]]:
    for name, text in {"p": OPEN, **files}.items():
        (folder / f"{name}.rego").write_text(text)
    return [
        (finding.file.rpartition("/")[2], finding.line, finding.rule)
        for finding in findings_in(OPA, [folder], full=True)
    ]


def test_package_policy_in_a_file_of_tests_is_refused(tmp_path: Path) -> None:
    assert found(tmp_path, load_test=f"package policy\n\n{DENY}") == [("load_test.rego", 1, "rule-in-tests")]


def test_more_of_a_helper_in_a_file_of_tests_is_refused(tmp_path: Path) -> None:
    helper = 'package lib.who\n\nblocked if input.subject.id == "a"\n'
    more = 'package lib.who\n\nblocked if input.subject.id == "b"\n\nmock := 1\n\ntest_mock if mock == 1\n'
    user = 'package policy\n\nimport data.lib.who\n\ndeny contains {"rule": "d", "reason": "no"} if who.blocked\n'
    assert found(tmp_path, who=helper, who_test=more, d=user) == [("who_test.rego", 3, "rule-in-tests")]


def test_helper_that_only_tests_have_is_unknown(tmp_path: Path) -> None:
    user = 'package policy\n\nimport data.lib.who\n\ndeny contains {"rule": "d", "reason": "no"} if who.blocked\n'
    helper = 'package lib.who\n\nblocked if input.subject.id == "a"\n'
    assert found(tmp_path, d=user, who_test=helper) == [("d.rego", 5, "unknown-reference")]


@pytest.mark.parametrize("user", ["count(data.sales.deny) > 99", 'input.action.name == "x"'])
def test_set_in_another_package_is_refused_even_if_a_rule_reads_it(user: str, tmp_path: Path) -> None:
    duty = f'package policy\n\nobligation contains {{"rule": "o", "reason": "r", "type": "t"}} if {user}\n'
    rules = found(tmp_path, o=duty, sales=f"package sales\n\n{DENY}")
    assert rules == [("sales.rego", 3, "misspelt-package")]


def test_tests_of_other_names_are_fine(tmp_path: Path) -> None:
    text = "package policy_test\n\nmock := 0\n\ntest_open if count(data.policy.allow) == mock with input as {}\n"
    assert found(tmp_path, p_test=text) == []


def test_key_twice_in_an_object_is_refused(tmp_path: Path) -> None:
    text = 'package policy\n\ndeny contains {"rule": "d", "reason": "no", "rule": "e"} if input.resource.id == "x"\n'
    assert found(tmp_path, d=text) == [("d.rego", 3, "conflicting-data")]
