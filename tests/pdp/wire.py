"""What no client library would send, and what comes back."""

from collections.abc import Awaitable
from typing import Any

import grpc
import pytest
from google.protobuf.struct_pb2 import Struct

from tests.parts import Placet, Refusal, refusal


async def raw(server: Placet, rpc: str, body: bytes, by: str = "report-bot") -> bytes:
    """Bytes that no client library would send."""
    call = server.channel.unary_unary(f"/pdp.v1.{rpc}", None, None)
    answer: bytes = await call(body, metadata=server.metadata(by))
    return answer


async def refused(call: Awaitable[Any]) -> Refusal:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return refusal(caught.value)


def nested(depth: int) -> Struct:
    outermost = innermost = Struct()
    for _ in range(depth - 1):
        innermost = innermost.fields["a"].struct_value
    innermost.fields["a"].bool_value = True
    return outermost


def wire(tag: int, body: bytes) -> bytes:
    """One length-delimited field."""
    length, encoded = len(body), b""
    while True:
        byte, length = length & 0x7F, length >> 7
        encoded += bytes([byte | (0x80 if length else 0)])
        if not length:
            return bytes([tag << 3 | 2]) + encoded + body
