"""A server that errs or lies gets nothing run: what it answers must prove itself."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from joserfc.jwk import OKPKey

from pdp import jws
from pdp.canonical import canonical
from pdp.cli.verification import header
from pdp.client import Client, Denied, GrantInvalid, guard
from pdp.grant import Grantor
from pdp.v1 import decision_pb2_grpc, info_pb2_grpc
from pdp.v1.approval_pb2 import Approval
from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse, Obligation
from pdp.v1.info_pb2 import CallerInfo, GetServerInfoRequest, GetServerInfoResponse
from pdp.v1.request_pb2 import Effect, Subject

Lie = Callable[[AuthorizeResponse, dict[str, Any]], object]
BOT, REALM = "agent:bot", "test"


@dataclass
class Server(decision_pb2_grpc.DecisionServiceServicer, info_pb2_grpc.InfoServiceServicer):
    """Allows whatever it is asked, with a grant; `lie` changes the answer, or what the grant is made from."""

    lie: Lie = lambda *_: None
    key: OKPKey = field(default_factory=lambda: OKPKey.generate_key("Ed25519", auto_kid=True))
    asked: list[AuthorizeRequest] = field(default_factory=list)
    facts: int = 0
    jwks: str = ""

    async def Authorize(self, request: AuthorizeRequest, context: object) -> AuthorizeResponse:  # noqa: ARG002, N802
        self.asked.append(request)
        digest = canonical(request, REALM).digest
        answer = AuthorizeResponse(
            decision_id=f"dec_{request.request_id}",
            effect=Effect.EFFECT_ALLOW,
            request_digest=digest,
            on_behalf_of=request.on_behalf_of,
        )
        about: dict[str, Any] = {
            "caller": BOT,
            "decision_id": answer.decision_id,
            "approval_id": "",
            "digest": digest,
            "at": datetime.now(UTC),
        }
        self.lie(answer, about)
        if "grant" not in about:
            answer.grant = Grantor(self.key, about.pop("realm", REALM)).grant(**about)
        return answer

    async def GetServerInfo(  # noqa: N802
        self,
        request: GetServerInfoRequest,  # noqa: ARG002
        context: object,  # noqa: ARG002
    ) -> GetServerInfoResponse:
        self.facts += 1
        jwks = json.dumps({"keys": [{**self.key.as_dict(private=False), "placet_use": "grant"}]})
        return GetServerInfoResponse(realm=REALM, jwks=self.jwks or jwks, caller=CallerInfo(identity=BOT))


@asynccontextmanager
async def connected(
    part: Server, *, add: Callable[[grpc.aio.Server], None] = lambda _: None, **more: Any
) -> AsyncIterator[Client]:
    """A client of the server, to which `add` adds another part."""
    server = grpc.aio.server()
    add(server)
    decision_pb2_grpc.add_DecisionServiceServicer_to_server(part, server)
    info_pb2_grpc.add_InfoServiceServicer_to_server(part, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with Client(f"127.0.0.1:{port}", "token", **more) as client:
            yield client
    finally:
        await server.stop(0)


def sending(client: Client, **more: Any) -> Any:
    @guard(action="send", resource="mail:1", on_behalf_of=["user:alice"], client=client, **more)
    async def send(text: str = "hello") -> str:
        return f"sent {text}"

    return send


async def test_an_honest_answer_runs_and_the_facts_are_asked_once() -> None:
    server = Server()
    async with connected(server) as client:
        assert [await sending(client)() for _ in range(3)] == ["sent hello"] * 3
    assert server.facts == 1
    assert [(request.want_grant, request.subject.id) for request in server.asked] == [(True, "bot")] * 3
    assert len({request.request_id for request in server.asked}) == 3


async def test_an_older_server_is_taken_at_its_word() -> None:
    """Its grants have the newer name of the algorithm, and one set holds its audit key too."""

    def older(answer: AuthorizeResponse, about: dict[str, Any]) -> None:
        claims = jws.claims(Grantor(server.key, REALM).grant(**about), server.key)
        answer.grant = about["grant"] = jws.signed("placet-grant+jwt", claims, server.key, "Ed25519")

    server, audit = Server(older), OKPKey.generate_key("Ed25519", auto_kid=True)
    published = [(audit, "audit"), (server.key, "grant")]
    server.jwks = json.dumps({"keys": [{**key.as_dict(private=False), "placet_use": use} for key, use in published]})
    async with connected(server) as client:
        assert await sending(client)() == "sent hello"
        named = await header(client)  # for `pdp audit verify` and an export
    assert [key["placet_use"] for key in named.jwks["keys"]] == ["audit", "grant"]


def appended(answer: AuthorizeResponse, about: dict[str, Any]) -> None:
    """What the server does with the chain of a delegated token."""
    answer.on_behalf_of.append(Subject(type="user", id="carol"))
    request = AuthorizeRequest(on_behalf_of=answer.on_behalf_of)
    request.subject.type, request.subject.id, request.action.name = "agent", "bot", "send"
    request.resource.type, request.resource.id = "mail", "1"
    request.context.update({"text": "hello"})
    answer.request_digest = about["digest"] = canonical(request, REALM).digest


async def test_those_whom_the_credential_adds_are_part_of_what_is_recomputed() -> None:
    async with connected(Server(appended)) as client:
        assert await sending(client)() == "sent hello"


def replaced(answer: AuthorizeResponse, about: dict[str, Any]) -> None:
    del answer.on_behalf_of[:]
    appended(answer, about)


LIES: dict[str, Lie] = {
    "no grant": lambda _, about: about.update(grant=""),
    "a grant for another request": lambda _, about: about.update(digest="x"),
    "a grant for another caller": lambda _, about: about.update(caller="agent:other"),
    "a grant of another realm": lambda _, about: about.update(realm="prod"),
    "a grant for another decision": lambda _, about: about.update(decision_id="dec_other"),
    "a grant for an approval that is not this answer's": lambda _, about: about.update(approval_id="apr_1"),
    "a grant for another approval": lambda answer, about: (
        about.update(approval_id="apr_1"),
        answer.approval.CopyFrom(Approval(approval_id="apr_2")),
    ),
    "an old grant": lambda _, about: about.update(at=datetime.fromtimestamp(0, UTC)),
    "the digest of another request": lambda answer, _: setattr(answer, "request_digest", "x"),
    "no digest": lambda answer, _: setattr(answer, "request_digest", ""),
    "a shorter chain": lambda answer, _: answer.ClearField("on_behalf_of"),
    "another chain": replaced,
    "a longer chain than was decided": lambda answer, _: answer.on_behalf_of.add(type="user", id="mallory"),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
async def test_an_answer_that_does_not_prove_itself_runs_nothing(lie: Lie) -> None:
    async with connected(Server(lie)) as client:
        with pytest.raises(GrantInvalid):
            await sending(client)()


async def test_a_repeated_answer_runs_nothing_twice() -> None:
    async with connected(Server()) as client:
        send = sending(client, request_id=lambda **_: "one")
        assert await send() == "sent hello"
        with pytest.raises(GrantInvalid, match="used before"):
            await send()


async def test_keys_that_were_replaced_are_asked_for_again() -> None:
    server = Server()
    async with connected(server) as client:
        assert await sending(client)() == "sent hello"
        server.key = OKPKey.generate_key("Ed25519", auto_kid=True)
        assert await sending(client)() == "sent hello"
    assert server.facts == 2


async def test_an_obligation_that_the_program_does_not_know_runs_nothing() -> None:
    def obliging(answer: AuthorizeResponse, about: dict[str, Any]) -> None:  # noqa: ARG001
        answer.obligations.append(Obligation(type="mask"))

    async with connected(Server(obliging)) as client:
        with pytest.raises(Denied, match=r"unknown obligations \['mask'\]"):
            await sending(client)()
    async with connected(Server(obliging), understands=["mask"]) as client:
        assert await sending(client)() == "sent hello"


async def test_a_default_that_is_mutable_is_copied_like_any_other_argument() -> None:
    columns = ["name"]

    def meddling(answer: AuthorizeResponse, about: dict[str, Any]) -> None:  # noqa: ARG001
        columns.append("ssn")

    async with connected(Server(meddling)) as client:

        @guard(action="send", resource="mail:1", client=client)
        async def send(what: list[str] = columns) -> list[str]:
            return what

        assert await send() == ["name"]
    assert columns == ["name", "ssn"]
