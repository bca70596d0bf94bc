"""An operator sees the cause: what stands behind opa_url, who speaks TLS, which issuer is away."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pdp import keys
from pdp.dev import identity
from pdp.opa.process import OpaProcess
from pdp.policy.bundle import build
from pdp.policy.sources import read, rego
from pdp.process import toolcache
from pdp.process.child import Child
from pdp.process.mongod import MongodProcess
from tests.certificates import Authority, Pair
from tests.cli.terminal import Terminal
from tests.cli.test_serve import ASK, CONFIGURATION, SECONDS, served
from tests.parts import TOOL_CACHE

OPA = toolcache.opa(TOOL_CACHE)


@pytest.fixture
def pdp(tmp_path: Path, mongod: MongodProcess) -> Terminal:
    """A folder with a configuration, its keys and its policy."""
    for name in ("audit", "grant", "seal", "issuer"):
        keys.generate(tmp_path / "keys" / f"{name}.jwk")
    (tmp_path / "policy").mkdir()
    shutil.copytree(rego() / "policy", tmp_path / "policy" / "policy", ignore=shutil.ignore_patterns("*_test.rego"))
    for name in ("lib", "schema", "data.json"):
        origin = rego() / name
        (shutil.copytree if origin.is_dir() else shutil.copy)(origin, tmp_path / "policy" / name)
    text = CONFIGURATION.format(mongodb_uri=mongod.uri, agents=identity.AGENTS, audience=identity.AUDIENCE)
    (tmp_path / "placet.toml").write_text(text)
    return Terminal(tmp_path, {"PDP_STATE": str(tmp_path), "PDP_CONFIG": "placet.toml"})


@asynccontextmanager
async def answering(answer: bytes, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """`host:port` of a server that answers every request with the same bytes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def http(status: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


OTHERS: dict[str, tuple[bytes, str]] = {
    "a web server": (http("404 Not Found", b"<html>"), "the server at OPA's address is not OPA"),
    "a JSON API": (http("200 OK", b'{"result": []}'), "the server at OPA's address is not OPA"),
    "a login": (http("401 Unauthorized", b"{}"), "OPA refused the question with HTTP status 401"),
    "a redirect": (http("302 Found", b""), "the server at OPA's address is not OPA"),
    "SSH": (b"SSH-2.0-OpenSSH_9.6\r\n", "the server at OPA's address is not OPA (or it speaks TLS"),
    "nothing": (b"", "the server at OPA's address is not OPA (or it speaks TLS"),
}


@pytest.mark.parametrize(("answer", "cause"), OTHERS.values(), ids=OTHERS.keys())
async def test_what_is_not_opa_is_said_in_one_sentence(pdp: Terminal, answer: bytes, cause: str) -> None:
    async with answering(answer) as address:
        done = await pdp("serve", "--wait", "0", "--opa-url", f"http://{address}")
    assert (done.status, done.out) == (69, "")
    assert done.err.startswith(f"opa_url http://{address}: {cause}")
    assert done.err.count("\n") == 1


async def test_no_opa_is_said_in_one_sentence(pdp: Terminal) -> None:
    for url in ("http://127.0.0.1:1", f"unix://{pdp.folder}/none.sock", "http://no-such-host.invalid:8181"):
        done = await pdp("serve", "--wait", "0", "--opa-url", url)
        assert (done.status, done.err) == (
            69,
            f"opa_url {url}: OPA does not answer; nothing is allowed until it does\n",
        )


async def test_tls_on_the_wrong_side_of_opa_is_said(pdp: Terminal, tmp_path: Path) -> None:
    pair = Authority(tmp_path).server()
    async with answering(http("200 OK", b"{}")) as address:
        plain = await pdp("serve", "--wait", "0", "--opa-url", f"https://{address}")
    async with answering(http("200 OK", b"{}"), secured(pair)) as address:
        unknown = await pdp("serve", "--wait", "0", "--opa-url", f"https://{address}")
        secure = await pdp("serve", "--wait", "0", "--opa-url", f"http://{address}")
    assert (plain.status, unknown.status, secure.status) == (69, 69, 69)
    assert "does not speak TLS" in plain.err
    assert "the certificate at OPA's address is not one that this server trusts" in unknown.err
    assert "or it speaks TLS: write https:// in its URL?" in secure.err


def secured(pair: Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    return context


class OwnOpa(Child):
    """An OPA as an operator runs it."""

    name = "OPA"

    def __init__(self, socket: Path, *arguments: str) -> None:
        super().__init__(
            [str(OPA), "run", "--server", "--addr", f"unix://{socket}", *arguments], say=print, variables={}
        )
        self._socket = socket

    async def healthy(self) -> None:
        while not self._socket.exists():
            await asyncio.sleep(0.02)


def plain_bundle(folder: Path) -> str:
    """What `opa build` makes of the author's files alone."""
    bundle = folder / "plain.tar.gz"
    subprocess.run([OPA, "build", "-b", folder / "policy", "-o", bundle, "-r", "r1"], check=True)
    return str(bundle)


BUNDLES: dict[str, Callable[[Path], list[str]]] = {
    "no bundle": lambda _: [],
    "a bundle without the core": lambda folder: ["--bundle", plain_bundle(folder)],
    "Rego that is no bundle": lambda folder: [str(folder / "policy")],
}


@pytest.mark.parametrize("arguments", BUNDLES.values(), ids=BUNDLES.keys())
async def test_opa_without_our_bundle_is_said_in_one_sentence(
    pdp: Terminal, tmp_path: Path, arguments: Callable[[Path], list[str]]
) -> None:
    async with OwnOpa(tmp_path / "o.sock", *arguments(tmp_path)):
        done = await pdp("serve", "--wait", "0", "--opa-url", f"unix://{tmp_path}/o.sock")
    assert (done.status, done.out, done.err.count("\n")) == (3, "", 1)
    assert "OPA has no bundle of Placet, or one without the core or the maps of people" in done.err
    assert "`pdp policy build DIR --to bundle.tar.gz`" in done.err


async def test_bundle_that_loses_the_core_is_said_in_health_and_log(pdp: Terminal, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle" / "bundle.tar.gz"
    bundle.parent.mkdir()
    await asyncio.to_thread(build, OPA, read([tmp_path / "policy"]), bundle)
    async with (
        OpaProcess(OPA, bundle, tmp_path / "o.sock", say=print) as opa,
        served(pdp, "--opa-url", f"unix://{opa.socket}") as (process, address),
    ):
        assert process.stderr is not None
        Path(plain_bundle(tmp_path)).replace(bundle)
        line = (await asyncio.wait_for(process.stderr.readline(), SECONDS)).decode()
        assert "nothing is allowed: OPA has no bundle of Placet, or one without the core" in line
        asked = await pdp(*ASK, PDP_ADDRESS=address)
        health = await pdp("healthcheck", PDP_ADDRESS=address)
        assert (asked.status, health.status, health.out) == (3, 69, "NOT_SERVING\n")
        await asyncio.to_thread(build, OPA, read([tmp_path / "policy"]), bundle)
        line = (await asyncio.wait_for(process.stderr.readline(), SECONDS)).decode()
        assert "OPA answers again, with a policy that the server can use" in line
        assert (await pdp("healthcheck", "--wait", "10", PDP_ADDRESS=address)).status == 0


AWAY = """
[[issuers]]
issuer = "https://127.0.0.1:9"
audience = "placet"
type = "user"
kind = "person"
roles = ["reviewer"]
"""


async def test_issuer_that_is_away_is_named_and_stops_nobody_else(pdp: Terminal) -> None:
    file = pdp.folder / "placet.toml"
    file.write_text(file.read_text() + AWAY)
    process = await pdp.start("serve", "--wait", "0")
    assert process.stderr is not None
    try:
        lines: list[str] = []
        while not lines or not all(
            any(word in line for line in lines) for word in ("serving on", "the keys of issuer")
        ):
            lines.append((await asyncio.wait_for(process.stderr.readline(), SECONDS)).decode())
        assert any("the keys of issuer user cannot be read (Connection refused)" in line for line in lines), lines
        address = next(line.split()[2].rstrip(",") for line in lines if line.startswith("serving on"))
        asked = await pdp(*ASK, PDP_ADDRESS=address)
        names = ("", "issuers", "issuers/agent", "issuers/user")
        health = [(await pdp("healthcheck", "--service", name, PDP_ADDRESS=address)).status for name in names]
        assert (asked.status, health) == (0, [0, 69, 0, 69])
    finally:
        process.terminate()
        await process.wait()


async def test_tls_mismatch_of_client_and_server_is_said(pdp: Terminal) -> None:
    pair = Authority(pdp.folder).server()
    file = pdp.folder / "placet.toml"
    tls = f'[tls]\ncertificate = "{pair.certificate.name}"\nkey = "{pair.key.name}"\n\n'
    async with served(pdp) as (_, address):
        asked = await pdp(*ASK, PDP_ADDRESS=address, PDP_CA=pair.ca.name)
        health = await pdp("healthcheck", PDP_ADDRESS=address, PDP_CA=pair.ca.name)
    assert (asked.status, health.status) == (69, 69)
    assert "it does not speak TLS; leave --ca (and PDP_CA) out" in asked.err
    assert "it does not speak TLS" in health.err
    file.write_text(file.read_text().replace("[[issuers]]", tls + "[[issuers]]"))
    async with served(pdp) as (_, address):
        asked = await pdp(*ASK, PDP_ADDRESS=address)
        health = await pdp("healthcheck", PDP_ADDRESS=address)
    assert (asked.status, health.status) == (69, 69)
    assert "it speaks TLS; pass --ca FILE (or PDP_CA)" in asked.err
    assert "it speaks TLS" in health.err
