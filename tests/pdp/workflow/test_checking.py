"""A question is checked alike in whichever form it came."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest
from google.protobuf import json_format

from pdp.authzen import Envelope
from pdp.authzen_question import Asked
from pdp.caller import Caller
from pdp.canonical import canonical
from pdp.errors import DigestRequired, InvalidRequest, NotAllowed, PdpError, RequestDiffers
from pdp.turns import Turns
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.workflow.answer import Failed
from pdp.workflow.checking import Checking

BOT = Caller("agent:report-bot", "workload", frozenset(), (), b"{}", may_act_for=("user:*",))
BODY: dict[str, Any] = {
    "subject": {"type": "agent", "id": "report-bot"},
    "action": {"name": "read"},
    "resource": {"type": "table", "id": "customers"},
    "context": {"a": 1},
}
HEARD: list[str] = []


def faults(members: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    return [("resource.type", "is closed")] if members["resource"]["type"] == "closed" else []


CHECKING = Checking("dev", faults, Turns(), lambda _, caller: HEARD.append(caller))


def asked(options: Mapping[str, Any], **members: Any) -> Asked:
    return Envelope(orjson.dumps({**BODY, **members, "options": options})).asked()


def message(options: Mapping[str, Any], **members: Any) -> AuthorizeRequest:
    return json_format.ParseDict({**BODY, **members, **options}, AuthorizeRequest())


@pytest.mark.parametrize(
    ("caller", "options", "members", "error"),
    [
        (BOT, {}, {"subject": {"type": "agent", "id": "other"}}, NotAllowed),
        (BOT, {"on_behalf_of": [{"type": "agent", "id": "other"}]}, {}, NotAllowed),
        (BOT, {}, {"resource": {"type": "closed", "id": "x"}}, InvalidRequest),
        (BOT, {"request_id": "\n"}, {}, InvalidRequest),
        (BOT, {"attempt_id": "x" * 65}, {}, InvalidRequest),
        (BOT, {"justification": "x" * 2001}, {}, InvalidRequest),
        (BOT, {"expected_digest": "x"}, {}, RequestDiffers),
        (replace(BOT, requires_digest=True), {}, {}, DigestRequired),
    ],
)
def test_both_forms_are_refused_alike(
    caller: Caller, options: dict[str, Any], members: dict[str, Any], error: type[PdpError]
) -> None:
    with pytest.raises(error) as over_http:
        CHECKING.checked_json(asked(options, **members), caller)
    with pytest.raises(error) as over_grpc:
        CHECKING.checked(message(options, **members), caller)
    assert over_http.value.sentence == over_grpc.value.sentence
    assert over_http.value.violations == over_grpc.value.violations


def test_both_forms_become_one_question() -> None:
    acting = replace(BOT, vouched=(("user", "alice"), ("team", "x")))
    options = {"on_behalf_of": [{"type": "user", "id": "alice"}], "request_id": "r", "want_grant": True}
    one, other = CHECKING.checked_json(asked(options), acting), CHECKING.checked(message(options), acting)
    assert one.canonical == other.canonical
    assert [one.request.request_id, one.request.want_grant] == ["r", True]
    assert one.request.on_behalf_of == other.request.on_behalf_of
    assert (one.supports, one.opens, other.supports, other.opens) == (frozenset(), False, None, True)


def test_digest_is_over_what_was_sent_before_the_server_adds_the_chain() -> None:
    digest = canonical(message({}), "dev").digest
    acting = replace(BOT, vouched=(("user", "alice"),), requires_digest=True)
    ask = CHECKING.checked_json(asked({"expected_digest": digest}), acting)
    assert ask.canonical.digest != digest
    assert ask.canonical.digest == CHECKING.checked(message({"expected_digest": digest}), acting).canonical.digest


def test_question_without_its_digest_is_heard_of() -> None:
    HEARD.clear()
    CHECKING.checked_json(asked({}), BOT)
    CHECKING.checked_json(asked({"expected_digest": canonical(message({}), "dev").digest}), BOT)
    assert HEARD == ["agent:report-bot"]


async def test_bad_one_among_many_fails_alone() -> None:
    def check(options: dict[str, Any]) -> Any:
        return lambda: CHECKING.checked_json(asked(options), BOT)

    first, bad, last = await CHECKING.checked_each([check({}), check({"dry_rnu": 1}), check({})], BOT)
    assert isinstance(bad, Failed)
    assert not isinstance(first, Failed)
    assert not isinstance(last, Failed)
