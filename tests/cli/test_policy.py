"""`pdp policy`: what scripts and editors read of a check and of tests."""

import json
import tarfile
from pathlib import Path

import pytest

from pdp.policy.sources import rego
from tests.cli.terminal import invoked

GOOD = """package policy

allow contains {"rule": "a", "reason": "b"} if input.action.name == "read"
"""
TEST = """package p_test

import data.policy

test_read if count(policy.allow) == {count} with input as {{"action": {{"name": "{action}"}}}}
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    (tmp_path / "p.rego").write_text(GOOD)
    return tmp_path


def test_the_reference_policy_is_checked_and_tested_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoked("policy", "check") == 0
    assert capsys.readouterr() == ("", "the policy is fine\n")
    assert invoked("policy", "test", "--core", "--coverage", "100") == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "ok      roles_test.test_role_allows_its_actions\n" in out
    assert "ok      review_test.test_member_of_the_group_fits\n" in out  # of the core
    assert {line.split()[0] for line in out.splitlines()} == {"ok"}
    assert (rego() / "pdp" / "sets.rego").read_text().count("if false") == 5  # what coverage leaves out


def test_findings_are_lines_that_editors_jump_to_and_3(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (policy / "q.rego").write_text("package policy\n\ndenny contains {}\n")
    assert invoked("policy", "check", policy) == 3
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines()[0].startswith(f"{policy}/q.rego:3: ")
    (policy / "q.rego").write_text("package policy\n\nallow if {\n")
    assert invoked("policy", "test", policy) == 3
    assert "q.rego" in capsys.readouterr().err
    assert invoked("policy", "check", "nowhere") == 3
    assert capsys.readouterr().err.startswith("nowhere is not a folder")


def test_failed_missing_or_narrow_tests_are_4(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoked("policy", "test", policy) == 4
    assert capsys.readouterr().err == "there are no tests; put NAME_test.rego beside NAME.rego\n"
    tests = policy / "p_test.rego"
    tests.write_text(TEST.format(count=0, action="read"))
    assert invoked("policy", "test", policy) == 4
    out, err = capsys.readouterr()
    assert out == "FAILED  p_test.test_read\n"
    assert "p_test.test_read: FAIL" in err
    tests.write_text(TEST.format(count=0, action="write"))
    assert invoked("policy", "test", policy) == 0
    assert invoked("policy", "test", policy, "--coverage", "100") == 4
    assert f"{policy}/p.rego: " in capsys.readouterr().err
    tests.write_text(TEST.format(count=1, action="read"))
    assert invoked("policy", "test", policy, "--coverage", "100") == 0


def test_build_writes_the_bundle_and_prints_its_revision(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = policy / "bundle.tar.gz"
    assert invoked("policy", "build", str(policy), "--to", str(bundle)) == 0
    shown = capsys.readouterr().out.strip()
    with tarfile.open(bundle) as archive:
        manifest, maps = (archive.extractfile(name) for name in ("/.manifest", "/pdp/people/data.json"))
        assert manifest is not None
        assert maps is not None
        assert json.load(manifest)["revision"] == shown
        assert json.load(maps)["format"] == 1


def test_build_of_a_broken_policy_leaves_the_bundle_and_is_3(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = policy / "bundle.tar.gz"
    bundle.write_text("the last good one")
    (policy / "p.rego").write_text("package policy\n\ndeny if true\n")
    assert invoked("policy", "build", str(policy), "--to", str(bundle)) == 3
    assert "[not-a-set]" in capsys.readouterr().err
    assert bundle.read_text() == "the last good one"
    assert {path.name for path in policy.iterdir()} == {"p.rego", "bundle.tar.gz"}


def test_build_into_a_folder_that_is_none_is_one_sentence(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoked("policy", "build", str(policy), "--to", str(policy / "no" / "bundle.tar.gz")) == 3
    assert "cannot be written" in capsys.readouterr().err


def test_check_warns_with_numbers(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (policy / "data.json").write_text('{"identities": {"chat:1": {"same_as": ["user:a", "user:b"]}}}')
    assert invoked("policy", "check", str(policy)) == 0
    assert "warning: 1 people have several identities of one type, `chat:1` has 2" in capsys.readouterr().err
