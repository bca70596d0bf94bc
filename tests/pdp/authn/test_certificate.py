"""Client certificates over the wire: who is one, who is none, what a token is bound to, new files while it runs."""

import os
import socket
import ssl
import warnings
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from pdp.caller import Role
from pdp.client import CallError, Client
from pdp.config import Tls
from pdp.dev.identity import token as dev_token
from pdp.identity_source import Certificates, SpeaksFor
from pdp.process.mongod import MongodProcess
from pdp.v1.info_pb2 import GetServerInfoRequest
from tests import tokens
from tests.certificates import SERVER, Authority, Pair, uri
from tests.cli.terminal import Terminal
from tests.faults import eventually
from tests.parts import Placet, placet

ENTRIES = (
    Certificates(
        spiffe="spiffe://example.org/agents/",
        type="bot",
        kind="workload",
        roles=(Role.REQUESTER,),
        groups=("robots",),
        speaks_for={"report-bot": SpeaksFor(on_behalf_of=("user:*",))},
    ),
    Certificates(subjects={"CN=etl": "etl"}, type="job", kind="workload", roles=(Role.AUDITOR,)),
)


@dataclass(frozen=True)
class Mutual:
    """A server that demands certificates, and the authority that signs them."""

    server: Placet
    authority: Authority
    other: Authority
    tls: Tls

    async def identity(self, pair: Pair | None, token: str = "", address: str = "") -> str:
        """Who that is to the server; the code of the refusal, where it is nobody."""
        options = pair.options if pair else {"ca": self.authority.ca}
        async with Client(address or self.server.address, token, timeout=5, **options) as client:
            try:
                info = await client.call(client.info.GetServerInfo, GetServerInfoRequest())
            except CallError as error:
                return error.code
            return str(info.caller.identity)


@pytest.fixture(scope="module")
async def mutual(state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mutual]:
    folder = tmp_path_factory.mktemp("tls")
    authority, other = Authority(folder), Authority(folder, "other")
    own = authority.server()
    tls = Tls(certificate=own.certificate, key=own.key, client_ca=authority.ca)
    async with placet(state, mongod.uri, tls=tls, certificates=ENTRIES) as server:
        yield Mutual(server, authority, other, tls)


async def test_certificate_is_an_identity(mutual: Mutual, tmp_path: Path) -> None:
    assert await mutual.identity(mutual.authority.agent()) == "bot:report-bot"
    assert await mutual.identity(mutual.authority.agent("spiffe://example.org/agents/eu/b")) == "bot:eu/b"
    assert await mutual.identity(mutual.authority.issue("etl")) == "job:etl"
    pair = mutual.authority.agent()
    files = {f"PDP_{name.upper()}": str(path) for name, path in pair.options.items()}
    me = await Terminal(tmp_path, {"PDP_ADDRESS": mutual.server.address, **files})("whoami")
    assert me.json["caller"] == {
        "identity": "bot:report-bot",
        "kind": "workload",
        "roles": ["requester"],
        "groups": ["robots"],
    }
    health = await Terminal(tmp_path, {"PDP_ADDRESS": mutual.server.address, **files})("healthcheck")
    assert (health.status, health.out) == (0, "SERVING\n")


async def test_certificate_asks_as_itself_and_for_whom_its_entry_lets_it(mutual: Mutual) -> None:
    async with Client(mutual.server.address, "", **mutual.authority.agent().options) as bot:
        asked = await bot.authorize("bot:report-bot", "read", "table:t", on_behalf_of=["user:alice"])
        assert asked.error is None
        for other in (("bot:other", []), ("bot:report-bot", ["job:etl"])):
            refused = await bot.authorize(other[0], "read", "table:t", on_behalf_of=other[1])
            assert refused.error is not None
            assert refused.error.reason == "SUBJECT_NOT_ALLOWED"


ATTACKS: dict[str, Callable[[Mutual], Pair | None]] = {
    "no certificate": lambda _: None,
    "of another authority": lambda m: m.other.agent(),
    "of another authority of the same name": lambda m: Authority(m.tls.key.parent / "fake", "authority").agent(),
    "expired": lambda m: m.authority.agent(days=(-3, -1)),
    "not yet valid": lambda m: m.authority.agent(days=(1, 3)),
    "for servers": lambda m: m.authority.agent(uses=[SERVER]),
    "of an authority itself": lambda m: m.authority.agent(ca=True),
    "trust domain": lambda m: m.authority.agent("spiffe://example.com/agents/report-bot"),
    "trust domain in upper case": lambda m: m.authority.agent("spiffe://EXAMPLE.ORG/agents/report-bot"),
    "trust domain as prefix": lambda m: m.authority.agent("spiffe://example.org.attacker.example/agents/report-bot"),
    "trust domain as user": lambda m: m.authority.agent("spiffe://example.org@attacker.example/agents/report-bot"),
    "trust domain with a port": lambda m: m.authority.agent("spiffe://example.org:443/agents/report-bot"),
    "another scheme": lambda m: m.authority.agent("https://example.org/agents/report-bot"),
    "scheme in upper case": lambda m: m.authority.agent("SPIFFE://example.org/agents/report-bot"),
    "another path": lambda m: m.authority.agent("spiffe://example.org/people/alice"),
    "path as prefix": lambda m: m.authority.agent("spiffe://example.org/agents-x/report-bot"),
    "path in upper case": lambda m: m.authority.agent("spiffe://example.org/Agents/report-bot"),
    "path alone": lambda m: m.authority.agent("spiffe://example.org/agents/"),
    "path without an end": lambda m: m.authority.agent("spiffe://example.org/agents"),
    "path upwards": lambda m: m.authority.agent("spiffe://example.org/agents/../agents/report-bot"),
    "path with an empty part": lambda m: m.authority.agent("spiffe://example.org/agents//report-bot"),
    "path encoded": lambda m: m.authority.agent("spiffe://example.org/agents/report%2Dbot"),
    "path with a query": lambda m: m.authority.agent("spiffe://example.org/agents/report-bot?x"),
    "path with a fragment": lambda m: m.authority.agent("spiffe://example.org/agents/report-bot#x"),
    "path with a null character": lambda m: m.authority.agent("spiffe://example.org/agents/report-bot\0.x"),
    "path with a line break": lambda m: m.authority.agent("spiffe://example.org/agents/report-bot\n"),
    "two SPIFFE IDs": lambda m: m.authority.issue(names=[uri("spiffe://example.org/agents/a")] * 2),
    "SPIFFE ID and a URI": lambda m: m.authority.issue(names=[uri("spiffe://example.org/agents/a"), uri("https://x")]),
    "SPIFFE ID as DNS name": lambda m: m.authority.issue(names=[x509.DNSName("spiffe://example.org/agents/a")]),
    "SPIFFE ID as common name": lambda m: m.authority.issue("spiffe://example.org/agents/report-bot"),
    "common name beside a strange URI": lambda m: m.authority.issue("etl", [uri("https://example.org")]),
    "common name in upper case": lambda m: m.authority.issue("ETL"),
    "common name with a space": lambda m: m.authority.issue("etl "),
    "common name with a null character": lambda m: m.authority.issue("etl\0"),
    "common name in Cyrillic": lambda m: m.authority.issue("еtl"),  # noqa: RUF001
    "common name of everybody": lambda m: m.authority.issue("*"),
    "common name with more behind": lambda m: m.authority.issue("etl,O=x"),
    "common name as DNS name": lambda m: m.authority.issue("x", [x509.DNSName("etl")]),
    "nobody": lambda m: m.authority.issue(""),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_certificate_that_is_none_is_refused(mutual: Mutual, attack: str) -> None:
    (mutual.tls.key.parent / "fake").mkdir(exist_ok=True)
    assert await mutual.identity(ATTACKS[attack](mutual)) in {"UNAUTHENTICATED", "UNAVAILABLE"}


async def test_authority_of_the_server_is_demanded_by_the_client(mutual: Mutual) -> None:
    pair = mutual.authority.agent()
    stranger = Pair(pair.certificate, pair.key, mutual.other.ca)
    assert await mutual.identity(stranger) == "UNAVAILABLE"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls_is_refused(mutual: Mutual, version: ssl.TLSVersion) -> None:
    assert handshake(mutual, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    assert handshake(mutual, version) == ""


def handshake(mutual: Mutual, version: ssl.TLSVersion) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(mutual.authority.ca)
    context.set_alpn_protocols(["h2"])
    pair = mutual.authority.agent()
    context.load_cert_chain(pair.certificate, pair.key)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    host, _, port = mutual.server.address.rpartition(":")
    try:
        with (
            socket.create_connection((host, int(port)), 5) as raw,
            context.wrap_socket(raw, server_hostname=host) as up,
        ):
            return str(up.version())
    except (ssl.SSLError, OSError):
        return ""


def bound(mutual: Mutual, pair: Pair) -> str:
    der = x509.load_pem_x509_certificate(pair.pem).fingerprint(SHA256())
    confirmation = {"x5t#S256": urlsafe_b64encode(der).rstrip(b"=").decode()}
    return tokens.signed(mutual.server.state, tokens.claims("user:alice", cnf=confirmation))


async def test_token_decides_and_goes_only_with_its_certificate(mutual: Mutual) -> None:
    mine, other = mutual.authority.agent(), mutual.authority.agent()
    nobody = mutual.authority.issue("somebody else")
    assert await mutual.identity(mine, dev_token(mutual.server.state, "alice")) == "user:alice"
    assert await mutual.identity(nobody, dev_token(mutual.server.state, "alice")) == "user:alice"
    assert await mutual.identity(mine, "wrong") == "UNAUTHENTICATED"
    token = bound(mutual, mine)
    assert await mutual.identity(mine, token) == "user:alice"
    assert await mutual.identity(other, token) == "UNAUTHENTICATED", "although it was remembered"
    assert await mutual.identity(nobody, token) == "UNAUTHENTICATED"
    assert await mutual.identity(mine, token) == "user:alice"
    assert await mutual.identity(mine, bound(mutual, other)) == "UNAUTHENTICATED"


def free() -> str:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{listening.getsockname()[1]}"


async def test_tokens_alone_have_an_address_of_their_own(mutual: Mutual, state: Path, mongod: MongodProcess) -> None:
    tls = mutual.tls.model_copy(update={"client_listen": free()})
    async with placet(state, mongod.uri, tls=tls, certificates=ENTRIES) as both:
        alice, pair = dev_token(state, "alice"), mutual.authority.agent()
        assert await mutual.identity(None, alice, both.address) == "user:alice"
        assert await mutual.identity(None, bound(mutual, pair), both.address) == "UNAUTHENTICATED"
        assert await mutual.identity(pair, "", both.address) == "UNAUTHENTICATED", "nobody asked for it here"
        assert await mutual.identity(pair, "", tls.client_listen) == "bot:report-bot"
        assert await mutual.identity(None, alice, tls.client_listen) == "UNAVAILABLE"


def replace(path: Path, content: bytes) -> None:
    new = path.with_suffix(".new")
    new.touch(0o600)
    new.write_bytes(content)
    os.replace(new, path)  # noqa: PTH105  # as rotations do


async def test_files_are_read_again_for_new_connections(state: Path, mongod: MongodProcess, tmp_path: Path) -> None:
    old, new = Authority(tmp_path, "old"), Authority(tmp_path, "new")
    first, second = old.server(), new.server()
    (tmp_path / "clients.pem").write_bytes(old.ca.read_bytes())
    tls = Tls(certificate=first.certificate, key=first.key, client_ca=tmp_path / "clients.pem")
    async with placet(state, mongod.uri, tls=tls, certificates=ENTRIES) as server:
        before, after = Mutual(server, old, new, tls), Mutual(server, new, old, tls)
        assert await before.identity(old.agent()) == "bot:report-bot"
        replace(first.certificate, b"half written")
        assert await before.identity(old.agent()) == "bot:report-bot", "the last good ones stay"
        replace(first.key, second.key.read_bytes())
        replace(tmp_path / "clients.pem", new.ca.read_bytes())
        replace(first.certificate, second.pem)
        assert await after.identity(new.agent()) == "bot:report-bot"
        assert await before.identity(old.agent()) == "UNAVAILABLE"


@asynccontextmanager
async def present(client: Client) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    """Who the client is, asked again and again on one connection."""

    async def identity() -> str:
        try:
            info = await client.call(client.info.GetServerInfo, GetServerInfoRequest())
        except CallError as error:
            return error.code
        return str(info.caller.identity)

    async with client:
        yield identity


async def test_open_connection_ends_with_its_authority(state: Path, mongod: MongodProcess, tmp_path: Path) -> None:
    old, new = Authority(tmp_path, "old"), Authority(tmp_path, "new")
    own, clients = old.server(), tmp_path / "clients.pem"
    clients.write_bytes(old.ca.read_bytes() + new.ca.read_bytes())
    tls = Tls(certificate=own.certificate, key=own.key, client_ca=clients)
    async with placet(state, mongod.uri, tls=tls, certificates=ENTRIES) as server:
        by_old, by_new = old.agent(), new.agent()
        holder = Mutual(server, old, new, tls)
        options = [{**pair.options, "ca": old.ca} for pair in (by_old, by_new, by_new)]
        tokens_ = ("", "", bound(holder, by_new))
        async with AsyncExitStack() as stack:
            connections = [
                await stack.enter_async_context(present(Client(server.address, token, timeout=5, **option)))
                for token, option in zip(tokens_, options, strict=True)
            ]
            assert [await one() for one in connections] == ["bot:report-bot", "bot:report-bot", "user:alice"]
            replace(clients, b"half written")
            replace(clients, old.ca.read_bytes())

            async def is_refused() -> bool:
                return await connections[1]() == "UNAUTHENTICATED"

            await eventually(is_refused, seconds=5)
            assert [await one() for one in connections] == ["bot:report-bot", "UNAUTHENTICATED", "UNAUTHENTICATED"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"address": "placet.example:1"}, "give ca"),
        ({"certificate": "x", "key": "y"}, "give ca too"),
        ({"ca": "none.pem"}, "ca 'none.pem' cannot be read"),
        ({"ca": "none.pem", "key": "y"}, "go together"),
        ({"ca": "none.pem", "certificate": "y"}, "go together"),
    ],
)
def test_client_says_what_is_missing(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Client(**{"address": "127.0.0.1:1", "token": "t", **options})
