"""`pdp grant verify`: whether a grant holds for what is about to run, with a server's help or without."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.cli.terminal import EXPORT, Terminal
from tests.parts import Placet, asking

VERIFY = ["grant", "verify", "--as", "report-bot", "--request", "request.json"]


@pytest.fixture
async def granted(pdp: Terminal, server: Placet) -> dict[str, Any]:
    """The answer to what `request.json` asks, in the folder where `jwks.json` lies."""
    request = {
        "subject": {"type": "agent", "id": "report-bot"},
        "onBehalfOf": [{"type": "user", "id": "alice"}],
        "action": {"name": "read"},
        "resource": {"type": "table", "id": "customers", "properties": {"tags": []}},
    }
    (pdp.folder / "request.json").write_text(json.dumps(request))
    info = (await pdp("whoami", "--as", "report-bot")).json
    (pdp.folder / "jwks.json").write_text(info["jwks"])
    answer = await server.authorize(asking(want_grant=True))
    return {"grant": answer.grant, "id": answer.decision_id, "digest": answer.request_digest}


async def test_a_grant_that_holds_is_0_and_shows_its_claims(pdp: Terminal, granted: dict[str, Any]) -> None:
    by_server = await pdp(*VERIFY, granted["grant"])
    assert (by_server.status, by_server.err) == (0, "")
    claims = by_server.json
    assert (claims["jti"], claims["digest"], claims["aud"]) == (granted["id"], granted["digest"], "agent:report-bot")
    assert "approval" not in claims
    offline = ["--keys", "jwks.json", "--realm", "dev", "--caller", "agent:report-bot"]
    piped = await pdp(*VERIFY, *offline, "-o", "jsonl", given=f"{granted['grant']}\n", PDP_ADDRESS="127.0.0.1:1")
    assert (piped.status, piped.lines) == (0, [claims])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--as", "alice"], "the grant is for another caller"),
        (["--realm", "prod"], "the grant is for another realm"),
        (["--at", "2020-01-01T00:00:00"], "not valid yet"),
        (["--at", "2100-01-01T00:00:00"], "the grant is over"),
        (["--keys", "request.json"], "not a JWK Set"),
        (["--request", "other.json"], "another request"),
    ],
    ids=str,
)
async def test_a_grant_that_does_not_hold_is_13_and_says_why(
    pdp: Terminal, granted: dict[str, Any], arguments: list[str], says: str
) -> None:
    other = json.loads((pdp.folder / "request.json").read_text())
    other["context"] = {"more": True}
    (pdp.folder / "other.json").write_text(json.dumps(other))
    done = await pdp(*VERIFY, *arguments, granted["grant"])
    assert (done.status, done.out) == (13, "")
    assert done.err.startswith("NOT VALID: ")
    assert says in done.err


async def test_what_is_no_grant_is_13(pdp: Terminal, granted: dict[str, Any]) -> None:
    for text in ("", "x", granted["grant"][:-4] + "AAAA"):
        assert (await pdp(*VERIFY, given=text)).status == 13


async def test_the_grant_of_an_approval_names_it(pdp: Terminal, granted: dict[str, Any]) -> None:
    assert granted["grant"]
    context = ["--context", f"run={uuid4().hex}", "--request-id", uuid4().hex]
    asked = (await pdp(*EXPORT, *context)).json
    for steward in ("bob", "carol"):
        assert (await pdp("approvals", "approve", asked["approval"]["approvalId"], "--as", steward)).status == 0
    used = (await pdp(*EXPORT, *context)).json
    Path(pdp.folder, "request.json").write_text(json.dumps(used["approval"]["request"]))
    assert (await pdp(*VERIFY, used["grant"])).json["approval"] == asked["approval"]["approvalId"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--request", "missing.json"], "cannot read missing.json"),
        (["--keys", "missing.json"], "cannot read missing.json"),
        (["--at", "soon"], "--at"),
    ],
    ids=str,
)
async def test_usage_errors_are_2(pdp: Terminal, granted: dict[str, Any], arguments: list[str], says: str) -> None:
    done = await pdp(*VERIFY, *arguments, granted["grant"])
    assert (done.status, done.out) == (2, "")
    assert says in done.err
