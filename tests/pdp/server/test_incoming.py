"""What ends the reading of a stream: its client, silence, its time, and a server that stops."""

import asyncio
import time
from dataclasses import replace
from typing import Any, cast

import grpc
import pytest

from pdp.caller import Caller
from pdp.errors import InvalidRequest, StreamTimeout, Unauthenticated
from pdp.server import incoming
from pdp.server.arrivals import Rpc
from pdp.server.incoming import Incoming, Open
from pdp.turns import Turns
from pdp.v1 import decision_pb2
from pdp.v1.decision_pb2 import StreamAuthorizeRequest

METHOD = decision_pb2.DESCRIPTOR.services_by_name["DecisionService"].methods_by_name["StreamAuthorize"]
CALLER = Caller.requester("agent:a")


class Wire:
    """A stream on which these messages come; then nothing does."""

    def __init__(self, *bodies: Any) -> None:
        self._bodies = list(bodies)

    async def read(self) -> Any:
        await asyncio.sleep(0 if self._bodies else 60)
        return self._bodies.pop(0)

    async def write(self, _: object) -> None:
        await asyncio.sleep(60)


def stream(*bodies: Any, most: float = 60, caller: Caller = CALLER) -> Open:
    return Open.of(cast("Any", Wire(*bodies)), caller, most)


async def read(opened: Open, made: Incoming | None = None) -> list[Any]:
    return [arrived.read() async for arrived in (made or Incoming(Turns())).questions(Rpc(METHOD), opened)]


async def test_messages_come_unread_until_the_client_ends() -> None:
    body = StreamAuthorizeRequest(id="one").SerializeToString()
    assert [message.id for message in await read(stream(body, body, grpc.aio.EOF))] == ["one", "one"]
    with pytest.raises(InvalidRequest):
        await read(stream(b"\xff"))


async def test_silence_ends_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "IDLE_SECONDS", 0.05)
    with pytest.raises(StreamTimeout, match="nothing came"):
        await read(stream())
    with pytest.raises(StreamTimeout, match="no answer was taken"):
        await stream().write(b"")


async def test_reading_ends_before_the_stream_does_so_that_what_was_read_is_answered() -> None:
    assert stream(most=1800).reading_seconds == 1790
    began = time.monotonic()
    with pytest.raises(StreamTimeout, match="continue in another call"):
        await read(stream(most=0.5))
    assert time.monotonic() - began > 0.4
    soon = replace(CALLER, expires_at=time.time() + 0.2)
    with pytest.raises(Unauthenticated, match="get a new one"):
        await read(stream(caller=soon))


async def test_server_that_stops_reads_no_further_and_that_is_no_error() -> None:
    made = Incoming(Turns())
    reading = [asyncio.create_task(read(stream(), made)) for _ in range(3)]
    await asyncio.sleep(0.01)
    made.end()
    assert await asyncio.gather(*reading) == [[], [], []]
    assert await read(stream(StreamAuthorizeRequest(id="late").SerializeToString()), made) == []
