"""The Python client says the digest that each request expects of itself, to a server that takes it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pyarrow as pa
import pytest
from google.protobuf import json_format
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from pdp.canonical import canonical
from pdp.client import CallError, Client, guard
from pdp.client.expected import FEATURE, expecting, is_expecting
from pdp.client.masks import MaskCall
from pdp.dev import identity
from pdp.dev.stack import configuration
from pdp.process.mongod import MongodProcess
from pdp.sent import authorization
from pdp.v1 import decision_pb2_grpc, info_pb2_grpc, mask_pb2, mask_pb2_grpc
from pdp.v1.approval_pb2 import ListApprovalsRequest
from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse, BatchAuthorizeRequest
from pdp.v1.info_pb2 import GetServerInfoResponse
from pdp.v1.request_pb2 import Effect, Subject
from tests.cli.terminal import Terminal
from tests.parts import Placet, asking, placet

READ: tuple[str, str, str] = ("agent:report-bot", "read", "table:customers")
TAKES = GetServerInfoResponse(realm="dev", features=[FEATURE])
SCOPE = mask_pb2.MaskScope(subject=Subject(type="agent", id="a"), table="t", context_json='{"n": 1}')


def digest(request: AuthorizeRequest) -> str:
    return canonical(request, "dev").digest


class Old(decision_pb2_grpc.DecisionServiceServicer, info_pb2_grpc.InfoServiceServicer):
    """A server with these features. It keeps what it was asked."""

    def __init__(self, *features: str, refused: grpc.StatusCode | None = None) -> None:
        self.features, self.refused = features, refused
        self.asked: list[AuthorizeRequest] = []
        self.infos = 0

    async def Authorize(self, request: AuthorizeRequest, context: Any) -> AuthorizeResponse:  # noqa: ARG002, N802
        self.asked.append(request)
        return AuthorizeResponse(effect=Effect.EFFECT_ALLOW)

    async def GetServerInfo(self, request: Any, context: Any) -> GetServerInfoResponse:  # noqa: ARG002, N802
        self.infos += 1
        if self.refused is not None:
            await context.abort(self.refused, "no")
        return GetServerInfoResponse(realm="dev", features=self.features)


@asynccontextmanager
async def serving(part: Old, address: str = "127.0.0.1:0") -> AsyncIterator[str]:
    server = grpc.aio.server()
    decision_pb2_grpc.add_DecisionServiceServicer_to_server(part, server)
    info_pb2_grpc.add_InfoServiceServicer_to_server(part, server)
    if isinstance(part, mask_pb2_grpc.MaskServiceServicer):
        mask_pb2_grpc.add_MaskServiceServicer_to_server(part, server)
    port = server.add_insecure_port(address)
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(0)


@pytest.fixture(scope="module")
async def strict(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """Every caller must say its digest."""
    config = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri=mongod.uri)
    issuers = tuple(issuer.model_copy(update={"require_digest": True}) for issuer in config.issuers)
    async with placet(state, mongod.uri, issuers=issuers) as server:
        yield server


def token(server: Placet, name: str = "report-bot") -> str:
    return identity.token(server.state, name)


async def test_each_way_to_ask_says_it(strict: Placet) -> None:
    async with Client(strict.address, token(strict)) as pdp:
        context = {"rows": 5, "run": {"ä": [1, None]}}
        assert (await pdp.authorize(*READ, on_behalf_of=["user:alice"], context=context)).allowed
        assert (await pdp.authorize(*READ, on_behalf_of=["user:alice"], dry_run=True)).error is None
        assert (await pdp.decide(asking("read", resource={"type": "table", "id": "t"}))).allowed
        batch = BatchAuthorizeRequest(defaults=asking("read"), items=[AuthorizeRequest(), asking("read")])
        answer = await pdp.call(pdp.decisions.BatchAuthorize, batch)
        assert [result.decision.effect for result in answer.results] == [Effect.EFFECT_ALLOW] * 2
        await pdp.call(pdp.approvals.ListApprovals, ListApprovalsRequest())


async def test_a_guarded_function_says_it(strict: Placet) -> None:
    async with Client(strict.address, token(strict)) as pdp:

        @guard(action="read", resource="table:customers", on_behalf_of=["user:alice"], client=pdp)
        async def read(rows: int) -> int:
            return rows

        assert await read(5) == 5


async def test_commands_say_it(strict: Placet, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, {"PDP_ADDRESS": strict.address, "PDP_TOKEN": token(strict)})
    about = ["--subject", "agent:report-bot", "--on-behalf-of", "user:alice", "--resource", "table:customers"]
    done = await terminal("authorize", "--action", "read", *about, "--context", "rows=5")
    assert done.status == 0, done.err
    (tmp_path / "requests.jsonl").write_text(f"{json_format.MessageToJson(asking(), indent=None)}\n" * 2)
    done = await terminal("authorize", "-f", "requests.jsonl")
    assert done.status == 0, done.err
    done = await terminal("run", "--action", "read", *about, "--", "true")
    assert done.status == 0, done.err


async def test_a_server_that_does_not_take_it_gets_none() -> None:
    old = Old()
    async with serving(old) as address, Client(address, "t") as pdp:
        assert (await pdp.authorize(*READ)).allowed
        assert (await pdp.authorize(*READ)).allowed
    assert [request.expected_digest for request in old.asked] == ["", ""]
    assert old.infos == 1


async def test_nothing_is_asked_where_a_gateway_hides_what_the_server_takes() -> None:
    """What is lost behind it would stay unknown."""
    hidden = Old(FEATURE, refused=grpc.StatusCode.UNIMPLEMENTED)
    async with serving(hidden) as address, Client(address, "t") as pdp:
        decision = await pdp.authorize(*READ)
    assert not decision.allowed
    assert decision.error is not None
    assert "GetServerInfo is not implemented" in str(decision.error)
    assert not hidden.asked


async def test_calls_that_come_at_once_ask_once_what_the_server_takes() -> None:
    new = Old(FEATURE)
    async with serving(new) as address, Client(address, "t") as pdp:
        decisions = await asyncio.gather(*(pdp.authorize(*READ) for _ in range(20)))
    assert all(decision.allowed for decision in decisions)
    assert {request.expected_digest for request in new.asked} == {digest(new.asked[0])}
    assert new.infos == 1


@pytest.mark.parametrize(("before", "after"), [((), (FEATURE,)), ((FEATURE,), ())])
async def test_the_server_behind_the_next_connection_is_asked_anew(before: tuple[str], after: tuple[str]) -> None:
    first, second = Old(*before), Old(*after)
    async with serving(first) as address:
        client = Client(address, "t")
        assert (await client.authorize(*READ)).allowed
    async with serving(second, address), client as pdp:
        assert (await pdp.authorize(*READ)).allowed
    assert [bool(request.expected_digest) for request in (*first.asked, *second.asked)] == [bool(before), bool(after)]


class Updated(Old, mask_pb2_grpc.MaskServiceServicer):
    """A server behind a connection that stays, of a realm that becomes another one."""

    realm = "old"

    async def GetServerInfo(self, request: Any, context: Any) -> GetServerInfoResponse:  # noqa: ARG002, N802
        return GetServerInfoResponse(realm=self.realm, features=self.features)

    async def Authorize(self, request: AuthorizeRequest, context: Any) -> AuthorizeResponse:  # noqa: N802
        await self._compared(request, request.expected_digest, context)
        return AuthorizeResponse(effect=Effect.EFFECT_ALLOW)

    async def Mask(self, request: mask_pb2.MaskRequest, context: Any) -> mask_pb2.MaskResponse:  # noqa: N802
        await self._compared(authorization("mask", request.scope), request.scope.expected_digest, context)
        return mask_pb2.MaskResponse()

    async def MaskStream(self, requests: Any, context: Any) -> AsyncIterator[mask_pb2.MaskStreamResponse]:  # noqa: N802
        scope = (await anext(requests)).start.scope
        await self._compared(authorization("mask", scope), scope.expected_digest, context)
        yield mask_pb2.MaskStreamResponse(opened=mask_pb2.StreamOpened())

    async def _compared(self, asked: AuthorizeRequest, digest: str, context: Any) -> None:
        if digest != canonical(asked, self.realm).digest:
            said = Status(code=grpc.StatusCode.INVALID_ARGUMENT.value[0], message="REQUEST_DIFFERS")
            said.details.add().Pack(ErrorInfo(reason="REQUEST_DIFFERS"))
            await context.abort_with_status(rpc_status.to_status(said))


async def _streamed(pdp: Client) -> None:
    async with MaskCall(pdp, mask_pb2.StreamStart(scope=SCOPE), pa.schema([])) as stream:
        await stream.open(iter(()))


CALLS: dict[str, Callable[[Client], Any]] = {
    "authorize": lambda pdp: pdp.call(pdp.decisions.Authorize, asking("read")),
    "mask": lambda pdp: pdp.call(pdp.masks.Mask, mask_pb2.MaskRequest(scope=SCOPE)),
    "stream": _streamed,
}


@pytest.mark.parametrize("call", sorted(CALLS))
async def test_an_update_behind_a_connection_that_stays_is_noticed_by_an_error(call: str) -> None:
    server = Updated(FEATURE)
    async with serving(server) as address, Client(address, "t") as pdp:
        await CALLS[call](pdp)
        server.realm = "new"
        with pytest.raises((CallError, grpc.aio.AioRpcError), match="REQUEST_DIFFERS"):
            await CALLS[call](pdp)
        await CALLS[call](pdp)


async def test_a_question_is_asked_anew_of_a_server_that_was_updated() -> None:
    server = Updated(FEATURE)
    async with serving(server) as address, Client(address, "t") as pdp:
        for realm in ("old", "new", "newer"):
            server.realm = realm
            assert (await pdp.authorize(*READ)).allowed


@pytest.mark.parametrize("code", [grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAVAILABLE])
async def test_without_an_answer_nothing_is_asked(code: grpc.StatusCode) -> None:
    silent = Old(refused=code)
    async with serving(silent) as address, Client(address, "t") as pdp:
        decision = await pdp.authorize(*READ)
    assert decision.error is not None
    assert decision.error.code == code.name
    assert silent.asked == []


MESSAGES: dict[str, tuple[Any, Callable[[Any], str], AuthorizeRequest]] = {
    "a request": (asking(), lambda made: made.expected_digest, asking()),
    "an item": (
        BatchAuthorizeRequest(defaults=AuthorizeRequest(context_json='{"a": 1}'), items=[asking()]),
        lambda made: made.items[0].expected_digest,
        asking(context={"a": 1}),
    ),
    "Mask": (mask_pb2.MaskRequest(scope=SCOPE), lambda made: made.scope.expected_digest, authorization("mask", SCOPE)),
    "Unmask": (
        mask_pb2.UnmaskRequest(scope=SCOPE),
        lambda made: made.scope.expected_digest,
        authorization("unmask", SCOPE),
    ),
    "GetMaskPlan": (
        mask_pb2.GetMaskPlanRequest(scope=SCOPE),
        lambda made: made.scope.expected_digest,
        authorization("mask", SCOPE),
    ),
    "GetMaskPlan to unmask": (
        mask_pb2.GetMaskPlanRequest(scope=SCOPE, unmask=True),
        lambda made: made.scope.expected_digest,
        authorization("unmask", SCOPE),
    ),
    "MaskStream": (
        mask_pb2.MaskStreamRequest(start=mask_pb2.StreamStart(scope=SCOPE)),
        lambda made: made.start.scope.expected_digest,
        authorization("mask", SCOPE),
    ),
    "Rewrap": (
        mask_pb2.RewrapRequest(start=mask_pb2.StreamStart(scope=SCOPE)),
        lambda made: made.start.scope.expected_digest,
        authorization("rewrap", SCOPE),
    ),
    "UnmaskStream": (
        mask_pb2.UnmaskStreamRequest(start=mask_pb2.UnmaskStreamStart(scope=SCOPE)),
        lambda made: made.start.scope.expected_digest,
        authorization("unmask", SCOPE),
    ),
}


@pytest.mark.parametrize("kind", sorted(MESSAGES))
def test_the_digest_is_over_what_the_message_asks(kind: str) -> None:
    message, said, asked = MESSAGES[kind]
    assert is_expecting(message)
    before = message.SerializeToString()
    assert said(expecting(message, TAKES)) == digest(asked)
    assert message.SerializeToString() == before
    assert expecting(message, GetServerInfoResponse(realm="dev")) is message


def test_a_digest_of_the_programs_own_stays_and_what_breaks_the_contract_has_none() -> None:
    own = asking()
    own.expected_digest = "own"
    assert expecting(own, TAKES).expected_digest == "own"
    bad = BatchAuthorizeRequest(items=[asking(""), asking()])
    assert [bool(item.expected_digest) for item in expecting(bad, TAKES).items] == [False, True]
    scope = mask_pb2.MaskScope(context_json='{"a": 1, "a": 2}')
    assert not expecting(mask_pb2.MaskRequest(scope=scope), TAKES).scope.expected_digest
