"""Health and reflection need no credential, and nobody can use them up for others."""

from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from pdp.errors import Overloaded
from pdp.server.strangers import MESSAGE_BYTES, READS, STREAMS, Strangers
from tests.http2 import http2
from tests.parts import Placet
from tests.pdp.wire import refused

CHECK = "grpc.health.v1.Health/Check"


async def test_slow_messages_of_strangers_keep_no_health_check_waiting(server: Placet) -> None:
    stub: Any = health_pb2_grpc.HealthStub(server.channel)
    async with http2(server.address) as connection:
        for _ in range(READS * 10):
            await connection.send(connection.call(CHECK), b"\0\0\0\0\x09")
        answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=5)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_large_or_broken_messages_are_refused(server: Placet) -> None:
    for body in (b"x" * (MESSAGE_BYTES + 1), b"\xff"):
        why = await refused(server.channel.unary_unary(f"/{CHECK}", None, None)(body))
        assert (why.code, why.fields) == ("INVALID_ARGUMENT", ("request",))


async def test_unknown_service_is_not_found_as_the_health_protocol_says(server: Placet) -> None:
    stub: Any = health_pb2_grpc.HealthStub(server.channel)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Check(health_pb2.HealthCheckRequest(service="nothing"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_reflection_answers_one_question_after_the_other(server: Placet) -> None:
    call = reflection_pb2_grpc.ServerReflectionStub(server.channel).ServerReflectionInfo()
    for _ in range(3):
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        assert (await call.read()).list_services_response.service
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF


async def test_a_reflection_that_is_dropped_is_not_logged(server: Placet, caplog: pytest.LogCaptureFixture) -> None:
    body = reflection_pb2.ServerReflectionRequest(list_services="").SerializeToString()
    rpc = "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    for _ in range(20):
        async with http2(server.address) as connection:
            for _ in range(20):
                await connection.send(connection.call(rpc), b"\0" + len(body).to_bytes(4, "big") + body)
    await test_reflection_answers_one_question_after_the_other(server)
    assert not caplog.records


def test_open_streams_are_counted() -> None:
    streams = Strangers()._streams
    opened = [streams.taken("strangers") for _ in range(STREAMS)]
    for one in opened:
        one.__enter__()
    with pytest.raises(Overloaded), streams.taken("strangers"):
        pass
    opened[0].__exit__(None, None, None)
    with streams.taken("strangers"):
        pass
