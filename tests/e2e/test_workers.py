"""Three workers of one `pdp serve` under load: killed, replaced, without OPA, and ended."""

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import grpc
import pytest

from pdp.audit.record import Kind
from pdp.client import CallError, Client
from pdp.config import Http
from pdp.dev import identity
from pdp.operations_settings import Operations
from pdp.policy.sources import rego
from pdp.process.mongod import MongodProcess
from pdp.v1.request_pb2 import Effect
from tests.faults import (
    ROOT,
    Ledger,
    Reply,
    Served,
    eventually,
    failing,
    served,
    stopped,
    stream,
    verified_log,
)
from tests.parts import asking, placet
from tests.scrape import scraped, seen
from tests.worker_processes import connections, workers

WORKERS, CONNECTIONS = 3, 12
SCHEMA = Path("schema", "resource", "table.json")
CONNECTING = "failed to connect"
"""How gRPC's words begin where no connection came about."""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(rego(), tmp_path / "policy", ignore=shutil.ignore_patterns("*_test.rego")))


async def test_three_workers_lose_no_call_but_those_of_one_that_is_killed(
    tmp_path: Path, state: Path, mongod: MongodProcess, policy: Path
) -> None:
    web = Http(listen="127.0.0.1:0")
    shown = Operations(listen=f"127.0.0.1:{free()}", drain_seconds=1)
    options = {"policy": [policy], "workers": WORKERS, "http": web, "operations": shown, "seconds": 280}
    async with served(tmp_path, state, mongod.uri, **options) as server, connected(server) as clients:  # type: ignore[arg-type]
        server.operations = shown.listen
        await second_server_is_refused(server)
        await misspelt_property_is_refused_also_after_a_reload(server, clients, policy)
        await killed_worker_fails_only_calls_on_its_connections(server, clients)
        await replaced_workers_fail_no_call(server, clients)
        await without_opa_nothing_is_allowed(server, clients)
        await all_calls_are_answered_when_the_server_ends(server, clients, mongod)
        database = server.database
    async with placet(state, mongod.uri, policy=[policy], database=database) as after:
        log = await verified_log(after)
        assert len(log.of(Kind.SERVER_STARTED)) == 2 * WORKERS + 3, "three others, one again, one refused, and this one"


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@asynccontextmanager
async def connected(server: Served) -> AsyncIterator[list[Served]]:
    """The same server over connections of their own, which the kernel spreads over its workers."""
    async with AsyncExitStack() as stack:
        own = [("grpc.use_local_subchannel_pool", 1)]
        channels = [grpc.aio.insecure_channel(server.address, own) for _ in range(CONNECTIONS)]
        yield [replace(server, channel=await stack.enter_async_context(channel)) for channel in channels]


@asynccontextmanager
async def loaded(clients: Sequence[Served]) -> AsyncIterator[list[Ledger]]:
    """A load on each of the connections, and what came of it."""
    ledgers = [Ledger() for _ in clients]
    async with AsyncExitStack() as stack:
        for client, ledger in zip(clients, ledgers, strict=True):
            callers = [(asking(), client.metadata("report-bot"))] * 2
            await stack.enter_async_context(stream(client, ledger, callers))
        yield ledgers


async def second_server_is_refused(server: Served) -> None:
    own = server.configuration
    file = own.with_name("second.toml")
    lines = own.read_text().splitlines()
    file.write_text("\n".join(line for line in lines if not line.startswith('"operations"')))
    for more in ([], ["--workers", "2"]):
        arguments = ("-m", "pdp", "serve", "--config", file, "--listen", server.address, *more)
        second = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, cwd=ROOT, stderr=asyncio.subprocess.PIPE
        )
        _, said = await second.communicate()
        assert second.returncode == 1
        assert f"cannot listen on {server.address}" in said.decode()


async def misspelt_property_is_refused_also_after_a_reload(
    server: Served, clients: Sequence[Served], policy: Path
) -> None:
    named = [
        asking(resource={"type": "table", "id": "t", "properties": {name: "x"}}) for name in ("ownr", "owner_mail")
    ]
    misspelt, later = named
    for client in clients:
        for request in named:
            refused = (await Ledger().ask(client, request)).refusal
            assert refused is not None
            assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    schema = json.loads((policy / SCHEMA).read_text())
    schema["properties"]["owner_mail"] = {"type": "string"}
    (policy / SCHEMA).write_text(json.dumps(schema))
    for client in clients:
        await eventually(lambda client=client: answered(client, later), seconds=60)  # type: ignore[misc]
        refused = (await Ledger().ask(client, misspelt)).refusal
        assert refused is not None
        assert refused.code == "INVALID_ARGUMENT"
    await http_answers(server)


async def http_answers(server: Served) -> None:
    for _ in range(CONNECTIONS):
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{server.http}/.well-known/authzen-configuration") as response,
        ):
            assert response.status == 200


async def answered(client: Served, request: object) -> bool:
    return (await Ledger().ask(client, request)).answer is not None  # type: ignore[arg-type]


async def killed_worker_fails_only_calls_on_its_connections(server: Served, clients: Sequence[Served]) -> None:
    port = int(server.address.rpartition(":")[2])
    async with loaded(clients) as ledgers:
        await asyncio.sleep(1)
        victim = max(workers(server), key=lambda pid: connections(pid, port))
        async with stopped(victim):  # so that none comes or goes while they are counted
            had = connections(victim, port)
            os.kill(victim, signal.SIGKILL)
        await asyncio.sleep(1)
    failed = [ledger for ledger in ledgers if any(_was_lost(reply) for reply in ledger.refused)]
    assert len(failed) <= had < len(clients)
    assert {code for ledger in failed for code, _ in ledger.refusals} <= {"UNAVAILABLE"}
    assert all(ledger.answers for ledger in ledgers)
    await eventually(lambda: has_workers(server, without=victim), seconds=60)
    await verified_log(server)
    counted = await scraped(server.operations)
    assert counted["pdp_worker_restarts_total"] == 1
    assert counted['pdp_dependency_up{name="opa"}'] == 1, "which only workers know"


def _was_lost(reply: Reply) -> bool:
    """Whether a call was lost with a connection that had come about; what a server says itself has a reason."""
    refusal = reply.refusal
    return refusal is not None and not refusal.reason and not refusal.message.startswith(CONNECTING)


async def has_workers(server: Served, without: int) -> bool:
    """Whether all run, another in the place of one that was killed."""
    is_told = any("runs again" in line for line in server.said)
    return is_told and len(workers(server)) == WORKERS and without not in workers(server)


async def replaced_workers_fail_no_call(server: Served, clients: Sequence[Served]) -> None:
    before = set(workers(server))
    await unusable_configuration_replaces_none(server)
    assert set(workers(server)) == before
    token = identity.token(server.state, "report-bot")
    async with Client(server.address, token, timeout=20) as own, loaded(clients) as ledgers:
        server.process.send_signal(signal.SIGHUP)
        while "all workers are replaced" not in server.said:
            await asked_anew(own)
            await asyncio.sleep(0.02)
    assert before.isdisjoint(workers(server))
    assert [reply for ledger in ledgers for reply in ledger.refused if _was_lost(reply)] == []
    assert all(ledger.answers for ledger in ledgers)
    await verified_log(server)


async def asked_anew(own: Client) -> None:
    """A call whose connection is not lost; under such a load the server itself may say that OPA is too slow."""
    try:
        await own.facts(anew=True)
    except CallError as error:
        if not error.reason:
            raise


async def unusable_configuration_replaces_none(server: Served) -> None:
    file = server.configuration
    good = file.read_text()
    file.write_text(good.replace("realm", "raelm"))
    server.process.send_signal(signal.SIGHUP)
    while not any("worker 0 and those behind it are not replaced" in line for line in server.said):
        await asyncio.sleep(0.05)
    assert any("raelm" in line for line in server.said)
    file.write_text(good)


async def without_opa_nothing_is_allowed(server: Served, clients: Sequence[Served]) -> None:
    async with loaded(clients) as ledgers:
        async with stopped(server.opa):
            since = time.monotonic() + 0.1  # what OPA had answered
            await eventually(lambda: nothing_listens(server), seconds=30)
            assert (await seen(server.operations, "/livez")).status == 200
            assert (await seen(server.operations, "/readyz")).text == "not ready: workers\n"
        await eventually(lambda: answered(clients[0], asking()), seconds=60)
        until = time.monotonic()
    await eventually(lambda: is_ready(server), seconds=30)
    await http_answers(server)
    late = [
        reply
        for ledger in ledgers
        for reply in ledger.replies
        if since < reply.began and reply.began + reply.took < until
    ]
    resumed = [reply for reply in late if reply.answer is None]
    assert resumed
    await verified_log(server)


async def is_ready(server: Served) -> bool:
    """Whether each worker can decide."""
    told = (await seen(server.operations, "/readyz?verbose")).text
    return told.count("worker ") == told.count(": ok (not needed to decide)") == WORKERS


async def nothing_listens(server: Served) -> bool:
    host, _, port = server.address.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return True
    writer.close()
    return False


async def all_calls_are_answered_when_the_server_ends(
    server: Served, clients: Sequence[Served], mongod: MongodProcess
) -> None:
    await asyncio.gather(*(client.authorize(asking(), wait_for_ready=True) for client in clients))
    ledger = Ledger()
    async with failing(
        mongod.uri, f"{server.database}.batches", blockConnection=True, blockTimeMS=500, mode={"times": 3}
    ):
        calls = [asyncio.create_task(ledger.ask(client, asking())) for client in clients for _ in range(4)]
        await asyncio.sleep(0.2)  # they are in the workers, whose records wait
        server.process.terminate()
        assert all(reply.answer for reply in await asyncio.gather(*calls))
    assert {answer.effect for answer in ledger.answers} == {Effect.EFFECT_ALLOW}
    assert await asyncio.wait_for(server.process.wait(), 40) == 0
