"""The log of `pdp serve`: one stream of JSON lines, whatever happens, and nothing on standard output."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest

from pdp.dev import identity
from pdp.process.mongod import MongodProcess
from pdp.v1.decision_pb2_grpc import DecisionServiceStub
from tests.cli.terminal import Terminal
from tests.cli.test_serve import SECONDS, configured
from tests.collector import collecting
from tests.parts import asking

OPERATIONS = """
[operations]
listen = "127.0.0.1:0"
access_log = true
"""
WITHOUT = """
import sys
sys.modules["opentelemetry"] = None
from pdp.__main__ import main
main()
"""
"""`pdp` in an environment that has no OpenTelemetry."""
FAILS = """
from pdp.cli.serving_log import whole
from pdp.logs import LogFormat, LogLevel
with whole(LogFormat.JSON, LogLevel.INFO):
    raise KeyError("canary7f3a")
"""
JSON = {"PDP_LOG_FORMAT": "auto", "PDP_LOG_LEVEL": "info"}


@pytest.fixture
def terminal(tmp_path: Path, mongod: MongodProcess) -> Terminal:
    own = configured(tmp_path, mongod)
    with (tmp_path / "placet.toml").open("a") as file:
        file.write(OPERATIONS)
    return Terminal(tmp_path, {**own.variables, **JSON})


async def until_serving(process: asyncio.subprocess.Process) -> tuple[str, list[Any]]:
    """The address, and the lines so far."""
    assert process.stderr is not None
    lines = list[Any]()
    while not lines or not lines[-1]["message"].startswith("serving on "):
        lines.append(json.loads(await asyncio.wait_for(process.stderr.readline(), SECONDS)))
    return lines[-1]["message"].split()[2].rstrip(","), lines


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, bytes, list[Any]]:
    process.send_signal(signal.SIGTERM)
    out, err = await asyncio.wait_for(process.communicate(), SECONDS)
    return process.returncode, out, [json.loads(line) for line in err.splitlines()]


async def test_each_line_is_json_and_standard_output_is_empty(terminal: Terminal) -> None:
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
    process = await terminal.start("serve", command=[sys.executable, "-c", WITHOUT], **variables)
    try:
        address, began = await until_serving(process)
        async with grpc.aio.insecure_channel(address) as channel:
            metadata = (("authorization", f"Bearer {identity.token(terminal.folder, 'dev')}"), ("x-request-id", "a1"))
            answer = await DecisionServiceStub(channel).Authorize(asking(), metadata=metadata)
        status, out, lines = await ended(process)
    finally:
        if process.returncode is None:
            process.kill()
    assert (status, out) == (0, b"")
    [missing] = [line["message"] for line in began if line["logger"] == "pdp.server.watched"]
    assert "placet[otel]" in missing
    assert lines[-1]["message"] == "draining"
    [call] = [line for line in lines if line["logger"] == "pdp.access"]
    assert (call["rpc"], call["code"], call["effect"]) == ("pdp.v1.DecisionService/Authorize", "OK", "ALLOW")
    assert (call["decision_id"], call["request_id"]) == (answer.decision_id, "a1")
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in (*began, *lines))


async def test_server_whose_log_nothing_reads_decides_and_stops(terminal: Terminal) -> None:
    with collecting() as collector:
        process = await terminal.start("serve", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
        try:
            address, _ = await until_serving(process)
            assert process.stderr is not None
            pipe: Any = process.stderr._transport  # type: ignore[attr-defined]
            pipe.pause_reading()
            await many(address, terminal.folder, 1000)
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(SECONDS):
                while process.returncode is None:  # `wait` would wait for the end of the pipe
                    await asyncio.sleep(0.05)
            assert process.returncode == 0
            pipe.resume_reading()
            lines = [json.loads(line) for line in (await process.stderr.read()).splitlines()]
        finally:
            if process.returncode is None:
                process.kill()
    assert len(collector.named("pdp.v1.DecisionService/Authorize")) > 500
    assert 100 < len(lines) < 1000, "the pipe took all, or parts of lines"


async def many(address: str, state: Path, calls: int) -> None:
    """So many decisions, 32 at a time: more lines than a pipe takes."""
    metadata = (("authorization", f"Bearer {identity.token(state, 'dev')}"), ("x-request-id", "x" * 100))
    async with grpc.aio.insecure_channel(address) as channel:
        stub, left = DecisionServiceStub(channel), iter(range(calls))

        async def some() -> None:
            for _ in left:
                await stub.Authorize(asking(), metadata=metadata, timeout=10)

        await asyncio.gather(*(some() for _ in range(32)))


async def test_why_it_does_not_start_is_a_line_too(terminal: Terminal) -> None:
    grpc_only = await terminal(
        "serve", OTEL_TRACES_EXPORTER="otlp", OTEL_EXPORTER_OTLP_PROTOCOL="grpc", PDP_LOG_FORMAT="json"
    )
    (terminal.folder / "placet.toml").write_text("realm = ")
    broken = await terminal("serve", "--log-format", "json", PDP_LOG_FORMAT="console")
    assert (grpc_only.status, broken.status, grpc_only.out, broken.out) == (1, 1, "", "")
    [told], [why] = ([json.loads(line) for line in done.err.splitlines()] for done in (grpc_only, broken))
    assert told["message"].startswith("OTEL_EXPORTER_OTLP_PROTOCOL: ")
    assert (why["level"], why["message"].partition(":")[0]) == (
        "critical",
        "cannot read the configuration placet.toml",
    )


def test_failure_that_is_not_expected_is_a_line_without_its_text() -> None:
    done = subprocess.run([sys.executable, "-c", FAILS], capture_output=True, check=False, env={**os.environ})
    [line] = [json.loads(line) for line in done.stderr.splitlines() if line.startswith(b"{")]
    assert line["message"].startswith("the server failed, so it ends: KeyError\nat <string>:5")
    assert b"canary" not in done.stderr
