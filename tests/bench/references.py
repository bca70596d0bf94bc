"""What the figures are compared with: a no-op gRPC server and a stock OPA, each in a process of its own."""

import asyncio
import contextlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import grpc
import uvloop

from pdp.environment import Environment
from pdp.policy.bundle import build
from pdp.policy.sources import read, rego
from pdp.process import toolcache
from tests.bench.load import Rate, rate

NOOP = "/noop.Service/Call"


@dataclass(frozen=True)
class Noop:
    """A server that does nothing, and its process."""

    address: str
    process: int


@dataclass(frozen=True)
class StockOpa:
    """An OPA with its own defaults, and its process."""

    url: str
    process: int


@contextlib.contextmanager
def noop(answer: bytes) -> Iterator[Noop]:
    """A server that answers `answer` to every call of `NOOP`."""
    command = [sys.executable, "-m", "tests.bench.references", answer.hex()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Noop(process.stdout.readline().strip(), process.pid)
        finally:
            process.terminate()


@contextlib.contextmanager
def stock_opa() -> Iterator[StockOpa]:
    """An OPA with the reference policy and OPA's own defaults."""
    binary = toolcache.opa(Environment.read().tool_cache)
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        bundle = Path(folder, "bundle", "bundle.tar.gz")
        bundle.parent.mkdir()
        build(binary, read([rego()]), bundle)
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        free.close()
        command = [binary, "run", "--server", "--addr", address, "--bundle", bundle, "--log-level", "error"]
        with subprocess.Popen([*command, "--skip-version-check"]) as process:
            try:
                _wait(f"http://{address}/health?bundles")
                yield StockOpa(f"http://{address}", process.pid)
            finally:
                process.terminate()


def ask_opa(url: str, body: bytes, wanted: bytes, loops: int, seconds: float) -> Rate:
    """`body` to `data.pdp.decisions` in closed loops."""
    return uvloop.run(_ask_opa(url, body, wanted, loops, seconds))


async def _ask_opa(url: str, body: bytes, wanted: bytes, loops: int, seconds: float) -> Rate:
    connector = aiohttp.TCPConnector(limit=loops)
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        latencies: list[float] = []
        begun = time.perf_counter()

        async def loop() -> None:
            while (start := time.perf_counter()) < begun + seconds:
                async with session.post(f"{url}/v1/data/pdp/decisions", data=body) as response:
                    assert wanted in await response.read()
                latencies.append(time.perf_counter() - start)

        await asyncio.gather(*(loop() for _ in range(loops)))
        return rate(latencies, time.perf_counter() - begun)


def _wait(url: str) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=1).close()
            return
    raise TimeoutError(url)


async def _serve_noop(answer: bytes) -> None:
    async def call(_: bytes, __: object) -> bytes:
        return answer

    server = grpc.aio.server()
    handlers = {"Call": grpc.unary_unary_rpc_method_handler(call)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("noop.Service", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(_serve_noop(bytes.fromhex(sys.argv[1])))
