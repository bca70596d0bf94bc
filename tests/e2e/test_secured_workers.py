"""Two workers with TLS: tokens, client certificates, HTTPS, gauges, and a renewed certificate."""

import asyncio
import shutil
import signal
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from cryptography import x509
from grpc_health.v1 import health_pb2

from pdp.caller import Role
from pdp.config import Http, Tls
from pdp.operations_settings import Operations
from pdp.process.mongod import MongodProcess
from pdp.v1.request_pb2 import Effect
from tests.certificates import Authority, Pair
from tests.e2e.test_workers import free
from tests.faults import Ledger, Served, command, eventually, served, verified_log
from tests.languages.secure import BOTS
from tests.parts import asking
from tests.scrape import samples, seen
from tests.worker_processes import workers

WORKERS, CONNECTIONS = 2, 8
ASKING_BOTS = BOTS.model_copy(update={"roles": (Role.REQUESTER,)})
OF_MONGODB = ("pdp_approvals_open", "pdp_approval_oldest_seconds", "pdp_clock_offset_seconds")
WATCH = "/grpc.health.v1.Health/Watch"


async def test_workers_with_tls_behave_as_one_server(tmp_path: Path, state: Path, mongod: MongodProcess) -> None:
    authority = Authority(tmp_path)
    own = authority.server()
    tls = Tls(certificate=own.certificate, key=own.key, client_ca=authority.ca, client_listen=f"127.0.0.1:{free()}")
    shown = Operations(listen=f"127.0.0.1:{free()}", drain_seconds=0)
    web = Http(listen="127.0.0.1:0", client_listen=f"127.0.0.1:{free()}")
    options = {"workers": WORKERS, "http": web, "operations": shown, "certificates": (ASKING_BOTS,)}
    async with served(tmp_path, state, mongod.uri, tls=tls, seconds=250, **options) as plain:  # type: ignore[arg-type]
        plain.operations = shown.listen
        async with secured(plain, plain.address, own, CONNECTIONS) as clients:
            await all_workers_take_tokens(plain, clients, authority.ca)
            await one_worker_reads_what_all_would_read(plain)
            await certificates_are_demanded_at_their_address(plain, tls.client_listen, own, authority.agent())
            await certificates_are_demanded_over_https(f"https://{web.client_listen}", own, authority.agent())
            await verified_log(clients[0])
            await renewed_certificate_is_shown_though_a_stream_goes_on(plain, clients, authority.server(), own)
        plain.process.terminate()
        assert await asyncio.wait_for(plain.process.wait(), 40) == 0


@asynccontextmanager
async def secured(server: Served, address: str, pair: Pair, count: int = 1) -> AsyncIterator[list[Served]]:
    """The server over connections of their own, with a certificate where `pair` is a client's."""
    shows = (pair.key.read_bytes(), pair.certificate.read_bytes()) if address != server.address else (None, None)
    trusted = grpc.ssl_channel_credentials(pair.ca.read_bytes(), *shows)
    async with AsyncExitStack() as stack:
        own = [("grpc.use_local_subchannel_pool", 1)]
        channels = [grpc.aio.secure_channel(address, trusted, own) for _ in range(count)]
        yield [replace(server, channel=await stack.enter_async_context(channel)) for channel in channels]


async def allowed(client: Served) -> bool:
    answer = await client.decisions.Authorize(asking(), metadata=client.metadata("report-bot"), timeout=5)
    return answer.effect == Effect.EFFECT_ALLOW


async def all_workers_take_tokens(server: Served, clients: Sequence[Served], trusted: Path) -> None:
    for client in clients:
        await eventually(lambda client=client: allowed(client), seconds=30)  # type: ignore[misc]
    refused = (await Ledger().ask(server, asking())).refusal
    assert refused is not None
    assert refused.code == "UNAVAILABLE", "plaintext is not answered"
    for _ in clients:
        assert await http_status(server.http, trusted) == 200


async def http_status(url: str, trusted: Path, pair: Pair | None = None) -> int:
    """The status of a page that needs no token, over HTTPS."""
    context = ssl.create_default_context(cafile=str(trusted))
    if pair:
        context.load_cert_chain(pair.certificate, pair.key)
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/.well-known/authzen-configuration", ssl=context) as response,
    ):
        return response.status


async def one_worker_reads_what_all_would_read(server: Served) -> None:
    """Gauges that are read from MongoDB come from one worker, and the whole has them once."""

    async def counted() -> list[bool]:
        texts = [(await seen(f"unix:{status(pid)}", "/metrics")).text for pid in workers(server)]
        return [any(name in samples(text) for name in OF_MONGODB) for text in texts]

    async def is_counted() -> bool:
        return any(await counted())

    await eventually(is_counted, seconds=20)
    assert sorted(await counted()) == [False, True]
    await asyncio.sleep(1.05)
    whole = samples((await seen(server.operations, "/metrics")).text)
    assert {name: whole[name] for name in OF_MONGODB[:2]} == {"pdp_approvals_open": 0, "pdp_approval_oldest_seconds": 0}


def status(pid: int) -> str:
    """The socket on which a worker shows its health."""
    return command(pid).rstrip(b"\0").rpartition(b"\0")[2].decode()


async def certificates_are_demanded_at_their_address(server: Served, address: str, own: Pair, agent: Pair) -> None:
    bot = {"type": "bot", "id": "report-bot"}
    async with secured(server, address, agent, CONNECTIONS) as clients:
        for client in clients:
            answer = await client.decisions.Authorize(asking(subject=bot, onBehalfOf=[]), timeout=5)
            assert answer.decision_id
    trusted = grpc.ssl_channel_credentials(own.ca.read_bytes())
    async with grpc.aio.secure_channel(address, trusted) as channel:
        refused = (await Ledger().ask(replace(server, channel=channel), asking())).refusal
    assert refused is not None
    assert refused.code == "UNAVAILABLE"


async def certificates_are_demanded_over_https(url: str, own: Pair, agent: Pair) -> None:
    assert await http_status(url, own.ca, agent) == 200
    with pytest.raises(aiohttp.ClientError):
        await http_status(url, own.ca)


async def renewed_certificate_is_shown_though_a_stream_goes_on(
    server: Served, clients: Sequence[Served], new: Pair, own: Pair
) -> None:
    before = set(workers(server))
    watching = [client.channel.unary_stream(WATCH)(b"") for client in clients]
    assert all([health_pb2.HealthCheckResponse.FromString(await watch.read()).status for watch in watching])
    shutil.copy(new.key, own.key)
    shutil.copy(new.certificate, own.certificate)
    server.process.send_signal(signal.SIGHUP)
    server.process.send_signal(signal.SIGHUP)
    async with asyncio.timeout(100):
        while "all workers are replaced" not in server.said:
            assert await allowed(clients[0])
            await asyncio.sleep(0.2)
    assert before.isdisjoint(workers(server))
    host, _, port = server.address.rpartition(":")
    shown = await asyncio.to_thread(ssl.get_server_certificate, (host, int(port)))
    renewed = x509.load_pem_x509_certificate(new.pem).serial_number
    assert x509.load_pem_x509_certificate(shown.encode()).serial_number == renewed
    for watch in watching:
        assert await asyncio.wait_for(end(watch), 10), "it ended with its worker"


async def end(call: Any) -> bool:
    """Whether a stream ends, and not before."""
    try:
        while await call.read() is not grpc.aio.EOF:
            pass
    except grpc.aio.AioRpcError as error:
        return error.code() is grpc.StatusCode.UNAVAILABLE
    return True
