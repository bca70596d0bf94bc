"""The page of an approval in tests: its form as a script fills it, and requests that try to deceive."""

import random
from collections.abc import Iterator
from typing import Any

from google.protobuf import json_format

from pdp.canonical import canonical
from pdp.inbox import displayed
from pdp.v1.approval_pb2 import Approval, GetApprovalResponse
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.request_pb2 import Request
from tests.browser import Browser, Shown
from tests.parts import exporting

BIDI, ZERO = "\u202egnp.exe\u2066", "CF\u200bO\ufeff\u2060"
HOSTILE = (
    '<script>alert(1)</script><img src=x onerror=alert(1)>"><b>',
    "<svg onload=alert(1)>&lt;b&gt;</dd></dl><h1>APPROVED</h1>",
    "javascript:alert(1) [open](https://x) <!channel> *CFO approved*",
    BIDI,
    ZERO,
    "\u0440\u0430\u0443\u0440\u0430 \uff23\uff26\uff2f",
    "{{ 7 * 7 }}{% raw %} \\u{202e} \\ \" ' `",
    "line\nbreak\r\n\t\x1b[31m",
    "e\u0301\u0301\u0301\u0301\ufe0f  two  spaces ",
    "\U000e0041\U0001f600\u00a0\u3164",
)
LONG = "word" * 5_000
"""A word of 20 kB."""


def path(approval: Approval, step: str = "") -> str:
    return f"/inbox/approvals/{approval.approval_id}{step}"


async def fields(person: Browser, approval: Approval, verdict: str, **changes: str) -> dict[str, str]:
    """The form of the page that this person sees, as its script would send it."""
    shown = await person.get(path(approval))
    hidden = dict(shown.hidden)
    seen = hidden["expected_digest"], int(hidden["expected_version"]), hidden["expected_lineage"]
    proof = displayed.proof("dev", approval.request, *seen)
    return {**hidden, "displayed": proof, "verdict": verdict, "reason": "", "suggestion": "", **changes}


async def reviewed(person: Browser, approval: Approval, verdict: str, **changes: str) -> Shown:
    """Send that form."""
    return await person.post(path(approval, "/review"), await fields(person, approval, verdict, **changes))


def hostile() -> AuthorizeRequest:
    """A request with such a text in every place that takes it."""
    texts = {f"text {number}": text for number, text in enumerate(HOSTILE)}
    values = {**texts, **dict.fromkeys(HOSTILE, "a key"), "long": LONG}
    return exporting(context={**values, "run": str(random.random())}, justification="\n".join(HOSTILE[:7]))


def generated(count: int) -> Iterator[Request]:
    """Requests of every shape, the same at each run."""
    chance = random.Random(16)
    for _ in range(count):
        members = {
            "subject": {"type": "agent", "id": _text(chance), "properties": _members(chance)},
            "onBehalfOf": [
                {"type": "user", "id": _text(chance), "properties": _members(chance)}
                for _ in range(chance.randrange(3))
            ],
            "action": {"name": _text(chance), "properties": _members(chance)},
            "resource": {"type": _text(chance), "id": _text(chance), "properties": _members(chance)},
            "context": _members(chance),
        }
        yield json_format.ParseDict(members, Request())


def answered(asked: Request) -> GetApprovalResponse:
    """What a reviewer is told of this request; nothing else is known of it."""
    held = Approval(
        approval_id="apr_0190f0c1d2e37a4b8c5d6e7f80910213",
        state="APPROVAL_STATE_PENDING",
        version=1,
        request=asked,
        request_digest=canonical(asked, "dev").digest,
        caller="agent:bot",
    )
    held.created_at.FromSeconds(1)
    return GetApprovalResponse(approval=held, may_review=True)


def _text(chance: random.Random) -> str:
    """An id: without control characters."""
    text = chance.choice(["report", "a b", 'quo"te', "back\\slash", "ü", "коп", "a:b", *HOSTILE, "\u202e"])
    return "".join(one for one in text if ord(one) > 31 and not 126 < ord(one) < 160).replace(":", "") or "x"


def _members(chance: random.Random, depth: int = 0) -> dict[str, Any]:
    return {_key(chance): _value(chance, depth) for _ in range(chance.randrange(4))}


def _key(chance: random.Random) -> str:
    return chance.choice(["rows", "a_b", "9", "a.b", "", "\U0001f600", "\uffee", *HOSTILE])


def _value(chance: random.Random, depth: int) -> Any:
    kind = chance.randrange(9 if depth < 3 else 7)
    if kind == 7:
        return _members(chance, depth + 1)
    if kind == 8:
        return [_value(chance, depth + 1) for _ in range(chance.randrange(3))]
    return [
        chance.choice(HOSTILE),
        chance.choice([True, False, None]),
        chance.choice([0, -1, 2**53 - 1, 1e15, -0.0]),
        chance.choice([0.1, 1e-7, -2.5e-10, 5.684341886080802e-14, 1 / 3]),
        "",
        {},
        [],
    ][kind]
