"""The first look at OPA says what stands there, and each later look whether its policy can still be used."""

import asyncio
import os
import signal
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pdp.dev.stack import configuration
from pdp.errors import EngineUnavailable
from pdp.opa.engine import Engine, engine
from pdp.opa.process import OpaProcess
from pdp.policy import stock
from pdp.policy.bundle import build
from pdp.policy.sources import read
from pdp.process import toolcache
from tests.parts import TOOL_CACHE

OPA = toolcache.opa(TOOL_CACHE)
RULE = 'package policy\n\nallow contains {"rule": "all", "reason": "all"}\n'


async def no_domains() -> dict[str, Any]:
    return {}


@asynccontextmanager
async def looking(state: Path, url: str) -> AsyncIterator[Engine]:
    plain = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri="mongodb://127.0.0.1:1")
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    config = plain.model_copy(update={"policy": (), "opa_url": url})
    async with engine(config, TOOL_CACHE, print, failed, no_domains) as found:
        yield found


async def test_nothing_at_the_url_is_said_with_the_url(state: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"^opa_url http://127.0.0.1:1: OPA does not answer"):
        async with looking(state, "http://127.0.0.1:1"):
            pass


async def test_policy_that_cannot_be_used_is_unhealthy_and_said_once(
    state: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, bundle, revision = await built(tmp_path)
    async with (
        OpaProcess(OPA, bundle, tmp_path / "o.sock", say=print) as process,
        looking(state, f"unix://{process.socket}") as found,
    ):
        assert (found.revision, await found.is_healthy()) == (revision, True)
        await asyncio.to_thread(stock.output, OPA, "build", "-b", folder, "-o", tmp_path / "plain.tar.gz")
        (tmp_path / "plain.tar.gz").replace(bundle)
        await told(found, caplog, "nothing is allowed: OPA has no bundle of Placet")
        assert not await found.is_healthy()
        await asyncio.to_thread(build, OPA, read([folder]), bundle)
        await told(found, caplog, "OPA answers again")
        assert await found.is_healthy()
        assert len([line for line in caplog.messages if "bundle" in line or "again" in line]) == 2


async def test_opa_that_is_late_at_first_is_asked_again(state: Path, tmp_path: Path) -> None:
    _, bundle, revision = await built(tmp_path)
    async with OpaProcess(OPA, bundle, tmp_path / "o.sock", say=print) as process:
        pid = await listener(process.socket)
        os.kill(pid, signal.SIGSTOP)
        asyncio.get_running_loop().call_later(2.0, os.kill, pid, signal.SIGCONT)
        async with looking(state, f"unix://{process.socket}") as found:
            assert found.revision == revision


async def built(folder: Path) -> tuple[Path, Path, str]:
    """A policy's folder, its bundle, and the revision."""
    rules, bundle = folder / "rules", folder / "bundle" / "bundle.tar.gz"
    rules.mkdir()
    bundle.parent.mkdir()
    (rules / "p.rego").write_text(RULE)
    return rules, bundle, await asyncio.to_thread(build, OPA, read([rules]), bundle)


async def listener(path: Path) -> int:
    """The process that listens at a socket."""
    _, writer = await asyncio.open_unix_connection(path)
    peer = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    writer.close()
    return int(struct.unpack("3i", peer)[0])


async def told(found: Engine, caplog: pytest.LogCaptureFixture, wanted: str) -> None:
    """Look until the log says so."""
    async with asyncio.timeout(30):
        while not (caplog.messages and caplog.messages[-1].startswith(wanted)):
            await found.is_healthy()
            await asyncio.sleep(0.02)
