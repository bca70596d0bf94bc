"""`pdp authorize`: one question by flags or file, a batch by JSON Lines; scripts lean on the exit statuses."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf import json_format

from pdp.process.mongod import MongodProcess
from pdp.v1.decision_pb2 import AuthorizeResponse
from tests.cli.terminal import AS_ALICE, EXPORT, Terminal, invoked
from tests.parts import Placet, asking, placet

READ = ["authorize", "--as", "report-bot", *AS_ALICE, "--action", "read"]
REQUEST = json_format.MessageToDict(asking())


async def test_allow_is_0_and_json_is_the_contracts(pdp: Terminal) -> None:
    done = await pdp(*READ)
    answer = json_format.Parse(done.out, AuthorizeResponse())
    assert (done.status, done.err) == (0, "")
    assert done.out == json_format.MessageToJson(answer, indent=2) + "\n"
    assert done.json["effect"] == "EFFECT_ALLOW"
    assert "\x1b" not in done.out


async def test_deny_is_10_and_says_why(pdp: Terminal) -> None:
    done = await pdp("authorize", "--as", "report-bot", *AS_ALICE, "--action", "drop", "-o", "table", "--explain")
    assert (done.status, done.err) == (10, "")
    shown = done.out.splitlines()
    assert shown[:2] == ["DENY", "  agents never drop a table; ask a person to do it  [agents.destructive]"]
    assert "  fired     deny: agents.destructive" in shown
    assert "\x1b" not in done.out


async def test_approval_is_11_until_it_is_used_and_12_afterwards(pdp: Terminal, server: Placet) -> None:
    ask = [*EXPORT, "--context", f"run={uuid4()}", "-o", "jsonl"]
    opened = await pdp(*ask, "--request-id", "one", "--justification", "weekly")
    assert opened.status == 11
    (answer,) = opened.lines
    assert answer["effect"] == "EFFECT_NEEDS_APPROVAL"
    assert answer["approval"]["justification"] == "weekly"
    assert answer["approval"]["request"]["resource"]["properties"] == {"tags": ["pii"]}
    approval = json_format.ParseDict(answer, AuthorizeResponse()).approval
    for steward in ("bob", "carol"):
        await server.review(approval, steward)
    with_it = [*ask, "--approval-id", approval.approval_id]
    dry = await pdp(*with_it, "--dry-run", "-o", "table")
    used = await pdp(*with_it, "--request-id", "two", "-o", "table")
    again = await pdp(*with_it, "--request-id", "three")
    assert (dry.status, used.status, again.status) == (0, 0, 12)
    assert dry.out.startswith("ALLOW  (dry run)\n")
    assert "  grant     " not in dry.out
    assert "  grant     " in used.out
    assert again.json["reasons"][0]["rule"] == "pdp.approval_consumed"


async def test_a_file_or_standard_input_is_one_request(pdp: Terminal) -> None:
    (pdp.folder / "request.json").write_text(json.dumps(REQUEST, indent=2))
    from_file = await pdp("authorize", "--as", "report-bot", "-f", "request.json")
    from_input = await pdp(
        "authorize", "--as", "report-bot", "-f", "-", given=b"\xef\xbb\xbf" + json.dumps(REQUEST).encode()
    )
    assert from_file.status == from_input.status == 0
    assert from_file.json["requestDigest"] == from_input.json["requestDigest"]


async def test_json_lines_are_a_batch_of_any_length_in_which_a_bad_item_fails_alone(pdp: Terminal) -> None:
    good = [{**REQUEST, "context": {"n": number}} for number in range(1001)]
    good[500] = {**REQUEST, "action": {"name": "drop"}}
    text = "\n\n".join(map(json.dumps, good))
    whole = await pdp("authorize", "--as", "report-bot", "-f", "-", given=text)
    assert (whole.status, whole.err) == (0, "")
    assert [number for number, answer in enumerate(whole.lines) if answer["effect"] != "EFFECT_ALLOW"] == [500]
    assert len(whole.lines) == 1001

    bad: dict[str, Any] = {**REQUEST, "action": {}}
    (pdp.folder / "some.jsonl").write_text("\n".join(map(json.dumps, (REQUEST, bad, REQUEST))))
    some = await pdp("authorize", "--as", "report-bot", "-f", "some.jsonl")
    assert some.status == 1
    assert "1 of 3 requests got no answer" in some.err
    assert [answer.get("effect") for answer in some.lines] == ["EFFECT_ALLOW", None, "EFFECT_ALLOW"]
    assert some.lines[1]["error"]["fieldViolations"][0]["field"] == "action.name"


async def test_a_file_of_json_lines_with_one_line_is_a_batch_too(pdp: Terminal) -> None:
    (pdp.folder / "one.jsonl").write_text(json.dumps({**REQUEST, "action": {"name": "drop"}}))
    done = await pdp("authorize", "--as", "report-bot", "-f", "one.jsonl", "-o", "table")
    assert done.status == 0
    assert done.out.startswith("DENY\n")


LINE = json.dumps(REQUEST)
ALL = ["--subject", "a:b", "--action", "r", "--resource", "c:d"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            [],
            "are missing, for example --subject agent:report-bot --action read --resource table:customers (or give -f",
        ),
        (["--action", "r", "--resource", "c:d"], "--subject is missing, for example --subject agent:report-bot (or "),
        ([*ALL, "--subject", "alice"], "--subject must be TYPE:ID, for example agent:report-bot\n"),
        ([*ALL, "--subject", "user:"], "--subject must be TYPE:ID"),
        ([*ALL, "--resource", "c"], "--resource must be TYPE:ID, for example table:customers\n"),
        ([*ALL, "--on-behalf-of", "c"], "--on-behalf-of must be TYPE:ID, for example user:alice\n"),
        ([*ALL, "--property", "x"], "--property must be NAME=VALUE"),
        ([*ALL, "--context", "x=1", "--context", "x=2"], "--context gives x twice"),
        (["-f", "nowhere"], "cannot read nowhere: No such file"),
    ],
)
def test_usage_errors_say_what_to_do(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert invoked("authorize", "--token", "x", *arguments) == 2
    assert says in capsys.readouterr().err


async def test_values_are_json_or_text(pdp: Terminal) -> None:
    values = ["a=1", 'b={"c": [null]}', "d=plain text", "e=", "f=x=y", 'h="1"']
    ask = [word for value in values for word in ("--context", value)]
    done = await pdp(*EXPORT, *ask, "--context-text", "g=NaN", "--context", f"run={uuid4()}")
    context = done.json["approval"]["request"]["context"]
    del context["run"]
    assert context == {"a": 1, "b": {"c": [None]}, "d": "plain text", "e": "", "f": "x=y", "g": "NaN", "h": "1"}


async def test_numbers_that_would_change_are_refused_with_the_field(pdp: Terminal) -> None:
    done = await pdp(*READ, "--context", "n=123456789012345678901")
    assert done.status == 2
    assert done.err.startswith("INVALID_REQUEST: context.n: ")
    assert "send a string" in done.err


OBLIGED = """
package policy

allow contains {"rule": "masked", "reason": "masked data only"}

obligation contains {"rule": "mask", "reason": "personal data", "type": "mask", "properties": {"columns": ["email"]}}
"""


async def test_an_obligation_that_nobody_promises_to_meet_is_a_deny(
    tmp_path: Path, state: Path, mongod: MongodProcess
) -> None:
    policy = tmp_path / "policy"
    policy.mkdir()
    (policy / "p.rego").write_text(OBLIGED)
    async with placet(state, mongod.uri, policy=[policy]) as server:
        pdp = Terminal(tmp_path, {"PDP_ADDRESS": server.address, "PDP_STATE": str(state)})
        refused = await pdp(*READ, "-o", "table")
        met = await pdp(*READ, "--understands", "mask")
    assert refused.status == 10
    assert "unless you meet these obligations" in refused.err
    assert '    mask.columns[0] = "email"' in refused.out
    assert met.status == 0
