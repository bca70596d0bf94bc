"""`pdp serve` and `pdp healthcheck`: a server from a configuration file, as production runs it."""

import asyncio
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pdp import keys
from pdp.dev import identity
from pdp.opa.process import OpaProcess
from pdp.policy.bundle import build
from pdp.policy.sources import read, rego
from pdp.process import toolcache
from pdp.process.child import Child
from pdp.process.mongod import MongodProcess
from tests.certificates import Authority
from tests.cli.terminal import Terminal
from tests.parts import TOOL_CACHE

SECONDS = 30
CONFIGURATION = """
listen = "127.0.0.1:0"
realm = "dev"
mongodb_uri = "{mongodb_uri}"
database = "served"
policy = ["policy"]
audit_key = "keys/audit.jwk"
grant_key = "keys/grant.jwk"

[[issuers]]
issuer = "{agents}"
audience = "{audience}"
type = "agent"
kind = "workload"
jwks = "keys/issuer.jwk"
roles = ["requester"]
speaks_for = {{ dev = {{ subjects = ["*"], on_behalf_of = ["*"] }} }}
"""
TLS = """
[tls]
certificate = "readable.pem"
key = "keys/readable.pem"

"""
WITHOUT_NUMPY = """
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, *rest):
        return None if name.partition(".")[0] in {"numpy", "numba"} else self.finder.find_spec(name, *rest)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = map(Without, sys.meta_path)
from pdp.__main__ import main
main()
"""
"""`pdp` in an environment that has neither numpy nor what needs it."""


def configured(folder: Path, mongod: MongodProcess) -> Terminal:
    """A folder with a configuration, its keys and its policy."""
    for name in ("audit", "grant", "seal", "issuer"):
        keys.generate(folder / "keys" / f"{name}.jwk")
    shutil.copytree(rego(), folder / "policy", ignore=shutil.ignore_patterns("*_test.rego"))
    text = CONFIGURATION.format(mongodb_uri=mongod.uri, agents=identity.AGENTS, audience=identity.AUDIENCE)
    (folder / "placet.toml").write_text(text)
    return Terminal(folder, {"PDP_STATE": str(folder), "PDP_CONFIG": "placet.toml"})


@pytest.fixture
def terminal(tmp_path: Path, mongod: MongodProcess) -> Terminal:
    return configured(tmp_path, mongod)


async def announced(said: asyncio.StreamReader) -> str:
    """What a server says first, behind its warnings."""
    while (line := (await asyncio.wait_for(said.readline(), SECONDS)).decode()).startswith("warning: "):
        pass
    return line


@asynccontextmanager
async def served(
    terminal: Terminal, *arguments: str, **options: Any
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    process = await terminal.start("serve", *arguments, **options)
    assert process.stderr is not None
    try:
        line = await announced(process.stderr)
        assert line.startswith("serving on 127.0.0.1:"), line + (await process.stderr.read()).decode()
        yield process, line.split()[2].rstrip(",")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


ASK = ["authorize", "--as", "dev", "--subject", "user:dev", "--action", "read", "--resource", "table:t"]


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[socket.socket]:
    """The socket of systemd, as in NOTIFY_SOCKET."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.setblocking(False)
        yield receiver


async def test_a_configured_server_answers_and_drains(terminal: Terminal, supervisor: socket.socket) -> None:
    for key in (terminal.folder / "keys").iterdir():
        key.chmod(0o440)  # as Kubernetes mounts them
    async with served(terminal, NOTIFY_SOCKET=supervisor.getsockname(), WATCHDOG_USEC="3600000000") as (
        process,
        address,
    ):
        asked, health, opa, unknown = await asyncio.gather(
            terminal(*ASK, PDP_ADDRESS=address),
            terminal("healthcheck", PDP_ADDRESS=address),
            terminal("healthcheck", "--service", "opa", PDP_ADDRESS=address),
            terminal("healthcheck", "--service", "nothing", PDP_ADDRESS=address),
        )
        assert (asked.status, asked.json["effect"]) == (0, "EFFECT_ALLOW")
        assert (health.status, health.out) == (opa.status, opa.out) == (0, "SERVING\n")
        assert (unknown.status, unknown.err) == (2, f"{address} has no service nothing\n")
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), SECONDS) == 0
        told = [supervisor.recv(1000).decode().partition("\n") for _ in range(3)]
        assert [first for first, _, _ in told] == ["WATCHDOG=1", "READY=1", "STOPPING=1"]
        assert told[1][2].startswith(f"STATUS=serving on {address}, policy ")
        gone = await terminal("healthcheck", "--address", address)
        assert (gone.status, gone.out) == (69, "")
        mend = "start the server there, or name another address with --address (or PDP_ADDRESS)"
        assert gone.err == f"{address} does not answer (UNAVAILABLE); {mend}\n"


async def test_an_opa_of_ones_own_is_given_by_url(terminal: Terminal, tmp_path: Path) -> None:
    binary, bundle = toolcache.opa(TOOL_CACHE), tmp_path / "bundle" / "bundle.tar.gz"
    bundle.parent.mkdir()
    revision = await asyncio.to_thread(build, binary, read([tmp_path / "policy"]), bundle)
    shutil.rmtree(tmp_path / "policy")
    async with (
        OpaProcess(binary, bundle, tmp_path / "o.sock", say=print) as opa,
        served(terminal, "--opa-url", f"unix://{opa.socket}") as (process, address),
    ):
        asked = await terminal(*ASK, PDP_ADDRESS=address)
        assert (asked.status, asked.json["policyRevision"]) == (0, revision)
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), SECONDS) == 0


async def test_a_configuration_that_is_not_usable_names_each_field(terminal: Terminal) -> None:
    file = terminal.folder / "placet.toml"
    good = file.read_text()
    file.write_text(good.replace('realm = "dev"', 'realm = "Not A Name"').replace("audit_key", "audit_kye"))
    bad = await terminal("serve")
    file.write_text("realm = ")
    broken = await terminal("serve")
    assert (bad.status, broken.status) == (1, 1)
    assert bad.err.splitlines()[0] == "placet.toml is not usable:"
    assert {line.strip().partition(":")[0] for line in bad.err.splitlines()[1:]} == {"realm", "audit_kye", "audit_key"}
    assert broken.err.startswith("cannot read the configuration placet.toml: ")
    assert (await terminal("serve", "--config", "nowhere")).err.startswith("cannot read the configuration nowhere: ")
    unnamed = await terminal("serve", PDP_CONFIG="")
    assert (unnamed.status, unnamed.err) == (2, "name the configuration with --config FILE\n")


async def test_what_is_not_safe_does_not_start(terminal: Terminal) -> None:
    remote = await terminal("serve", "--listen", "0.0.0.0:4770")
    assert (remote.status, remote.err.partition(";")[0]) == (1, "listen: 0.0.0.0:4770 is not on loopback")
    (terminal.folder / "policy" / "bad.rego").write_text("package policy\n\nallow if true\n")
    policy = await terminal("serve")
    assert policy.status == 3
    assert "policy/bad.rego:3: " in policy.err
    (terminal.folder / "policy" / "bad.rego").unlink()
    (terminal.folder / "keys" / "grant.jwk").chmod(0o644)
    readable = await terminal("serve")
    assert (readable.status, readable.out) == (1, "")
    assert readable.err == "grant_key: keys/grant.jwk can be read by others; run: chmod 600 keys/grant.jwk\n"


REPLACED: dict[str, tuple[str, str, str]] = {
    "a workload that reviews": (
        'roles = ["requester"]',
        'roles = ["requester", "reviewer"]',
        "issuers.0: roles: ",
    ),
    "a person that asks as anybody and reviews": (
        'kind = "workload"\njwks = "keys/issuer.jwk"\nroles = ["requester"]',
        'kind = "person"\njwks = "keys/issuer.jwk"\nroles = ["reviewer"]',
        "speaks_for of agent: a reviewer could also ask as a workload; remove the workloads",
    ),
    "a person that asks as anybody, with roles of the token": (
        'kind = "workload"\njwks = "keys/issuer.jwk"\nroles = ["requester"]',
        'kind = "person"\njwks = "keys/issuer.jwk"\nroles_claim = "roles"',
        "speaks_for of agent: a reviewer could also ask as a workload; remove the workloads",
    ),
    "a TLS key that others can read": (
        "[[issuers]]",
        TLS + "[[issuers]]",
        "keys/readable.pem can be read by others; run: chmod",
    ),
    "TLS without its files": (
        "[[issuers]]",
        TLS.replace("readable", "none") + "[[issuers]]",
        "tls.key: keys/none.pem cannot be read",
    ),
    "keys by plaintext": (
        '"keys/issuer.jwk"',
        '"http://login.example.com/keys"',
        "jwks: keys are fetched by https only",
    ),
}


@pytest.mark.parametrize("fault", REPLACED)
async def test_configuration_that_is_not_safe_does_not_start(terminal: Terminal, fault: str) -> None:
    old, new, says = REPLACED[fault]
    file = terminal.folder / "placet.toml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    (terminal.folder / "keys" / "readable.pem").write_text("x")
    (terminal.folder / "keys" / "readable.pem").chmod(0o644)
    refused = await terminal("serve")
    assert (refused.status, refused.out) == (1, "")
    assert says in refused.err


@pytest.mark.parametrize("name", ["audit", "grant", "issuer", "seal"])
async def test_demo_keys_and_secrets_that_others_can_read_do_not_start(terminal: Terminal, name: str) -> None:
    field = {"issuer": "jwks of agent"}.get(name, f"{name}_key")
    file = terminal.folder / "keys" / f"{name}.jwk"
    file.chmod(0o604)
    readable = await terminal("serve")
    file.unlink()
    keys.generate(file, demo=True)
    demo = await terminal("serve")
    assert (readable.status, demo.status) == (1, 1)
    assert readable.err == f"{field}: keys/{name}.jwk can be read by others; run: chmod 600 keys/{name}.jwk\n"
    assert demo.err == f"{field}: keys/{name}.jwk is a demo key of `pdp dev`; make one of your own\n"


async def test_tls_serves_beyond_loopback(terminal: Terminal) -> None:
    pair = Authority(terminal.folder).server()
    text = TLS.replace("keys/readable.pem", pair.key.name).replace("readable.pem", pair.certificate.name)
    file = terminal.folder / "placet.toml"
    file.write_text(file.read_text().replace("[[issuers]]", text + "[[issuers]]"))
    process = await terminal.start("serve", "--listen", "0.0.0.0:0")
    assert process.stderr is not None
    try:
        line = await announced(process.stderr)
        assert line.startswith("serving on 0.0.0.0:"), line + (await process.stderr.read()).decode()
        address = "localhost:" + line.split()[2].rstrip(",").rpartition(":")[2]
        asked = await terminal(*ASK, PDP_ADDRESS=address, PDP_CA=pair.ca.name)
        assert (asked.status, asked.json["effect"]) == (0, "EFFECT_ALLOW")
        health = await terminal("healthcheck", "--service", "issuers", PDP_ADDRESS=address, PDP_CA=pair.ca.name)
        assert (health.status, health.out) == (0, "SERVING\n")
    finally:
        process.terminate()
        await process.wait()


class Standalone(Child):
    """A mongod without a replica set."""

    name = "MongoDB"

    def __init__(self, folder: Path, port: int) -> None:
        command = [f"{toolcache.mongod()}", "--dbpath", f"{folder}", "--port", f"{port}", "--nounixsocket"]
        super().__init__(command, say=print, variables={})
        self._port = port

    async def healthy(self) -> None:
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def test_a_standalone_mongodb_is_refused_with_what_to_do(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "standalone").mkdir()
    port = MongodProcess(toolcache.mongod(), tmp_path, say=print).uri.partition("?")[0].rpartition(":")[2].strip("/")
    async with Standalone(tmp_path / "standalone", int(port)):
        done = await terminal("serve", "--mongodb-uri", f"mongodb://127.0.0.1:{port}/?directConnection=true")
    assert done.status == 1
    assert done.err.startswith("this MongoDB is standalone")
    assert "--replSet" in done.err


async def test_lineage_needs_numpy_and_nothing_else_does(terminal: Terminal) -> None:
    command = [sys.executable, "-c", WITHOUT_NUMPY]
    async with served(terminal, command=command) as (_, address):
        asked = await terminal(*ASK, PDP_ADDRESS=address)
        assert (asked.status, asked.json["effect"]) == (0, "EFFECT_ALLOW")
    with (terminal.folder / "placet.toml").open("a") as file:
        file.write("[lineage]\n")
    async with served(terminal) as (_, address):
        health = await terminal("healthcheck", "--service", "lineage", PDP_ADDRESS=address)
        assert (health.status, health.out) == (0, "SERVING\n")
    refused = await terminal("serve", command=command)
    assert (refused.status, refused.out) == (1, "")
    assert refused.err.splitlines()[-1] == (
        "[lineage] needs numpy; install placet[server,lineage], or leave that part out"
    )
