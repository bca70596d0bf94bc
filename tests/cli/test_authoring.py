"""`pdp policy init` and `eval`: a policy that begins well, and is decided without a server as with one."""

import json
from pathlib import Path

import pytest

from tests.cli.terminal import ROOT, invoked

ASK = ["--subject", "agent:my-agent", "--resource", "table:orders", "--action"]
CASES = ROOT / "tests/cases/authzen-todo"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    assert invoked("policy", "init", tmp_path / "policy") == 0
    return tmp_path / "policy"


def test_what_init_writes_passes_check_and_its_tests_and_covers_itself(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sorted(path.name for path in policy.iterdir()) == ["data.json", "rules.rego", "rules_test.rego", "schema"]
    capsys.readouterr()
    assert invoked("policy", "check", policy) == 0
    assert capsys.readouterr() == ("", "the policy is fine\n")
    assert invoked("policy", "test", "--coverage", "100", policy) == 0


def test_init_overwrites_nothing(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (policy / "rules.rego").unlink()
    (policy / "data.json").write_text("mine")
    capsys.readouterr()
    assert invoked("policy", "init", policy) == 2
    assert "exists; name another folder, nothing was written" in capsys.readouterr().err
    assert (policy / "data.json").read_text() == "mine"
    assert not (policy / "rules.rego").exists()


@pytest.mark.parametrize(("action", "status"), [("read", 0), ("write", 11), ("delete", 10), ("drop", 10)])
def test_eval_says_what_a_server_would(
    policy: Path, action: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoked("policy", "eval", policy, *ASK, action, "-o", "table") == status
    out = capsys.readouterr().out
    assert out.startswith(["ALLOW", "DENY", "NEEDS_APPROVAL"][(status + 9) // 10 if status < 11 else 2])
    assert ("needs     1 of reviewers" in out) == (status == 11)


def test_eval_decides_the_todo_cases_as_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = [json.loads(line) for line in (CASES / "decisions.jsonl").read_text().splitlines()]
    requests = tmp_path / "requests.jsonl"
    requests.write_text("\n".join(json.dumps(case["request"]) for case in cases))
    assert invoked("policy", "eval", "-f", requests, CASES / "policy", "-o", "jsonl") == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["effect"] for answer in answers] == [case["effect"] for case in cases]


def test_eval_sees_the_time_the_caller_and_the_groups_that_it_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.rego").write_text("""package policy

allow contains {"rule": "a", "reason": sprintf("%v %v", [input.caller, time.clock(input.now)])}
""")
    asked = ["policy", "eval", tmp_path, *ASK, "read", "--at", "2026-01-02T03:04:05", "--group", "g"]
    assert invoked(*asked, "--caller", "user:bob", "-o", "json") == 0
    said = json.loads(capsys.readouterr().out)["reasons"][0]["reason"]
    assert said == '{"groups": ["g"], "identity": "user:bob", "kind": "person"} [3, 4, 5]'
    assert invoked(*asked, "-o", "json") == 0
    assert '"kind": "workload"' in json.loads(capsys.readouterr().out)["reasons"][0]["reason"]


def test_eval_refuses_what_a_server_would(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoked("policy", "eval", policy, *ASK, "a\nb") == 2
    assert "action.name" in capsys.readouterr().err
    (policy / "q.rego").write_text("package policy\n\ndenny contains {}\n")
    assert invoked("policy", "eval", policy, *ASK, "read") == 3
    assert f"{policy}/q.rego:3: " in capsys.readouterr().err


def test_eval_needs_reviews_by_claims_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.rego").write_text("""package policy

needs_approval contains {"rule": "a", "reason": "b", "reviewers": {"claims": {"team": "x"}}, "count": 2}

obligation contains {"rule": "c", "reason": "d", "type": "log", "properties": {"level": 3}}
""")
    (tmp_path / "data.json").write_text('{"identities": {"agent:my-agent": {"owners": ["user:a"]}}}')
    assert invoked("policy", "eval", tmp_path, *ASK, "read", "-o", "json") == 11
    answer = json.loads(capsys.readouterr().out)
    assert answer["approval"]["requirements"][0]["claims"] == {"team": "x"}
    assert answer["obligations"][0]["properties"] == {"level": 3}


@pytest.mark.parametrize("command", ["check", "test", "build", "eval"])
@pytest.mark.parametrize("holds", ["nothing", "a note", "data alone", "tests alone"])
def test_a_folder_without_a_policy_is_an_error(
    tmp_path: Path, command: str, holds: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "folder"
    folder.mkdir()
    name = {"a note": "README.md", "data alone": "data.json", "tests alone": "p_test.rego"}.get(holds)
    if name:
        (folder / name).write_text('{"a": 1}' if name == "data.json" else "package p_test\n\ntest_a if true\n")
    asked = [*ASK, "read"] if command == "eval" else []
    assert invoked("policy", command, folder, *asked) == 3
    err = capsys.readouterr().err
    assert "holds no policy" in err or "there is no rule" in err
    assert str(folder) in err or holds == "tests alone"
