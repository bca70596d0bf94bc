"""Words that try to be more than words, in every place of an approval where somebody else writes."""

import random
import re
from typing import Any

from google.protobuf import json_format

from pdp.v1.approval_pb2 import Approval, ApprovalState, GetApprovalResponse, Verdict
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.request_pb2 import Request
from pdp.visible import visible
from tests.cli.test_display import fill

WORDS = {
    "markup": "*CFO approved* <!channel> <@UBOB> [open](https://x.example) <https://x.example|y> <at>x</at> :smile:",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)><b>x</b>&lt;i&gt;</dd></bdi>",
    "svg": "<svg onload=alert(1)><a href=javascript:alert(1)>x</a></svg>",
    "address": "javascript:alert(1) data:text/html,x www.evil.example mailto:a@evil.example",
    "template": "{{DATE(2017-02-14T06:08:39Z)}} {{ 7 * 7 }}{% raw %} ${x} %0d%0a",
    "bidi": "\u202egnp.exe\u2066 and \u200fmore",
    "zero-width": "CF\u200bO\ufeff\u2060 \u3164\U000e0041",
    "look-alike": "\u0440\u0430ypal \uff23\uff26\uff2f",
}
"""By what they try. None has a quotation mark or a backslash, so each stands in what is shown as `visible` has it."""
ALL = " ".join(WORDS.values())
"""All kinds of such words in one text."""
HIDDEN = frozenset("\u202e\u2066\u200f\u200b\ufeff\u2060\u3164\U000e0041\x1b\x00")
LONG = "word" * 5_000
"""A word of 20 kB."""
APPROVAL_ID = f"apr_{16:032x}"
PAGE = f"https://pdp.example/inbox/approvals/{APPROVAL_ID}"
BOT = {"type": "agent", "id": "report-bot"}


def members(words: str, **changes: Any) -> dict[str, Any]:
    """A request with these words in every place that takes them, in proto JSON."""
    free = {words: words, "list": [words, {words: words}]}
    return {
        "subject": {**BOT, "properties": free},
        "onBehalfOf": [{"type": "user", "id": words, "properties": free}],
        "action": {"name": words, "properties": free},
        "resource": {"type": words, "id": words, "properties": free},
        "context": free,
        **changes,
    }


def asked(words: str, **changes: Any) -> AuthorizeRequest:
    """The same as its caller sends it, unlike any other."""
    made = members(words, **changes)
    made["context"] = {**made["context"], "run": str(random.random())}
    return json_format.ParseDict({**made, "justification": f"{words}\n{words}"}, AuthorizeRequest())


def answer(words: str) -> GetApprovalResponse:
    """What a reviewer is told of an approval in which somebody wrote these words in every place."""
    found = GetApprovalResponse()
    fill(found, words)
    held = found.approval
    for one in (held, found.last_approved):
        one.request.CopyFrom(json_format.ParseDict(members(words), Request()))
    held.approval_id, held.state, held.version = APPROVAL_ID, ApprovalState.APPROVAL_STATE_PENDING, 1
    held.reviews[0].verdict = Verdict.VERDICT_CHANGES_REQUESTED
    held.reviews[0].suggestion.CopyFrom(held.request)
    held.ClearField("earlier")
    found.may_review, found.page = True, PAGE
    held.lineage.truncated = False
    del held.request.on_behalf_of[0].properties.fields["list"]
    return found


def only_request(words: str) -> GetApprovalResponse:
    """The same without what a server computes: words of the caller, of the policy's data and of a reviewer."""
    found = GetApprovalResponse(may_review=True, page=PAGE)
    held = Approval(
        approval_id=APPROVAL_ID,
        state=ApprovalState.APPROVAL_STATE_PENDING,
        version=1,
        request=json_format.ParseDict(members(words), Request()),
        caller=f"agent:{words}",
        justification=f"{words}\n{words}",
    )
    held.requirements.add(rule=words, reason=words, count=1, groups=[words])
    held.reviews.add(reviewer=f"user:{words}", reason=words, verdict=Verdict.VERDICT_CHANGES_REQUESTED)
    held.reviews[0].suggestion.CopyFrom(held.request)
    found.approval.CopyFrom(held)
    return found


def plain(text: str) -> str:
    """A text with one blank between words, as a browser's line breaks leave it."""
    return re.sub(r"\s+", " ", text)


def is_literal(shown: str, words: str, times: int) -> bool:
    """Whether a text that people read has these words so many times at least, each character of them visible."""
    return plain(shown).count(plain(visible(words))) >= times and not HIDDEN & {*shown}
