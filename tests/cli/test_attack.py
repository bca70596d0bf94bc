"""`pdp policy attack`: what a terminal shows and a script reads."""

import json
from pathlib import Path

import pytest

from tests.cli.terminal import invoked

RULES = """package policy

allow contains {"rule": "open", "reason": "open"} if input.action.name == "export"

deny contains {"rule": "kept", "reason": "it stays here"} if input.resource.id in data.kept

deny contains {"rule": "bots", "reason": "no bots"} if input.subject.type == "bot"
"""
TESTS = """package p_test

import data.pdp

effect(kind, table) := answer if {
	answer := pdp.decision.effect with input as {
		"subject": {"type": kind, "id": "x"},
		"action": {"name": "export"},
		"resource": {"type": "table", "id": table},
	}
}

test_kept if effect("user", "crm.customers") == "DENY"

test_bots if effect("bot", "t") == "DENY"
"""
OTHER_CASE, BLANK = (
    {"rule": "kept", "path": "resource.id", "change": change, "reason": "the gateway knows tables by their exact name"}
    for change in ("other case", "blank around it")
)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    folder = tmp_path / "policy"
    folder.mkdir()
    (folder / "p.rego").write_text(RULES)
    (folder / "p_test.rego").write_text(TESTS)
    (folder / "data.json").write_text('{"kept": ["crm.customers"]}')
    return folder


def asked(table: str) -> str:
    request = {"subject": {"type": "user", "id": "x"}, "action": {"name": "export"}}
    return json.dumps({**request, "resource": {"type": "table", "id": table}})


def test_findings_are_4_and_print_what_ends_them(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoked("policy", "attack", policy) == 4
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == "resource.id and the rule kept:"
    assert lines[1] == "  blank around it: DENY becomes ALLOW, without kept"
    assert lines[2] == "    user:x export table:crm.customers, of p_test.test_kept"
    assert lines[3] == "  other case: DENY becomes ALLOW, without kept"
    assert lines[5] == "  to accept:"
    assert [{**json.loads(line), "reason": BLANK["reason"]} for line in lines[6:]] == [BLANK, OTHER_CASE]
    assert "note: subject.type, other case: DENY becomes ALLOW, without bots" in err
    assert err.splitlines()[-1].startswith("2 requests, ")
    assert err.endswith(": 2 findings\n")


def test_findings_of_each_rule_and_path_are_one_block(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held = 'deny contains {"rule": "held", "reason": "x"} if input.context.held == "yes"\n'
    asked = '{"subject": {"type": "user", "id": "x"}, "action": {"name": "export"}, "context": {"held": "yes"}'
    test = f'{asked}, "resource": {{"type": "table", "id": "t"}}}}\n'
    (policy / "p.rego").write_text(f"{RULES}\n{held}")
    (policy / "p_test.rego").write_text(f'{TESTS}\ntest_held if pdp.decision.effect == "DENY" with input as {test}')
    assert invoked("policy", "attack", policy) == 4
    out, _ = capsys.readouterr()
    heads = [line for line in out.splitlines() if not line.startswith(" ")]
    assert heads == ["context.held and the rule held:", "resource.id and the rule kept:"]
    assert out.count("  to accept:") == len(heads)


def test_accepted_lines_end_findings_and_one_that_matches_nothing_is_one(
    policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = {"kept": ["crm.customers"], "policy_attack": {"accepted": [OTHER_CASE, BLANK]}}
    (policy / "data.json").write_text(json.dumps(data))
    assert invoked("policy", "attack", policy) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("none makes an answer weaker\n")
    (policy / "data.json").write_text(json.dumps({**data, "kept": ["another"]}))
    assert invoked("policy", "attack", policy) == 4
    assert capsys.readouterr().out.splitlines() == [
        f"resource.id, {line['change']}: no answer loses kept by it; take the line out of data.policy_attack.accepted"
        for line in (OTHER_CASE, BLANK)
    ]


def test_files_bring_requests_and_garbage_is_2(
    policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (policy / "p_test.rego").unlink()
    requests = tmp_path / "requests.jsonl"
    requests.write_text(f"{asked('t')}\n{asked('crm.customers')}\n{asked('')}\n")
    assert invoked("policy", "attack", policy, "-f", requests) == 4
    out, err = capsys.readouterr()
    assert f"    user:x export table:crm.customers, of {requests}, request 2\n" in out
    assert f"left out: {requests}, request 3: resource.id: is required\n" in err
    requests.write_bytes(b"\x1f\x8b\x08\x08\xff")
    assert invoked("policy", "attack", policy, "-f", requests) == 2
    assert "is compressed with gzip" in capsys.readouterr().err
    requests.write_text('{"subject": 5}')
    assert invoked("policy", "attack", policy, "-f", requests) == 2
    assert invoked("policy", "attack", policy, "-f", tmp_path / "nowhere") == 2


def test_nothing_to_begin_with_is_4_and_a_refused_policy_3(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (policy / "p_test.rego").unlink()
    assert invoked("policy", "attack", policy) == 4
    assert capsys.readouterr().err.startswith("there are no requests to change: write tests")
    (policy / "q.rego").write_text("package policy\n\ndenny contains {}\n")
    assert invoked("policy", "attack", policy) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert "[misspelt-set]" in err
    assert invoked("policy", "attack", policy / "nowhere") == 3


def test_names_in_requests_cannot_write_to_the_terminal(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (policy / "p.rego").write_text(RULES.replace('input.subject.type == "bot"', 'startswith(input.resource.id, "t")'))
    (policy / "p_test.rego").write_text(TESTS.replace('"t"', '"t\\u202e\\u2028x"'))
    assert invoked("policy", "attack", policy) == 4
    out, _ = capsys.readouterr()
    assert "\\u{202e}\\u{2028}x" in out
    assert "\u202e" not in out
