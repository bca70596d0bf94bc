"""What a caller says of attributes, as Struct or as text, and that all of it arrived: over the wire."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format

from pdp.canonical import canonical
from pdp.dev.identity import AGENTS
from pdp.dev.stack import configuration
from pdp.process.mongod import MongodProcess
from pdp.service.info import FEATURES
from pdp.v1.approval_pb2 import GetApprovalRequest, Verdict
from pdp.v1.decision_pb2 import AuthorizeRequest, BatchAuthorizeRequest, GetDecisionRequest
from pdp.v1.info_pb2 import GetServerInfoRequest
from pdp.v1.request_pb2 import Effect, Request
from pdp.v1.review_pb2 import ReviewRequest
from tests.known import UNSEEN
from tests.parts import Placet, asking, exporting, log, placet
from tests.pdp.wire import refused
from tests.tokens import bearer, claims, signed

STRUCTS: dict[str, Any] = {
    "subject": {"type": "agent", "id": "report-bot", "properties": {"team": "x"}},
    "onBehalfOf": [{"type": "user", "id": "alice", "properties": {"n": 1.5}}],
    "action": {"name": "read", "properties": {"gzip": True}},
    "resource": {"type": "table", "id": "customers", "properties": {"tags": ["public"]}},
    "context": {"rows": 5},
}
TEXTS: dict[str, Any] = {
    "subject": {"type": "agent", "id": "report-bot", "propertiesJson": '{"team": "x"}'},
    "onBehalfOf": [{"type": "user", "id": "alice", "propertiesJson": '{"n": 15e-1}'}],
    "action": {"name": "read", "propertiesJson": '{"gzip": true}'},
    "resource": {"type": "table", "id": "customers", "propertiesJson": '{"tags": ["public"]}'},
    "contextJson": '{"rows": 5.0}',
}


def made(members: dict[str, Any], **more: Any) -> AuthorizeRequest:
    return json_format.ParseDict({**members, **more}, AuthorizeRequest())


def digest(request: AuthorizeRequest) -> str:
    return canonical(request, "dev").digest


def lost(request: AuthorizeRequest) -> AuthorizeRequest:
    """What proto-loader makes of `properties: {tags: [...]}`: an empty Struct, under the digest of what was meant."""
    request.expected_digest = digest(request)
    request.resource.properties.Clear()
    request.resource.properties.SetInParent()
    return request


@pytest.fixture(scope="module")
async def strict(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """Agents must say their digest; people need not."""
    config = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri=mongod.uri)
    issuers = tuple(
        issuer.model_copy(
            update={"require_digest": issuer.type == "agent", "actors": (AGENTS,) if issuer.type == "user" else ()}
        )
        for issuer in config.issuers
    )
    async with placet(state, mongod.uri, issuers=issuers) as server:
        yield server


async def test_text_asks_what_its_struct_asks_and_answers_hold_structs(server: Placet) -> None:
    by = server.metadata("report-bot")
    answers = [await server.decisions.Authorize(made(form), metadata=by) for form in (STRUCTS, TEXTS)]
    assert answers[0].request_digest == answers[1].request_digest == digest(made(STRUCTS))
    assert {answer.effect for answer in answers} == {Effect.EFFECT_ALLOW}
    assert answers[1].on_behalf_of == answers[0].on_behalf_of == made(STRUCTS).on_behalf_of
    asked = [
        (await server.decisions.GetDecision(GetDecisionRequest(decision_id=one.decision_id), metadata=by)).request
        for one in answers
    ]
    assert asked[0] == asked[1]
    assert asked[1].context["rows"] == 5
    assert not asked[1].context_json


async def test_text_opens_the_approval_of_its_struct(server: Placet) -> None:
    struct = exporting()
    by, text = server.metadata("report-bot"), AuthorizeRequest()
    text.CopyFrom(struct)
    text.ClearField("context")
    text.context_json = json_format.MessageToJson(struct.context)
    opened = await server.decisions.Authorize(text, metadata=by)
    again = await server.decisions.Authorize(struct, metadata=by)
    assert opened.approval.approval_id == again.approval.approval_id != ""
    found = await server.approvals.GetApproval(GetApprovalRequest(approval_id=opened.approval.approval_id), metadata=by)
    assert found.approval.request.context == struct.context
    assert not found.approval.request.context_json


async def test_a_suggestion_takes_text_too(server: Placet) -> None:
    opened = (await server.decisions.Authorize(exporting(), metadata=server.metadata("report-bot"))).approval
    suggestion = Request()
    suggestion.CopyFrom(opened.request)
    suggestion.ClearField("context")
    suggestion.context_json = '{"rows": 10}'
    suggestion.resource.ClearField("properties")
    suggestion.resource.properties_json = '{"tags": ["public"]}'
    review = ReviewRequest(
        approval_id=opened.approval_id,
        expected_digest=opened.request_digest,
        expected_version=opened.version,
        expected_lineage=UNSEEN,
        verdict=Verdict.VERDICT_CHANGES_REQUESTED,
        reason="fewer",
        suggestion=suggestion,
    )
    answer = await server.reviews.Review(review, metadata=server.metadata("bob"))
    [suggested] = [one.suggestion for one in answer.approval.reviews]
    assert suggested.context["rows"] == 10
    assert list(suggested.resource.properties["tags"]) == ["public"]
    assert not suggested.context_json + suggested.resource.properties_json


@pytest.mark.parametrize("dry_run", [False, True])
async def test_what_was_lost_on_the_way_is_refused_and_nothing_is_decided(server: Placet, *, dry_run: bool) -> None:
    before = len(await log(server, "decision"))
    request = lost(made(STRUCTS, dryRun=dry_run, requestId="x" * 2000))
    error = await refused(server.decisions.Authorize(request, metadata=server.metadata("report-bot")))
    assert (error.code, error.reason, error.fields) == ("INVALID_ARGUMENT", "REQUEST_DIFFERS", ("expected_digest",))
    arrived = {"subject": "1", "on_behalf_of": "1", "action": "1", "resource": "0", "context": "1"}
    assert error.metadata == arrived
    assert len(await log(server, "decision")) == before


async def test_the_digest_expected_is_of_the_request_as_sent_without_the_chain_of_the_token(strict: Placet) -> None:
    request = asking(onBehalfOf=[])
    request.expected_digest = digest(request)
    by = bearer(signed(strict.state, claims("user:eve", act={"sub": "report-bot", "iss": AGENTS})))
    answer = await strict.decisions.Authorize(request, metadata=by)
    assert [subject.id for subject in answer.on_behalf_of] == ["eve"]
    assert (
        answer.request_digest == digest(asking(onBehalfOf=[{"type": "user", "id": "eve"}])) != request.expected_digest
    )


async def test_a_batch_compares_each_item_with_its_defaults_filled_in(server: Placet) -> None:
    defaults = made({"subject": STRUCTS["subject"], "contextJson": '{"rows": 5}'})
    items = [
        made({"action": {"name": "read"}, "resource": STRUCTS["resource"]}),
        made({"action": {"name": "read"}, "resource": STRUCTS["resource"], "context": {"rows": 6}}),
        lost(made({**STRUCTS, "onBehalfOf": []})),
    ]
    for item, context in zip(items, ({"rows": 5}, {"rows": 6}), strict=False):
        whole = {"subject": STRUCTS["subject"], "action": {"name": "read"}, "resource": STRUCTS["resource"]}
        item.expected_digest = digest(made({**whole, "context": context}))
    batch = BatchAuthorizeRequest(defaults=defaults, items=items)
    results = (await server.decisions.BatchAuthorize(batch, metadata=server.metadata("report-bot"))).results
    assert [result.decision.request_digest for result in results[:2]] == [item.expected_digest for item in items[:2]]
    assert (results[2].error.code, results[2].error.reason) == ("INVALID_ARGUMENT", "REQUEST_DIFFERS")
    assert results[2].error.metadata["resource"] == "0"


@pytest.mark.parametrize(
    ("defaults", "field"),
    [
        ({"expectedDigest": "x"}, "defaults.expected_digest"),
        ({"context": {}, "contextJson": "{}"}, "defaults.context_json"),
        ({"subject": {"properties": {}, "propertiesJson": "{}"}}, "defaults.subject.properties_json"),
        ({"onBehalfOf": [{"properties": {}, "propertiesJson": "{}"}]}, "defaults.on_behalf_of[0].properties_json"),
    ],
)
async def test_defaults_take_no_digest_and_not_both_forms(server: Placet, defaults: dict[str, Any], field: str) -> None:
    batch = BatchAuthorizeRequest(defaults=made(defaults), items=[made(STRUCTS)])
    error = await refused(server.decisions.BatchAuthorize(batch, metadata=server.metadata("report-bot")))
    assert (error.reason, error.fields) == ("INVALID_REQUEST", (field,))


async def test_a_text_of_the_defaults_counts_in_every_item_that_takes_it(server: Placet) -> None:
    text = '{"a": "' + "x" * 20_000 + '"}'
    batch = BatchAuthorizeRequest(defaults=made({"contextJson": text}), items=[made({})] * 300)
    error = await refused(server.decisions.BatchAuthorize(batch, metadata=server.metadata("report-bot")))
    assert error.fields == ("items",)


async def test_who_must_say_a_digest_is_refused_without(strict: Placet) -> None:
    by, request = strict.metadata("report-bot"), made(STRUCTS)
    error = await refused(strict.decisions.Authorize(request, metadata=by))
    assert (error.code, error.reason, error.fields) == ("INVALID_ARGUMENT", "DIGEST_REQUIRED", ("expected_digest",))
    items = [made(STRUCTS), made(STRUCTS, expectedDigest=digest(request)), lost(made(STRUCTS))]
    answer = await strict.decisions.BatchAuthorize(BatchAuthorizeRequest(items=items), metadata=by)
    assert [one.error.reason for one in answer.results] == ["DIGEST_REQUIRED", "", "REQUEST_DIFFERS"]
    request.expected_digest = digest(request)
    assert (await strict.decisions.Authorize(request, metadata=by)).effect == Effect.EFFECT_ALLOW
    assert (await refused(strict.decisions.Authorize(lost(request), metadata=by))).reason == "REQUEST_DIFFERS"


async def test_who_need_not_say_a_digest_may_leave_it_out(strict: Placet) -> None:
    request = asking(subject={"type": "user", "id": "alice"}, onBehalfOf=[])
    assert await strict.decisions.Authorize(request, metadata=strict.metadata("alice"))


async def test_an_entry_that_requires_digests_also_holds_who_acts_by_its_token(strict: Placet) -> None:
    request = asking(onBehalfOf=[])
    acting = bearer(signed(strict.state, claims("user:eve", act={"sub": "report-bot", "iss": AGENTS})))
    assert (await refused(strict.decisions.Authorize(request, metadata=acting))).reason == "DIGEST_REQUIRED"


async def test_the_server_says_what_it_takes(server: Placet) -> None:
    info = await server.info.GetServerInfo(GetServerInfoRequest(), metadata=server.metadata("report-bot"))
    assert tuple(info.features) == FEATURES
    assert set(FEATURES) >= {"expected_digest", "properties_json", "context_json"}


async def test_invalid_utf8_in_text_is_refused(server: Placet) -> None:
    whole = made(TEXTS).SerializeToString()
    assert b'"team": "x"' in whole
    call = server.channel.unary_unary("/pdp.v1.DecisionService/Authorize", None, None)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(whole.replace(b'"x"', b'"\xff"'), metadata=server.metadata("report-bot"))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_all_bad_fields_of_a_request_are_told_whatever_its_digest(strict: Placet) -> None:
    request = made(TEXTS, contextJson='{"a": 1, "a": 2, "b": NaN}', expectedDigest="x")
    request.action.name = ""
    wanted = ("action.name", "context_json.a", "context_json.b")
    for digest_ in ("x", ""):
        request.expected_digest = digest_
        error = await refused(strict.decisions.Authorize(request, metadata=strict.metadata("report-bot")))
        assert (error.reason, error.fields) == ("INVALID_REQUEST", wanted)
