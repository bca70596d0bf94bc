"""TLS of the HTTP face: certificates of clients, bound tokens, files that change while it runs."""

import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pdp.authn.certificate import Presented
from pdp.caller import Role
from pdp.config import Http, Tls
from pdp.errors import SetupError
from pdp.http.route import OpenRoute
from pdp.http.tls import context
from pdp.identity_source import Certificates
from pdp.process.mongod import MongodProcess
from tests import tokens
from tests.certificates import BROKEN, Authority, Pair
from tests.faults import eventually
from tests.parts import Placet, placet
from tests.web import BOT, question

ENTRY = Certificates(spiffe="spiffe://example.org/agents/", type="job", kind="workload", roles=(Role.REQUESTER,))


@asynccontextmanager
async def secured(state: Path, mongod: MongodProcess, tls: Tls, **http: Any) -> AsyncIterator[Placet]:
    """A server whose HTTP face has TLS; gRPC has it, too, as both take the one [tls]."""
    changes = {"tls": tls, "certificates": (ENTRY,), "http": Http(listen="127.0.0.1:0", **http)}
    async with placet(state, mongod.uri, **changes) as server:
        yield server


async def status(url: str, trusting: Path, pair: Pair | None = None, token: str = "") -> int:
    """The status of a decision that is asked for with this certificate and this token; 0 where TLS refuses."""
    secure = ssl.create_default_context(cafile=str(trusting))
    if pair is not None:
        secure.load_cert_chain(pair.certificate, pair.key)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = question(subject={"type": "job", "id": "report-bot"} if pair and not token else BOT, options={})
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{url}/access/v1/evaluation", json=body, headers=headers, ssl=secure) as answer,
        ):
            return answer.status
    except aiohttp.ClientError:
        return 0


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def test_certificate_says_who_calls(state: Path, mongod: MongodProcess, authority: Authority) -> None:
    mine, other = authority.server(), Authority(authority.ca.parent, "other")
    tls = Tls(certificate=mine.certificate, key=mine.key, client_ca=authority.ca)
    async with secured(state, mongod, tls) as server:
        assert server.http.startswith("https://")
        assert await status(server.http, authority.ca, authority.agent()) == 200
        assert await status(server.http, authority.ca, authority.issue("nobody")) == 401
        assert await status(server.http, authority.ca, other.agent()) == 0
        assert await status(server.http, authority.ca) == 0


async def test_token_is_bound_to_its_certificate(state: Path, mongod: MongodProcess, authority: Authority) -> None:
    mine, pair = authority.server(), authority.agent()
    thumbprint = Presented.read(pair.pem).thumbprint
    token = tokens.signed(state, tokens.claims("agent:report-bot", cnf={"x5t#S256": thumbprint}))
    tls = Tls(certificate=mine.certificate, key=mine.key, client_ca=authority.ca)
    async with secured(state, mongod, tls) as server:
        assert await status(server.http, authority.ca, pair, token) == 200
        assert await status(server.http, authority.ca, authority.agent(), token) == 401


async def test_certificates_have_an_address_of_their_own(
    state: Path, mongod: MongodProcess, authority: Authority
) -> None:
    mine = authority.server()
    tls = Tls(certificate=mine.certificate, key=mine.key, client_ca=authority.ca)
    token = tokens.signed(state, tokens.claims("agent:report-bot"))
    async with secured(state, mongod, tls, client_listen="127.0.0.1:0") as server:
        assert await status(server.http, authority.ca, token=token) == 200
        assert await status(server.http, authority.ca, authority.agent()) == 401


async def test_bound_token_is_nothing_without_its_certificate(
    state: Path, mongod: MongodProcess, authority: Authority
) -> None:
    mine = authority.server()
    thumbprint = Presented.read(authority.agent().pem).thumbprint
    tls = Tls(certificate=mine.certificate, key=mine.key, client_ca=authority.ca)
    bound = tokens.signed(state, tokens.claims("agent:report-bot", cnf={"x5t#S256": thumbprint}))
    async with secured(state, mongod, tls, client_listen="127.0.0.1:0") as server:
        assert await status(server.http, authority.ca, token=bound) == 401


async def test_role_table_counts_for_a_certificate_on_every_route(
    state: Path, mongod: MongodProcess, authority: Authority
) -> None:
    mine, pair = authority.server(), authority.agent()
    auditor = ENTRY.model_copy(update={"roles": (Role.AUDITOR,)})
    tls = Tls(certificate=mine.certificate, key=mine.key, client_ca=authority.ca)
    secure = ssl.create_default_context(cafile=str(authority.ca))
    secure.load_cert_chain(pair.certificate, pair.key)
    changes = {"tls": tls, "certificates": (auditor,), "http": Http(listen="127.0.0.1:0")}
    async with placet(state, mongod.uri, **changes) as server, aiohttp.ClientSession() as session:
        for route in server.api:
            url = server.http + route.path.replace("{id}", "x")
            async with session.request(route.method, url, ssl=secure, data=b"{") as answer:
                wanted = 200 if isinstance(route, OpenRoute) else 403
                assert answer.status == wanted, route.path


async def test_new_connections_see_new_files(state: Path, mongod: MongodProcess, authority: Authority) -> None:
    mine, another = authority.server(), Authority(authority.ca.parent, "another")
    tls = Tls(certificate=mine.certificate, key=mine.key)
    token = tokens.signed(state, tokens.claims("agent:report-bot"))
    async with placet(state, mongod.uri, tls=tls, http=Http(listen="127.0.0.1:0")) as server:
        assert await status(server.http, authority.ca, token=token) == 200
        shutil.copy(another.server().certificate, mine.certificate)  # its key does not fit yet
        assert await status(server.http, authority.ca, token=token) == 200
        new = another.server()
        shutil.copy(new.key, mine.key)
        shutil.copy(new.certificate, mine.certificate)

        async def is_new() -> bool:
            return await status(server.http, another.ca, token=token) == 200

        await eventually(is_new)


async def test_authorities_of_clients_are_those_of_today(
    state: Path, mongod: MongodProcess, authority: Authority, tmp_path: Path
) -> None:
    mine, other = authority.server(), Authority(tmp_path, "other")
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(authority.ca.read_bytes())
    tls = Tls(certificate=mine.certificate, key=mine.key, client_ca=trusted)
    old, new = authority.agent(), other.agent()
    async with secured(state, mongod, tls) as server:
        assert await status(server.http, authority.ca, old) == 200
        assert await status(server.http, authority.ca, new) == 0
        trusted.write_bytes(other.ca.read_bytes())

        async def has_changed() -> bool:
            return await status(server.http, authority.ca, new) == 200

        await eventually(has_changed)
        assert await status(server.http, authority.ca, old) == 0


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_broken_files_are_refused_at_the_start(authority: Authority, tmp_path: Path, name: str) -> None:
    mine = authority.server()
    broken = tmp_path / "broken.pem"
    broken.write_bytes(BROKEN[name](authority.ca.read_bytes()))
    with pytest.raises(SetupError):
        context(Tls(certificate=mine.certificate, key=mine.key, client_ca=broken), demanding=True)
    with pytest.raises(SetupError):
        context(Tls(certificate=broken, key=authority.server().key), demanding=False)


async def test_plaintext_is_for_loopback(state: Path, mongod: MongodProcess) -> None:
    with pytest.raises(SetupError, match=r"http\.listen"):
        async with placet(state, mongod.uri, http=Http(listen="0.0.0.0:0")):
            raise AssertionError("it listens in plaintext")
