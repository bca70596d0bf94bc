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
    return _varint(tag << 3 | 2) + _varint(len(body)) + body


def _varint(value: int) -> bytes:
    encoded = b""
    while value > 0x7F:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])
