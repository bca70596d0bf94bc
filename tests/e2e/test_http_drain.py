"""SIGTERM under calls over HTTP: each is answered, and its connection is closed with the answer."""

import asyncio
import signal
from pathlib import Path

from pdp.config import Http
from pdp.process.mongod import MongodProcess
from tests.faults import failing, served
from tests.pdp.http.test_connection import opened
from tests.web import evaluate, question

GET = b"GET /access/v1/jwks HTTP/1.1\r\nHost: a\r\n\r\n"


async def test_calls_in_flight_are_answered_and_kept_connections_end(
    tmp_path: Path, state: Path, mongod: MongodProcess
) -> None:
    async with served(tmp_path, state, mongod.uri, http=Http(listen="127.0.0.1:0")) as server:
        reader, writer = await opened(server)
        writer.write(GET)
        assert b"connection: close" not in (await reader.readuntil(b"\r\n\r\n")).lower()
        blocked = {"blockConnection": True, "blockTimeMS": 500, "mode": {"times": 1}}
        async with failing(mongod.uri, f"{server.database}.batches", **blocked):
            in_flight = [asyncio.create_task(evaluate(server, question())) for _ in range(8)]
            await asyncio.sleep(0.1)  # they are in the server, whose records wait
            server.process.send_signal(signal.SIGTERM)
            answers = await asyncio.gather(*in_flight)
        assert {answer.status for answer in answers} == {200}
        assert {answer.headers.get("Connection") for answer in answers} == {"close"}
        async with asyncio.timeout(5):
            assert (await reader.read()).startswith(b'{"keys"')
        writer.close()
        assert await asyncio.wait_for(server.process.wait(), 12) == 0
