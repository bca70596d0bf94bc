"""What every example has."""

import re
import subprocess
from pathlib import Path

import pytest

from pdp.policy.check import findings_in
from pdp.policy.test import outcome
from pdp.process import toolcache
from tests.examples.visit import EXAMPLES, NAMES, blocks, policy
from tests.parts import TOOL_CACHE

LINES = 40
"""Of a README, at most."""
OF_A_STORY = {"spark": 150}
"""Where a README tells what several people do one after the other, and what each of them sees."""
POLICIES = [name for name in NAMES if (EXAMPLES / name / "policy").is_dir()]


def test_each_example_has_a_short_readme_and_a_line_in_the_list() -> None:
    listed = re.findall(r"\[`(\w+)`\]\((\w+)/README\.md\)", (EXAMPLES / "README.md").read_text())
    assert sorted(folder for _, folder in listed) == NAMES
    assert all(shown == folder for shown, folder in listed)
    for name in NAMES:
        assert len((EXAMPLES / name / "README.md").read_text().splitlines()) <= OF_A_STORY.get(name, LINES), name


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_into_the_folder_that_is_copied(name: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", (EXAMPLES / name / "README.md").read_text()):
        assert ".." not in target
        assert (EXAMPLES / name / target).exists(), target


@pytest.mark.parametrize("name", NAMES)
def test_a_server_is_started_with_the_policy_of_the_folder(name: str) -> None:
    (start,) = (block for block in blocks(name) if block.language == "bash")
    assert policy(start) == (["policy"] if name in POLICIES else [])


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_is_fine_and_its_tests_reach_all_of_it(name: str) -> None:
    opa, folders = toolcache.opa(TOOL_CACHE), [EXAMPLES / name / "policy"]
    assert not [str(finding) for finding in findings_in(opa, folders)]
    result = outcome(opa, folders)
    assert result.passed
    assert result.covers(100), result.coverage


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*/*.sh")), ids=lambda path: path.name)
def test_scripts_are_executable_and_shells_can_read_them(script: Path) -> None:
    assert script.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", script], check=True)
