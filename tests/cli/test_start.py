"""Everything is started at once: `pdp serve` waits for what is not there yet, says so, and ends with 75 in the end."""

import asyncio
import shutil
import signal
from pathlib import Path

import pytest

from pdp import keys
from pdp.dev import identity
from pdp.opa.process import OpaProcess
from pdp.policy.bundle import build
from pdp.policy.sources import read, rego
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from tests.cli.terminal import Terminal
from tests.cli.test_serve import ASK, CONFIGURATION, SECONDS
from tests.parts import TOOL_CACHE

SILENT = "no MongoDB answers at the given URI"


@pytest.fixture
def later(tmp_path: Path) -> MongodProcess:
    """A MongoDB that was not started yet."""
    return MongodProcess(toolcache.mongod(), tmp_path / "data", say=print)


@pytest.fixture
def terminal(tmp_path: Path, later: MongodProcess) -> Terminal:
    """A folder with a configuration, its keys and its policy; the URI is in a file."""
    for name in ("audit", "grant", "seal", "issuer"):
        keys.generate(tmp_path / "keys" / f"{name}.jwk")
    shutil.copytree(rego(), tmp_path / "policy", ignore=shutil.ignore_patterns("*_test.rego"))
    text = CONFIGURATION.format(mongodb_uri="", agents=identity.AGENTS, audience=identity.AUDIENCE)
    (tmp_path / "placet.toml").write_text(text.replace('mongodb_uri = ""', 'mongodb_uri_file = "keys/uri"'))
    (tmp_path / "keys" / "uri").write_text(later.uri)
    (tmp_path / "keys" / "uri").chmod(0o400)
    return Terminal(tmp_path, {"PDP_STATE": str(tmp_path), "PDP_CONFIG": "placet.toml"})


async def line(process: asyncio.subprocess.Process, *words: str) -> str:
    """The next line of a server that has all these words."""
    assert process.stderr is not None
    async with asyncio.timeout(SECONDS):
        while said := (await process.stderr.readline()).decode():
            if all(word in said for word in words):
                return said
    raise AssertionError(f"it ended without {words}")


async def test_server_mongodb_and_opa_are_started_at_once_and_it_serves(
    terminal: Terminal, later: MongodProcess, tmp_path: Path
) -> None:
    binary, bundle = toolcache.opa(TOOL_CACHE), tmp_path / "bundle" / "bundle.tar.gz"
    bundle.parent.mkdir()
    opa = OpaProcess(binary, bundle, tmp_path / "o.sock", say=print)
    process = await terminal.start("serve", "--opa-url", f"unix://{opa.socket}")
    try:
        await line(process, "waiting for MongoDB: ", SILENT, "OPA does not answer")
        async with later:
            said = await line(process, "waiting for OPA: ")
            assert "MongoDB" not in said
            await asyncio.to_thread(build, binary, read([tmp_path / "policy"]), bundle)
            async with opa:
                address = (await line(process, "serving on ")).partition("serving on ")[2].split()[0].rstrip(",")
                asked = await terminal(*ASK, PDP_ADDRESS=address)
                assert (asked.status, asked.json["effect"]) == (0, "EFFECT_ALLOW")
                process.send_signal(signal.SIGTERM)
                assert await asyncio.wait_for(process.wait(), SECONDS) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_what_does_not_come_in_time_is_75_with_what_was_missing_and_never_the_uri(terminal: Terminal) -> None:
    uri = "mongodb://placet:secret@127.0.0.1:1/?replicaSet=rs0"
    done = await terminal("serve", "--wait", "0.1", "--mongodb-uri", uri)
    first, last = done.err.splitlines()
    assert (done.status, done.out) == (75, "")
    assert first.startswith(f"waiting for MongoDB: {SILENT}")
    assert last.startswith(f"not ready after 0.1 s: MongoDB: {SILENT}")
    assert "secret" not in done.err


async def test_signal_ends_the_wait(terminal: Terminal) -> None:
    process = await terminal.start("serve")
    await line(process, "waiting for MongoDB: ")
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), SECONDS) == 0
