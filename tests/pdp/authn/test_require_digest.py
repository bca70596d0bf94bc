"""Whose entry says that a call must say its digest, where several entries stand behind one call: any of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from pdp.caller import Role
from pdp.canonical import canonical
from pdp.config import Tls
from pdp.dev.identity import AGENTS, AUDIENCE, USERS, key_path
from pdp.dev.identity import token as dev_token
from pdp.identity_source import Certificates, Issuer, SpeaksFor
from pdp.process.mongod import MongodProcess
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.decision_pb2_grpc import DecisionServiceStub
from tests import tokens
from tests.certificates import Authority, Pair
from tests.parts import Placet, asking, placet
from tests.pdp.wire import refused

PARTNERS = "https://partners.example"


def issuers(state: Path, *strict: str) -> tuple[Issuer, ...]:
    """People, agents and partners' agents; those of the `strict` types must say their digests."""
    common: dict[str, Any] = {"audience": AUDIENCE, "jwks": key_path(state), "roles": (Role.REQUESTER,)}
    return tuple(
        Issuer(
            issuer=issuer,
            type=kind,
            kind="person" if kind == "user" else "workload",
            require_digest=kind in strict,
            actors=actors,
            speaks_for={"*": SpeaksFor(on_behalf_of=("user:*", "partner:*"))},
            **common,
        )
        for issuer, kind, actors in (
            (USERS, "user", (AGENTS, PARTNERS)),
            (AGENTS, "agent", (PARTNERS,)),
            (PARTNERS, "partner", ()),
        )
    )


@pytest.mark.parametrize("strict", [(), ("user",), ("agent",), ("partner",), ("user", "agent")], ids=str)
async def test_the_issuers_entry_counts_and_each_actors(
    strict: tuple[str, ...], state: Path, mongod: MongodProcess
) -> None:
    act = {"sub": "report-bot", "iss": AGENTS, "act": {"sub": "helper", "iss": PARTNERS}}
    async with placet(state, mongod.uri, issuers=issuers(state, *strict)) as server:
        acting = tokens.bearer(tokens.signed(state, tokens.claims("user:eve", act=act)))
        agent = server.metadata("report-bot")
        for metadata, counts in ((acting, bool(strict)), (agent, "agent" in strict)):
            call = server.decisions.Authorize(asking(onBehalfOf=[]), metadata=metadata)
            if counts:
                assert (await refused(call)).reason == "DIGEST_REQUIRED"
            else:
                await call
            said = asking(onBehalfOf=[])
            said.expected_digest = canonical(said, "dev").digest
            await server.decisions.Authorize(said, metadata=metadata)


ENTRIES = (
    Certificates(
        spiffe="spiffe://example.org/agents/",
        type="bot",
        kind="workload",
        roles=(Role.REQUESTER,),
        speaks_for={"*": SpeaksFor(on_behalf_of=("user:*",))},
        require_digest=True,
    ),
    Certificates(subjects={"CN=etl": "etl"}, type="job", kind="workload", roles=(Role.REQUESTER,)),
)


@pytest.fixture(scope="module")
async def mutual(
    state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Placet, Authority]]:
    """A server that demands certificates: those of bots must say their digests, those of jobs need not."""
    authority = Authority(tmp_path_factory.mktemp("tls"))
    own = authority.server()
    tls = Tls(certificate=own.certificate, key=own.key, client_ca=authority.ca)
    async with placet(state, mongod.uri, tls=tls, certificates=ENTRIES) as server:
        yield server, authority


@asynccontextmanager
async def decisions(server: Placet, ca: Path, pair: Pair) -> AsyncIterator[DecisionServiceStub]:
    files = (ca.read_bytes(), pair.key.read_bytes(), pair.certificate.read_bytes())
    async with grpc.aio.secure_channel(server.address, grpc.ssl_channel_credentials(*files)) as channel:
        yield DecisionServiceStub(channel)


def made(subject: str) -> AuthorizeRequest:
    kind, _, name = subject.partition(":")
    return asking(subject={"type": kind, "id": name}, onBehalfOf=[])


@pytest.mark.parametrize(
    ("certificate", "token", "counts"),
    [
        ("bot", "", True),
        ("bot", "alice", True),
        ("job", "", False),
        ("job", "alice", False),
        ("nobody", "alice", False),
    ],
)
async def test_a_certificates_entry_counts_with_a_token_beside_it_too(
    mutual: tuple[Placet, Authority], certificate: str, token: str, *, counts: bool
) -> None:
    server, authority = mutual
    pairs = {"bot": authority.agent, "job": lambda: authority.issue("etl"), "nobody": lambda: authority.issue("else")}
    by = tokens.bearer(dev_token(server.state, token)) if token else ()
    request = made("user:alice" if token else {"bot": "bot:report-bot", "job": "job:etl"}[certificate])
    async with decisions(server, authority.ca, pairs[certificate]()) as stub:
        if counts:
            assert (await refused(stub.Authorize(request, metadata=by))).reason == "DIGEST_REQUIRED"
            request.expected_digest = canonical(request, "dev").digest
        await stub.Authorize(request, metadata=by)
