"""The contract's edges, over the wire: sizes, shapes, and what an error looks like."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import grpc
import pytest
from google.protobuf.message import Message

from pdp.caller import Caller
from pdp.server import edge
from pdp.server.arrivals import Rpc
from pdp.server.incoming import Incoming, Open
from pdp.turns import Turns
from pdp.v1 import info_pb2
from pdp.v1.approval_pb2 import GetApprovalRequest, ListApprovalsRequest
from pdp.v1.audit_pb2 import ListRecordsRequest
from pdp.v1.decision_pb2 import (
    AuthorizeRequest,
    AuthorizeResponse,
    BatchAuthorizeRequest,
    BatchAuthorizeResponse,
    GetDecisionRequest,
)
from pdp.v1.info_pb2 import GetServerInfoRequest
from pdp.v1.request_pb2 import Effect
from pdp.v1.review_pb2 import ListQueueRequest, ReviewRequest
from tests.parts import Placet, asking, exporting
from tests.pdp.wire import nested, raw, refused, wire

MIB = 1024 * 1024
NO_ID = "x"


def batch(server: Placet, request: BatchAuthorizeRequest, **call: Any) -> Awaitable[BatchAuthorizeResponse]:
    return server.decisions.BatchAuthorize(request, metadata=server.metadata("report-bot"), **call)


def sized(size: int) -> AuthorizeRequest:
    """A request that is this large on the wire."""
    request = asking(context={"text": ""})
    request.context.fields["text"].string_value = "x" * (size - 200)
    while (missing := size - request.ByteSize()) != 0:
        request.context.fields["text"].string_value += "x" * missing
    return request


async def test_message_beyond_4_mib_is_refused_by_the_transport(server: Placet) -> None:
    filler = b"\x7a" + b"\xfc\xff\xff\x01" + b"x" * (4 * MIB - 4)
    assert len(filler) == 4 * MIB + 1
    assert (await refused(raw(server, "DecisionService/Authorize", filler))).code == "RESOURCE_EXHAUSTED"


async def test_request_is_at_most_32_kib(server: Placet) -> None:
    fits = sized(32 * 1024 - 400)
    assert (await server.authorize(fits)).effect == Effect.EFFECT_ALLOW
    why = await refused(server.authorize(sized(32 * 1024 + 1)))
    assert (why.code, why.reason, why.fields) == ("INVALID_ARGUMENT", "INVALID_REQUEST", ("request",))


async def test_batch_has_1_to_1000_items(server: Placet) -> None:
    item = asking("read")
    for count in (0, 1001):
        why = await refused(batch(server, BatchAuthorizeRequest(items=[item] * count)))
        assert (why.code, why.fields) == ("INVALID_ARGUMENT", ("items",))
    answer = await batch(server, BatchAuthorizeRequest(items=[item] * 1000), timeout=10)
    assert {result.decision.effect for result in answer.results} == {Effect.EFFECT_ALLOW}
    assert len(answer.results) == 1000


async def test_batch_is_at_most_4_mib_after_its_defaults(server: Placet) -> None:
    default = asking("read", context={"text": "x" * 8000})
    items = [AuthorizeRequest() for _ in range(600)]
    request = BatchAuthorizeRequest(defaults=default, items=items)
    assert request.ByteSize() < 16_000
    why = await refused(batch(server, request, timeout=10))
    assert (why.code, why.fields) == ("INVALID_ARGUMENT", ("items",))
    del request.items[400:]
    answer = await batch(server, request, timeout=10)
    assert [result.decision.effect for result in answer.results] == [Effect.EFFECT_ALLOW] * 400


async def test_batch_of_items_that_are_large_and_need_approval_is_answered_whole(server: Placet) -> None:
    items = [exporting() for _ in range(60)] * 2  # no more than 100 may wait
    for item in items:
        item.subject.properties.fields["text"].string_value = "x" * 30_000
    answer = await batch(server, BatchAuthorizeRequest(items=items), timeout=10)
    assert {result.decision.effect for result in answer.results} == {Effect.EFFECT_NEEDS_APPROVAL}


async def test_nesting_of_32_reaches_the_policy_in_every_member_and_comes_back(server: Placet) -> None:
    for member in ("context", "subject", "chain"):
        request = exporting()
        into = {"context": request.context, "subject": request.subject.properties}
        into.get(member, request.on_behalf_of[0].properties).MergeFrom(nested(32))
        asked = await server.authorize(request)
        assert asked.effect == Effect.EFFECT_NEEDS_APPROVAL
        got = GetApprovalRequest(approval_id=asked.approval.approval_id)
        seen = await server.approvals.GetApproval(got, metadata=server.metadata("bob"))
        assert seen.approval.request_digest == asked.request_digest
        batched = await batch(server, BatchAuthorizeRequest(items=[request]))
        assert batched.results[0].decision.approval.approval_id == asked.approval.approval_id


@pytest.mark.parametrize("depth", [33, 34, 50, 99])
async def test_deeper_nesting_is_an_invalid_argument(server: Placet, depth: int) -> None:
    request = asking("read")
    request.context.CopyFrom(nested(depth))
    why = await refused(server.authorize(request))
    assert (why.code, why.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")


@pytest.mark.parametrize("rpc", ["Authorize", "BatchAuthorize"])
@pytest.mark.parametrize("depth", [100, 1000, 10_000])
async def test_nesting_that_no_parser_follows_is_an_invalid_argument(server: Placet, rpc: str, depth: int) -> None:
    body = b""
    for _ in range(depth):
        body = wire(1, wire(1, b"a") + wire(2, wire(5, body)))
    body = wire(5, body)
    why = await refused(raw(server, f"DecisionService/{rpc}", body if rpc == "Authorize" else wire(2, body)))
    assert (why.code, why.reason, why.fields) == ("INVALID_ARGUMENT", "INVALID_REQUEST", ("request",))


@pytest.mark.parametrize(
    "text", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\xe2\x82", b"\x80"], ids=bytes.hex
)
@pytest.mark.parametrize("tag", [6, 7, 8])
async def test_text_that_is_no_utf_8_is_an_invalid_argument(server: Placet, tag: int, text: bytes) -> None:
    body = asking("read").SerializeToString() + wire(tag, text)
    why = await refused(raw(server, "DecisionService/Authorize", body))
    assert (why.code, why.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")


async def test_unknown_field_is_refused_in_every_request(server: Placet) -> None:
    calls: dict[str, tuple[Message, str]] = {
        "DecisionService/Authorize": (asking("read"), "report-bot"),
        "DecisionService/BatchAuthorize": (BatchAuthorizeRequest(items=[asking("read")]), "report-bot"),
        "DecisionService/GetDecision": (GetDecisionRequest(), "report-bot"),
        "ApprovalService/ListApprovals": (ListApprovalsRequest(), "report-bot"),
        "ApprovalService/GetApproval": (GetApprovalRequest(), "report-bot"),
        "ReviewService/ListQueue": (ListQueueRequest(), "bob"),
        "ReviewService/Review": (ReviewRequest(), "bob"),
        "AuditService/ListRecords": (ListRecordsRequest(), "dana"),
        "InfoService/GetServerInfo": (GetServerInfoRequest(), "dana"),
    }
    for rpc, (request, by) in calls.items():
        why = await refused(raw(server, rpc, request.SerializeToString() + wire(99, b"new"), by))
        assert (why.code, why.fields) == ("INVALID_ARGUMENT", ("request",)), rpc
        assert "99" in why.message


async def test_unknown_field_in_the_defaults_is_not_dropped(server: Placet) -> None:
    body = wire(1, asking("read").SerializeToString() + wire(99, b"new")) + wire(2, b"")
    why = await refused(raw(server, "DecisionService/BatchAuthorize", body))
    assert (why.code, why.fields) == ("INVALID_ARGUMENT", ("defaults",))


async def test_unknown_field_in_an_item_fails_that_item_alone(server: Placet) -> None:
    good = asking("read").SerializeToString()
    answer = await raw(server, "DecisionService/BatchAuthorize", wire(2, good + wire(99, b"new")) + wire(2, good))
    results = BatchAuthorizeResponse.FromString(answer).results
    assert results[0].error.field_violations[0].field == "request"
    assert results[1].decision.effect == Effect.EFFECT_ALLOW


async def test_member_sent_twice_is_merged_as_protobuf_says_and_the_digest_says_what_was_decided(
    server: Placet,
) -> None:
    first, second = asking("drop"), AuthorizeRequest()
    second.action.name = "read"
    body = first.SerializeToString() + second.SerializeToString()
    answer = AuthorizeResponse.FromString(await raw(server, "DecisionService/Authorize", body))
    assert answer.effect == Effect.EFFECT_ALLOW
    assert answer.request_digest == (await server.authorize(asking("read"))).request_digest


async def test_map_key_sent_twice_counts_once(server: Placet) -> None:
    def entry(text: bytes) -> bytes:
        return wire(1, wire(1, b"run") + wire(2, wire(3, text)))

    body = asking("read").SerializeToString() + wire(5, entry(b"first") + entry(b"second"))
    answer = AuthorizeResponse.FromString(await raw(server, "DecisionService/Authorize", body))
    assert answer.request_digest == (await server.authorize(asking("read", context={"run": "second"}))).request_digest


async def test_metadata_of_20_kb_is_refused(server: Placet) -> None:
    metadata = (*server.metadata("report-bot"), ("x-large", "x" * 20_000))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await server.decisions.Authorize(asking("read"), metadata=metadata)
    assert caught.value.code() in {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE}
    assert (await server.authorize(asking("read"))).effect == Effect.EFFECT_ALLOW


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda s, m: s.approvals.ListApprovals(ListApprovalsRequest(state=99), metadata=m("report-bot")), "state"),
        (lambda s, m: s.audit.ListRecords(ListRecordsRequest(effect=99), metadata=m("dana")), "effect"),
        (lambda s, m: s.audit.ListRecords(ListRecordsRequest(kind="none"), metadata=m("dana")), "kind"),
        (lambda s, m: s.audit.ListRecords(ListRecordsRequest(approval_id="x"), metadata=m("dana")), "approval_id"),
        (lambda s, _: batch(s, BatchAuthorizeRequest(items=[asking()], semantics=99)), "semantics"),
        (lambda s, m: s.reviews.Review(review(verdict=99), metadata=m("bob")), "verdict"),
        (lambda s, m: s.reviews.Review(review(verdict=0), metadata=m("bob")), "verdict"),
        (lambda s, m: s.reviews.Review(review(reason="x" * 2001), metadata=m("bob")), "reason"),
        (lambda s, m: s.reviews.Review(review(expected_version=0), metadata=m("bob")), "expected_version"),
        (lambda s, m: s.reviews.Review(review(expected_version=-1), metadata=m("bob")), "expected_version"),
        (lambda s, m: s.reviews.Review(review(approval_id="apr_1"), metadata=m("bob")), "approval_id"),
        (lambda s, m: s.approvals.GetApproval(GetApprovalRequest(), metadata=m("bob")), "approval_id"),
        (lambda s, m: s.reviews.ListQueue(ListQueueRequest(page_size=101), metadata=m("bob")), "page_size"),
        (lambda s, m: s.reviews.ListQueue(ListQueueRequest(page_size=-1), metadata=m("bob")), "page_size"),
        (lambda s, m: s.reviews.ListQueue(ListQueueRequest(page_token=NO_ID), metadata=m("bob")), "page_token"),
        (lambda s, m: s.reviews.ListQueue(ListQueueRequest(page_token=PAST_ALL), metadata=m("bob")), "page_token"),
    ],
)
async def test_value_that_means_nothing_is_named(
    server: Placet, call: Callable[[Placet, Any], Awaitable[Any]], field: str
) -> None:
    why = await refused(call(server, server.metadata))
    assert (why.code, why.reason, why.fields) == ("INVALID_ARGUMENT", "INVALID_REQUEST", (field,))


PAST_ALL = f"{'f' * 12}.apr_{1:032x}"
"""A place behind the last date that there is."""


def review(**members: Any) -> ReviewRequest:
    return ReviewRequest(**{"approval_id": f"apr_{1:032x}", "verdict": 1, "expected_version": 1, **members})


@pytest.mark.parametrize(
    ("by", "request_members", "reason"),
    [
        ("report-bot", {"subject": {"type": "user", "id": "alice"}}, "SUBJECT_NOT_ALLOWED"),
        ("report-bot", {"subject": {"type": "agent", "id": "Report-bot"}}, "SUBJECT_NOT_ALLOWED"),
        ("report-bot", {"onBehalfOf": [{"type": "agent", "id": "dev"}]}, "SUBJECT_NOT_ALLOWED"),
        ("alice", {}, "SUBJECT_NOT_ALLOWED"),
        ("alice", {"subject": {"type": "user", "id": "bob"}, "onBehalfOf": []}, "SUBJECT_NOT_ALLOWED"),
        ("dana", {}, "ROLE_REQUIRED"),
    ],
)
async def test_caller_does_not_ask_in_foreign_names(
    server: Placet, by: str, request_members: dict[str, Any], reason: str
) -> None:
    why = await refused(server.authorize(asking("read", **request_members), by=by))
    assert (why.code, why.reason) == ("PERMISSION_DENIED", reason)


@pytest.mark.parametrize("key", ["k" * 30_000, "ключ" * 3000, "\x01" * 5000, "😀" * 5000])
async def test_error_about_a_long_key_still_reaches_the_caller(server: Placet, key: str) -> None:
    request = asking("read")
    request.context.fields[key].string_value = "\0"
    why = await refused(server.authorize(request))
    assert (why.code, why.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert len(why.fields) == 1


async def test_error_about_many_properties_still_reaches_the_caller(server: Placet) -> None:
    request = asking("read")
    for index in range(1500):
        request.resource.properties.fields[f"unknown-{index}"].bool_value = True
    why = await refused(server.authorize(request))
    assert (why.code, why.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")


@pytest.mark.parametrize("gone", [True, False])
async def test_client_that_has_gone_while_it_was_answered_is_no_fault_of_the_server(
    caplog: pytest.LogCaptureFixture, *, gone: bool
) -> None:
    told: list[Any] = []

    class Gone:
        async def abort_with_status(self, status: Any) -> None:
            told.append(status.code)
            raise grpc.aio.AbortError

    error = grpc.aio.InternalError("Failed execute_batch") if gone else ValueError("ours")
    with pytest.raises(asyncio.CancelledError if gone else grpc.aio.AbortError):
        await edge.abort("any", cast("Any", Gone()), error)
    assert bool(told) == ("error id" in caplog.text) == (not gone)


async def test_message_of_a_strangers_stream_comes_before_the_second_next_of_noisy_streams() -> None:
    """However many streams' messages are here at once, callers take turns, and one comes in a round of the loop."""

    class Ready:
        async def read(self) -> bytes:
            await asyncio.sleep(0)
            return GetServerInfoRequest().SerializeToString()

    method = info_pb2.DESCRIPTOR.services_by_name["InfoService"].methods_by_name["GetServerInfo"]
    made, seen = Incoming(Turns()), list[str]()

    async def stream(name: str) -> None:
        caller = Caller.requester(name)
        async for _ in made.data(Rpc(method), Open.of(cast("Any", Ready()), caller, 60)):
            seen.append(name)

    tasks = [asyncio.create_task(stream("user:noisy")) for _ in range(64)]
    while len(seen) < 100:
        await asyncio.sleep(0)
    before = len(seen)
    tasks.append(asyncio.create_task(stream("user:stranger")))
    rounds = 0
    while "user:stranger" not in seen:
        await asyncio.sleep(0)
        rounds += 1
    assert len(seen) - before <= rounds
    assert seen[before:].index("user:stranger") <= 3
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
