"""Damaged bytes on every RPC: whatever comes, the answer is one of the contract's."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import GetApprovalRequest, ListApprovalsRequest
from pdp.v1.audit_pb2 import ExportRecordsRequest, GetRecordRequest, ListRecordsRequest
from pdp.v1.decision_pb2 import BatchAuthorizeRequest, GetDecisionRequest
from pdp.v1.info_pb2 import GetServerInfoRequest
from pdp.v1.review_pb2 import ListQueueRequest, ReviewRequest
from tests.parts import Placet, asking, placet

REQUEST = asking(
    "read", ["pii"], requestId="call-1", justification="because", context={"n": 1.5, "list": [None, True, {"a": "b"}]}
)
ID = "0" * 32
SEEDS: dict[str, tuple[Message, str]] = {
    "DecisionService/Authorize": (REQUEST, "report-bot"),
    "DecisionService/BatchAuthorize": (
        BatchAuthorizeRequest(defaults=asking("read"), items=[REQUEST] * 2),
        "report-bot",
    ),
    "DecisionService/GetDecision": (GetDecisionRequest(decision_id=f"dec_{ID}"), "report-bot"),
    "ApprovalService/ListApprovals": (ListApprovalsRequest(page_size=2, page_token=f"apr_{ID}", state=1), "report-bot"),
    "ApprovalService/GetApproval": (GetApprovalRequest(approval_id=f"apr_{ID}"), "report-bot"),
    "ReviewService/ListQueue": (ListQueueRequest(page_size=2, page_token=f"0{1:011x}.apr_{ID}"), "bob"),
    "ReviewService/Review": (
        ReviewRequest(
            approval_id=f"apr_{ID}", expected_digest="digest", expected_version=1, verdict=1, reason="because"
        ),
        "bob",
    ),
    "AuditService/ListRecords": (ListRecordsRequest(page_size=2, kind="decision", effect=1), "dana"),
    "AuditService/GetRecord": (GetRecordRequest(record_id=f"rec_{ID}"), "dana"),
    "AuditService/ExportRecords": (ExportRecordsRequest(), "dana"),
    "InfoService/GetServerInfo": (GetServerInfoRequest(), "dana"),
}
EXPECTED = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.ALREADY_EXISTS,
}

edits = st.lists(
    st.tuples(
        st.sampled_from(["set", "flip", "insert", "delete", "double", "cut"]),
        st.integers(0, 400),
        st.binary(max_size=9),
    ),
    min_size=1,
    max_size=5,
)


def edited(body: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    for what, where, new in changes:
        at = where % (len(body) + 1)
        head, tail = body[:at], body[at:]
        body = {
            "set": head + new + tail[len(new) :],
            "flip": head + (bytes([tail[0] ^ (1 << where % 8)]) if tail else b"") + tail[1:],
            "insert": head + new + tail,
            "delete": head + tail[len(new) + 1 :],
            "double": head + tail + tail,
            "cut": head,
        }[what]
    return body


async def answer(server: Placet, rpc: str, body: bytes, by: str) -> None:
    path, metadata = f"/pdp.v1.{rpc}", server.metadata(by)
    try:
        if rpc == "AuditService/ExportRecords":
            async for _ in server.channel.unary_stream(path, None, None)(body, metadata=metadata):
                return
        else:
            await server.channel.unary_unary(path, None, None)(body, metadata=metadata)
    except grpc.aio.AioRpcError as error:
        if error.code() not in EXPECTED:
            raise AssertionError(rpc, body, error.code(), error.details()) from error


@pytest.fixture(scope="module")
async def damaged(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server with little in its lists."""
    async with placet(state, mongod.uri) as running:
        yield running


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=edits)
async def test_damaged_message_never_is_an_error_of_the_servers_own(
    damaged: Placet, changes: list[tuple[str, int, bytes]]
) -> None:
    await asyncio.gather(
        *(answer(damaged, rpc, edited(seed.SerializeToString(), changes), by) for rpc, (seed, by) in SEEDS.items())
    )
