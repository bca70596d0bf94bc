"""The one message of a call: taken after its caller is known, by turns, and by its length."""

import asyncio
import struct

import grpc

from pdp.v1.decision_pb2 import AuthorizeRequest, BatchAuthorizeRequest
from pdp.v1.info_pb2 import GetServerInfoRequest
from pdp.v1.request_pb2 import Effect
from tests.http2 import Http2, http2
from tests.parts import Placet, asking, refusal
from tests.pdp.wire import raw, refused

AUTHORIZE, BATCH = "pdp.v1.DecisionService/Authorize", "pdp.v1.DecisionService/BatchAuthorize"
KIB, MIB = 1024, 1024 * 1024


def large_batch(size: int = 3 * MIB) -> BatchAuthorizeRequest:
    """A batch that is as large on the wire."""
    item = asking("read")
    item.context.fields["text"].string_value = "x" * (30 * KIB)
    return BatchAuthorizeRequest(items=[item] * (size // item.ByteSize()))


async def test_message_is_refused_by_its_length_before_it_is_parsed(server: Placet) -> None:
    for size, problem in ((64 * KIB, "is not a valid AuthorizeRequest"), (64 * KIB + 1, "is larger than 65536 bytes")):
        why = await refused(raw(server, "DecisionService/Authorize", b"\xff" * size))
        assert (why.code, why.fields) == ("INVALID_ARGUMENT", ("request",))
        assert problem in why.message


async def test_caller_is_known_before_its_message_comes(server: Placet) -> None:
    async with http2(server.address) as connection, asyncio.timeout(5):
        stream = connection.call(AUTHORIZE)
        while stream not in connection.ended:
            connection.wider.clear()
            await connection.wider.wait()


async def test_call_without_a_message_is_an_error(server: Placet) -> None:
    call = server.channel.stream_unary(f"/{AUTHORIZE}", None, AuthorizeRequest.FromString)
    why = await refused(call(iter(()), metadata=server.metadata("report-bot"), timeout=5))
    assert (why.code, why.fields) == ("INVALID_ARGUMENT", ("request",))
    assert "is missing" in why.message


async def begun(server: Placet, connection: Http2, rpc: str, by: str, size: int) -> int:
    """A call that promises a message and sends its first half; the number of its stream."""
    stream = connection.call(rpc, *server.metadata(by))
    await connection.send(stream, b"\0" + struct.pack(">I", size) + b"x" * (size // 2))
    return stream


async def test_caller_whose_messages_come_slowly_keeps_no_other_waiting(server: Placet) -> None:
    async with http2(server.address) as connection:
        for _ in range(40):
            await begun(server, connection, AUTHORIZE, "report-bot", 1000)
        answer = await server.info.GetServerInfo(GetServerInfoRequest(), metadata=server.metadata("alice"), timeout=5)
        assert answer.caller.identity == "user:alice"
        assert not connection.ended, "they have still time to arrive"


async def test_batches_that_a_caller_has_open_are_counted(server: Placet) -> None:
    """Of two at one time the second is refused, and both are answered one after the other."""
    request, metadata = large_batch(), server.metadata("report-bot")

    async def asked() -> str:
        try:
            answer = await server.decisions.BatchAuthorize(request, metadata=metadata, timeout=10)
        except grpc.aio.AioRpcError as error:
            return refusal(error).reason
        assert {result.decision.effect for result in answer.results} == {Effect.EFFECT_ALLOW}
        return "answered"

    outcomes = await asyncio.gather(*(asked() for _ in range(4)))
    assert sorted(set(outcomes)) == ["OVERLOADED", "answered"]
    assert [await asked(), await asked()] == ["answered", "answered"]
