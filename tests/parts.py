"""The real parts that tests run on: a MongoDB, servers by the function production uses, callers with dev tokens."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import grpc
from google.protobuf import json_format
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from pdp.call_summary import Calls
from pdp.client.backoff import Backoff
from pdp.config import Http
from pdp.dev import identity
from pdp.dev.idp import Idp
from pdp.dev.stack import configuration
from pdp.environment import Environment
from pdp.http.route import AnyRoute, OpenRoute, Route
from pdp.server.outside import Outside
from pdp.server.running import running
from pdp.v1 import (
    approval_pb2,
    approval_pb2_grpc,
    audit_pb2,
    audit_pb2_grpc,
    decision_pb2,
    decision_pb2_grpc,
    info_pb2_grpc,
    mask_pb2_grpc,
    person_pb2_grpc,
    review_pb2,
    review_pb2_grpc,
)
from pdp.workflow.lineage_views import NO_LINEAGE, LineageViews

T = TypeVar("T")
TOOL_CACHE = Environment.read().tool_cache


@dataclass
class Placet:
    """A server that runs, and callers of it."""

    address: str
    state: Path
    database: str
    channel: grpc.aio.Channel
    said: list[str]
    http: str = ""
    routes: Sequence[AnyRoute] = ()
    ports: Sequence[int] = ()
    operations: str = ""

    @property
    def api(self) -> list[Route | OpenRoute]:
        """The routes for programs."""
        return [route for route in self.routes if isinstance(route, Route | OpenRoute)]

    def metadata(self, name: str) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {identity.token(self.state, name)}"),)

    @property
    def decisions(self) -> decision_pb2_grpc.DecisionServiceStub:
        return decision_pb2_grpc.DecisionServiceStub(self.channel)

    @property
    def approvals(self) -> approval_pb2_grpc.ApprovalServiceStub:
        return approval_pb2_grpc.ApprovalServiceStub(self.channel)

    @property
    def reviews(self) -> review_pb2_grpc.ReviewServiceStub:
        return review_pb2_grpc.ReviewServiceStub(self.channel)

    @property
    def person(self) -> person_pb2_grpc.PersonServiceStub:
        return person_pb2_grpc.PersonServiceStub(self.channel)

    @property
    def masks(self) -> mask_pb2_grpc.MaskServiceStub:
        return mask_pb2_grpc.MaskServiceStub(self.channel)

    @property
    def audit(self) -> audit_pb2_grpc.AuditServiceStub:
        return audit_pb2_grpc.AuditServiceStub(self.channel)

    @property
    def info(self) -> info_pb2_grpc.InfoServiceStub:
        return info_pb2_grpc.InfoServiceStub(self.channel)

    async def authorize(
        self, request: decision_pb2.AuthorizeRequest, by: str = "report-bot", **call: Any
    ) -> decision_pb2.AuthorizeResponse:
        return await self.decisions.Authorize(request, metadata=self.metadata(by), **call)

    async def review(
        self, approval: approval_pb2.Approval, by: str, verdict: str = "APPROVE", reason: str = "read it"
    ) -> approval_pb2.Approval:
        metadata = self.metadata(by)
        seen = await self.seen(approval, metadata)
        request = review_pb2.ReviewRequest(
            approval_id=approval.approval_id,
            expected_digest=approval.request_digest,
            expected_version=seen.version,
            expected_lineage=seen.lineage.digest,
            verdict=approval_pb2.Verdict.Value(f"VERDICT_{verdict}"),
            reason=reason,
        )
        return (await self.reviews.Review(request, metadata=metadata)).approval

    async def seen(
        self, approval: approval_pb2.Approval, metadata: tuple[tuple[str, str], ...]
    ) -> approval_pb2.Approval:
        """The approval as this reviewer sees it now; of what it may not see, what the test knows."""
        request = approval_pb2.GetApprovalRequest(approval_id=approval.approval_id)
        with suppress(grpc.aio.AioRpcError):
            return (await self.approvals.GetApproval(request, metadata=metadata)).approval
        return approval

    async def version(self, approval: approval_pb2.Approval, metadata: tuple[tuple[str, str], ...]) -> int:
        """The version that this reviewer sees now; of what it may not see, the version that the test knows."""
        return (await self.seen(approval, metadata)).version

    async def opened(self, request: decision_pb2.AuthorizeRequest) -> approval_pb2.Approval:
        """The approval that a request opens. It is asked again where MongoDB is too slow beside other tests."""
        return (await insisted(lambda: self.authorize(request))).approval

    async def approved(self, request: decision_pb2.AuthorizeRequest) -> approval_pb2.Approval:
        """Ask, and have bob and carol approve."""
        answer = await self.authorize(request)
        await self.review(answer.approval, "bob")
        return await self.review(answer.approval, "carol")


async def insisted(review: Callable[[], Awaitable[T]]) -> T:
    """A call that is made again as long as others are faster (reviews, from a fresh view), or MongoDB is too slow."""
    backoff = Backoff()
    async with asyncio.timeout(60):
        while True:
            try:
                return await review()
            except grpc.aio.AioRpcError as error:
                if refusal(error).code != "UNAVAILABLE" and refusal(error).reason not in {
                    "APPROVAL_CHANGED",
                    "CONFLICT",
                }:
                    raise
            await backoff.pause()


@asynccontextmanager
async def placet(
    state: Path,
    mongodb_uri: str,
    *,
    policy: Sequence[Path] = (),
    database: str = "",
    known: LineageViews = NO_LINEAGE,
    keeps_lineage: bool = True,
    calls: Calls | None = None,
    **changes: Any,
) -> AsyncIterator[Placet]:
    """A server on a free port and a database of its own, with the issuers and people of `pdp dev`.

    `changes` are of the configuration, and of what lies `Outside`.
    """
    name = database or f"t{uuid4().hex[:16]}"
    moved = {field.name: changes.pop(field.name) for field in fields(Outside) if field.name in changes}
    said: list[str] = []
    config = configuration(state=state, listen="127.0.0.1:0", policy=policy, mongodb_uri=mongodb_uri)
    changes = {"database": name, "mask_keys": None, "http": Http(listen="127.0.0.1:0"), **changes}
    config = config.model_copy(update=changes)  # compiling masks takes a while
    if not keeps_lineage:
        config = config.model_copy(update={"lineage": None})
    outside = Outside(**{"demo": Idp(state), **moved})
    served = running(config, TOOL_CACHE, said.append, lineage=known, outside=outside, calls=calls)
    async with served as server, grpc.aio.insecure_channel(server.address) as channel:
        web: dict[str, Any] = {}
        if server.web:
            web = {"http": server.web.url, "routes": server.web.routes.all, "ports": server.web.ports}
        yield Placet(server.address, state, name, channel, said, operations=server.operations, **web)
        assert not server.failed.done(), "a part of the server ended by itself"


async def is_serving(server: Placet, service: str = "") -> bool:
    """Whether health says SERVING, of the whole server or of one part of it."""
    stub: Any = health_pb2_grpc.HealthStub(server.channel)
    with suppress(grpc.aio.AioRpcError):  # not known yet
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
    return False


async def awake(server: Placet) -> None:
    """Return once a server in this process decides again after tests that are not asynchronous: it stood still.

    After ten seconds of that MongoDB's driver takes its connections for lost and opens others, and what was read of
    lineage is too old to decide by.
    """
    async with asyncio.timeout(30):
        while True:
            with suppress(grpc.aio.AioRpcError):
                await server.authorize(asking())
                if await is_serving(server):
                    return
            await asyncio.sleep(0.02)


def asking(action: str = "read", tags: Sequence[str] = (), **members: Any) -> decision_pb2.AuthorizeRequest:
    """`report-bot`, on behalf of alice, about the table customers; `members` are proto JSON."""
    request: dict[str, Any] = {
        "subject": {"type": "agent", "id": "report-bot"},
        "onBehalfOf": [{"type": "user", "id": "alice"}],
        "action": {"name": action},
        "resource": {"type": "table", "id": "customers", "properties": {"tags": list(tags)}},
        **members,
    }
    return json_format.ParseDict(request, decision_pb2.AuthorizeRequest())


def exporting(**members: Any) -> decision_pb2.AuthorizeRequest:
    """The export that needs two data stewards; unlike any other by a fresh `context.run`, unless one is given.

    The same message again is the same attempt again, as a client's retry is.
    """
    return asking("export", ["pii"], **{"context": {"run": uuid4().hex}, "attemptId": uuid4().hex, **members})


@dataclass(frozen=True)
class Refusal:
    """What a caller gets instead of an answer."""

    code: str
    reason: str
    message: str
    fields: tuple[str, ...]
    metadata: dict[str, str]


def refusal(error: grpc.aio.AioRpcError) -> Refusal:
    """The error's parts, as a client library reads them."""
    status = rpc_status.from_call(error)
    info, bad = ErrorInfo(), BadRequest()
    for detail in status.details if status else ():
        if detail.Is(ErrorInfo.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(BadRequest.DESCRIPTOR):
            detail.Unpack(bad)
    fields = tuple(violation.field for violation in bad.field_violations)
    return Refusal(error.code().name, info.reason, error.details() or "", fields, dict(info.metadata))


async def log(server: Placet, kind: str = "") -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Every record with its payload, as an auditor exports them, oldest first; one that is there twice counts once."""
    found: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
    request = audit_pb2.ExportRecordsRequest()
    async for answer in server.audit.ExportRecords(request, metadata=server.metadata("dana")):
        for batch in answer.batches:
            for record, held in zip(batch.records, batch.payloads, strict=True):
                pair = payload(record), payload(held.payload)
                assert found.setdefault(str(pair[0]["id"]), pair) == pair
    pairs = (found[record_id] for record_id in sorted(found))
    return [(record, held) for record, held in pairs if not kind or record["kind"] == kind]


def payload(raw: bytes) -> dict[str, Any]:
    """A record or payload as stored, parsed."""
    return dict(json.loads(raw))
