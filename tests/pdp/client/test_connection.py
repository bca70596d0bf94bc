"""The Python client: what is not a clear allow is not allowed, and only UNAVAILABLE is tried again."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from pdp import client
from pdp.client import CallError, Client, Decision, Denied, guard
from pdp.client.connection import ATTEMPTS
from pdp.dev import identity
from pdp.process.mongod import MongodProcess
from pdp.v1 import decision_pb2_grpc, info_pb2_grpc
from pdp.v1.approval_pb2 import ApprovalState
from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse, Obligation
from pdp.v1.info_pb2 import GetServerInfoRequest, GetServerInfoResponse
from pdp.v1.request_pb2 import Effect, Reason
from tests.parts import Placet, exporting, placet

READ = ("agent:report-bot", "read", "table:customers")
DROP = ("agent:report-bot", "drop", "table:customers")
FOR_ALICE = ["user:alice"]


def token(server: Placet, name: str = "report-bot") -> str:
    return identity.token(server.state, name)


@pytest.fixture
async def pdp(server: Placet) -> AsyncIterator[Client]:
    async with Client(server.address, token(server)) as pdp:
        yield pdp


async def test_an_allow_is_allowed_and_a_deny_says_why(pdp: Client) -> None:
    read = await pdp.authorize(*READ, on_behalf_of=FOR_ALICE)
    assert read.allowed
    assert read.require() is read
    drop = await pdp.authorize(*DROP, on_behalf_of=FOR_ALICE)
    assert not drop.allowed
    assert drop.why == (
        f"DENY: agents never drop a table; ask a person to do it [agents.destructive] ({drop.response.decision_id})"
    )
    with pytest.raises(Denied, match="agents never drop a table") as denied:
        drop.require()
    assert denied.value.decision is drop


async def test_an_approval_is_asked_for_and_used_under_one_request_id(pdp: Client, server: Placet) -> None:
    ask: dict[str, Any] = {
        "on_behalf_of": FOR_ALICE,
        "properties": {"tags": ["pii"]},
        "context": {"run": uuid4().hex, "nested": {"list": [1, 2.5, None, True]}},
        "request_id": uuid4().hex,
    }
    asked = await pdp.authorize("agent:report-bot", "export", "table:customers", justification="weekly", **ask)
    assert asked.needs_approval
    assert not asked.allowed
    assert asked.approval is not None
    assert asked.approval.justification == "weekly"
    for steward in ("bob", "carol"):
        await server.review(asked.approval, steward)
    used = await pdp.authorize("agent:report-bot", "export", "table:customers", **ask)
    assert used.allowed
    assert used.approval is not None
    assert used.approval.state == ApprovalState.APPROVAL_STATE_CONSUMED


async def test_a_dry_run_is_never_allowed(pdp: Client) -> None:
    decision = await pdp.authorize(*READ, on_behalf_of=FOR_ALICE, dry_run=True)
    assert decision.response.effect == Effect.EFFECT_ALLOW
    assert not decision.allowed
    assert "only a dry run" in decision.why


async def test_errors_are_not_allowed_and_keep_what_the_server_said(pdp: Client, server: Placet) -> None:
    bad = await pdp.authorize("agent:report-bot", "", "table:customers")
    assert not bad.allowed
    assert not bad.needs_approval
    assert bad.error is not None
    assert (bad.error.code, bad.error.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert bad.error.violations == (("action.name", "is required"),)
    assert bad.why == "INVALID_REQUEST: action.name: is required"
    with pytest.raises(Denied, match="INVALID_REQUEST"):
        bad.require()
    async with Client(server.address, "wrong") as stranger:
        assert (await stranger.authorize(*READ)).why.startswith("UNAUTHENTICATED: ")
        with pytest.raises(CallError) as refused:
            await stranger.call(stranger.info.GetServerInfo, GetServerInfoRequest())
        assert refused.value.code == "UNAUTHENTICATED"
    async with Client(server.address, token(server, "dana")) as auditor:
        assert (await auditor.authorize(*READ)).why.startswith("ROLE_REQUIRED: ")


async def test_other_calls_are_typed_and_raise(pdp: Client) -> None:
    info = await pdp.call(pdp.info.GetServerInfo, GetServerInfoRequest())
    assert info.caller.identity == "agent:report-bot"


OBLIGED = """package policy

allow contains {"rule": "masked", "reason": "masked data only"} if input.action.name == "read"

obligation contains {"rule": "mask", "reason": "personal data", "type": "mask", "properties": {"columns": ["email"]}}
"""


async def test_an_obligation_that_the_program_does_not_know_is_a_deny(
    tmp_path: Path, state: Path, mongod: MongodProcess
) -> None:
    (tmp_path / "p.rego").write_text(OBLIGED)
    async with placet(state, mongod.uri, policy=[tmp_path]) as server:
        async with Client(server.address, token(server)) as pdp:
            unknown = await pdp.authorize(*READ)
        async with Client(server.address, token(server), understands=["mask"]) as pdp:
            known = await pdp.authorize(*READ)
    assert not unknown.allowed
    assert unknown.unknown_obligations == ["mask"]
    assert "unknown obligations ['mask']" in unknown.why
    assert known.allowed
    assert dict(known.response.obligations[0].properties) == {
        "columns": known.response.obligations[0].properties["columns"]
    }


@pytest.mark.parametrize(
    "response",
    [
        AuthorizeResponse(),
        AuthorizeResponse(effect=Effect.EFFECT_DENY),
        AuthorizeResponse(effect=Effect.EFFECT_NEEDS_APPROVAL),
        AuthorizeResponse(effect=99),  # type: ignore[arg-type]
        AuthorizeResponse(effect=Effect.EFFECT_ALLOW, obligations=[Obligation(type="")]),
        AuthorizeResponse(effect=Effect.EFFECT_ALLOW, obligations=[Obligation(type="a"), Obligation(type="b")]),
        AuthorizeResponse(effect=Effect.EFFECT_ALLOW, dry_run=True),
    ],
)
def test_whatever_is_no_clear_allow_is_not_allowed(response: AuthorizeResponse) -> None:
    decision = Decision(response, frozenset({"a"}))
    assert not decision.allowed
    assert decision.why
    with pytest.raises(Denied):
        decision.require()


def test_an_answer_beside_an_error_is_not_allowed() -> None:
    error = CallError("UNKNOWN", "UNKNOWN", "x")
    assert not Decision(AuthorizeResponse(effect=Effect.EFFECT_ALLOW), frozenset(), error).allowed


class Flaky(decision_pb2_grpc.DecisionServiceServicer, info_pb2_grpc.InfoServiceServicer):
    """A server of the test's own: fails as often as told, then allows."""

    def __init__(self, *failures: grpc.StatusCode, details: bytes = b"", wait: float = 0) -> None:
        self.failures, self.details, self.wait = list(failures), details, wait
        self.request_ids: list[str] = []
        self.remaining: list[float] = []

    async def Authorize(self, request: AuthorizeRequest, context: Any) -> AuthorizeResponse:  # noqa: N802
        self.request_ids.append(request.request_id)
        self.remaining.append(context.time_remaining())
        await asyncio.sleep(self.wait)
        if self.failures:
            context.set_trailing_metadata((("grpc-status-details-bin", self.details),) if self.details else ())
            await context.abort(self.failures.pop(0), "not now")
        return AuthorizeResponse(effect=Effect.EFFECT_ALLOW, reasons=[Reason(rule="r", reason="t")])

    async def GetServerInfo(self, request: object, context: Any) -> GetServerInfoResponse:  # noqa: ARG002, N802
        return GetServerInfoResponse(realm="dev")


@asynccontextmanager
async def serving(flaky: Flaky, address: str = "127.0.0.1:0") -> AsyncIterator[str]:
    server = grpc.aio.server()
    decision_pb2_grpc.add_DecisionServiceServicer_to_server(flaky, server)
    info_pb2_grpc.add_InfoServiceServicer_to_server(flaky, server)
    port = server.add_insecure_port(address)
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


async def test_unavailable_is_tried_again_under_one_request_id() -> None:
    flaky = Flaky(grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAVAILABLE)
    async with serving(flaky) as address, Client(address, "t") as pdp:
        assert (await pdp.authorize(*READ)).allowed
        assert (await pdp.authorize(*READ, request_id="mine")).allowed
    first, *others, last = flaky.request_ids
    assert len(others) == 2
    assert others == [first, first]
    assert len(first) == 32
    assert last == "mine"


@pytest.mark.parametrize(
    "code", [code for code in grpc.StatusCode if code not in {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}]
)
async def test_nothing_else_is_tried_again(code: grpc.StatusCode) -> None:
    flaky = Flaky(code)
    async with serving(flaky) as address, Client(address, "t") as pdp:
        decision = await pdp.authorize(*READ)
    assert decision.error is not None
    assert decision.error.code == code.name
    assert len(flaky.request_ids) == 1


async def test_server_that_is_not_there_is_named_with_what_to_do() -> None:
    says = "nothing answers at 127.0.0.1:1. Start `pdp dev`, or name the server with --address (or PDP_ADDRESS)."

    async with Client("127.0.0.1:1", "t") as pdp:
        error = (await pdp.authorize(*READ)).error
        assert error is not None
        assert (error.code, error.sentence) == ("UNAVAILABLE", says)

        @guard(action="read", resource="table:customers", client=pdp)
        async def read() -> None:
            raise AssertionError

        with pytest.raises(CallError) as refused:
            await read()
        assert (refused.value.reason, refused.value.sentence) == ("UNAVAILABLE", says)


async def test_it_gives_up_after_some_attempts() -> None:
    flaky = Flaky(*[grpc.StatusCode.UNAVAILABLE] * 10)
    async with serving(flaky) as address, Client(address, "t") as pdp:
        decision = await pdp.authorize(*READ)
    assert decision.why == "UNAVAILABLE: not now"
    assert len(flaky.request_ids) == ATTEMPTS


async def test_the_timeout_is_for_all_attempts_together() -> None:
    began = time.monotonic()
    stuck = Flaky(wait=30)
    async with serving(stuck) as address, Client(address, "t", timeout=0.3) as pdp:
        decision = await pdp.authorize(*READ)
        assert time.monotonic() - began < 2
    assert decision.error is not None
    assert decision.error.code == "DEADLINE_EXCEEDED"
    assert 0 < stuck.remaining[0] < 0.31  # gRPC counts in whole milliseconds, upwards

    flaky = Flaky(*[grpc.StatusCode.UNAVAILABLE] * 10, wait=0.1)
    async with serving(flaky) as address, Client(address, "t", timeout=0.4) as pdp:
        assert not (await pdp.authorize(*READ)).allowed
    assert 1 <= len(flaky.request_ids) <= 3
    assert flaky.remaining == sorted(flaky.remaining, reverse=True)


async def test_a_server_that_comes_back_is_found_within_the_attempts() -> None:
    async with serving(Flaky()) as address:
        pass  # its port is free again
    async with Client(address, "t") as pdp:
        asked = asyncio.create_task(pdp.authorize(*READ))
        await asyncio.sleep(0.1)
        async with serving(Flaky(), address):
            assert (await asked).allowed


async def test_details_that_belong_to_another_error_are_not_believed() -> None:
    details = Status(code=Code.OK, message="all is well")
    details.details.add().Pack(ErrorInfo(reason="FORGED"))
    flaky = Flaky(grpc.StatusCode.INTERNAL, details=details.SerializeToString())
    async with serving(flaky) as address, Client(address, "t") as pdp:
        assert (await pdp.authorize(*READ)).why == "INTERNAL: not now"


@pytest.mark.parametrize(
    "address",
    [
        "example.org:4770",
        "10.0.0.1:4770",
        "127.0.0.1.example.org:80",
        "localhost.example.org:80",
        "127.0.0.1",
        "",
        "dns:///10.0.0.1:1",
        "dns:///localhost.example.org:80",
        "dns://10.0.0.1/localhost:1",
        "::1:4770",
    ],
)
def test_a_token_does_not_leave_this_machine_in_plaintext(address: str) -> None:
    with pytest.raises(ValueError, match="must not travel in plaintext"):
        Client(address, "t")


async def test_loopback_in_every_spelling_and_unix_sockets_are_fine() -> None:
    for address in (
        "127.0.0.1:1",
        "127.9.9.9:1",
        "localhost:1",
        "[::1]:1",
        "dns:///localhost:1",
        "unix:/run/placet.sock",
    ):
        await Client(address, "t").close()


async def test_what_is_left_out_comes_from_the_environment(server: Placet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDP_ADDRESS", server.address)
    monkeypatch.setenv("PDP_TOKEN", token(server, "dev"))
    async with Client() as pdp:
        assert (await pdp.authorize("user:dev", "read", "table:t")).allowed


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"subject": "alice"}, ValueError, "'alice' is not <type>:<id>"),
        ({"resource": "customers"}, ValueError, "'customers' is not <type>:<id>"),
        ({"on_behalf_of": ["alice"]}, ValueError, "'alice' is not <type>:<id>"),
        ({"on_behalf_of": "user:alice"}, TypeError, "on_behalf_of takes a list"),
        ({"context": {"at": object()}}, ValueError, "context.at is a value of type object, which has no JSON form"),
    ],
)
async def test_what_cannot_be_sent_is_said_at_once(
    arguments: dict[str, Any], error: type[Exception], says: str
) -> None:
    async with Client("127.0.0.1:1", "t") as pdp:
        with pytest.raises(error, match=re.escape(says)):
            await pdp.authorize(**{"subject": "a:b", "action": "c", "resource": "d:e", **arguments})


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"timeout": 0}, ValueError, "timeout must be more than 0 seconds"),
        ({"understands": "mask"}, TypeError, "understands takes a list"),
        ({"token": "a\nb"}, ValueError, "a token has only printable ASCII"),
    ],
)
def test_a_client_that_could_not_work_is_not_made(options: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        Client(**{"address": "127.0.0.1:1", "token": "t", **options})


async def test_an_identical_request_is_sent_as_it_was_given(pdp: Client) -> None:
    request = exporting()
    await pdp.decide(request)
    assert request.request_id == ""  # ours is not written into the caller's message


async def test_the_example_in_the_documentation_runs(server: Placet) -> None:
    example = re.search(r"(?<=\n\n)(    async with .*?\n)\n", client.__doc__ or "", re.DOTALL)
    assert example
    lines = example[1].replace("127.0.0.1:4770", server.address).replace("...", "seen.append(decision)")
    source = f"async def example():\n{lines}"
    names: dict[str, Any] = {"Client": Client, "token": token(server), "seen": []}
    exec(source, names)  # noqa: S102  # the documentation's own example
    await names["example"]()
    assert names["seen"][0].allowed
