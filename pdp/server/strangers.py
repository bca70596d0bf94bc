"""The calls that need no credential: health and reflection. What they cost is bounded for all strangers together.

1. A few messages arrive at one time, by `LatestFirst`.
2. So many watches and reflections are open at one time; further ones are refused.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import DecodeError, Message

from pdp.errors import InvalidRequest
from pdp.room import LATER_SECONDS, Room
from pdp.server.arrivals import Context
from pdp.server.edge import abort
from pdp.server.latest_first import LatestFirst

READS = 4
"""Messages that arrive at one time, each of at most 4 MiB as gRPC takes them."""
WAITING = 256
"""Calls whose message nobody asks for yet. gRPC holds one flow-control window of each."""
MESSAGE_BYTES = 4096
"""Bytes of a message: a name, of which nobody has longer ones."""
STREAMS = 2048
"""Watches and reflections that are open at one time, at about 10 KiB each."""


_STRANGERS = "strangers"
"""The one name under which all strangers together are counted."""


class Strangers:
    """Turns services into gRPC handlers that do not ask who calls."""

    def __init__(self) -> None:
        self._turns = LatestFirst(READS, WAITING)
        self._streams = Room(
            STREAMS, f"{STREAMS:,} watches and reflections are open, which is the most; try again", LATER_SECONDS
        )

    def handlers(self, service: Any, servicer: object) -> grpc.GenericRpcHandler:
        """The handlers of all RPCs of `service`, from the methods of a servicer that takes messages and contexts."""
        return grpc.method_handlers_generic_handler(
            service.full_name,
            {method.name: self._handler(method, getattr(servicer, method.name)) for method in service.methods},
        )

    def _handler(self, method: MethodDescriptor, behaviour: Callable[..., Any]) -> "grpc.RpcMethodHandler[Any, Any]":
        serialize = message_factory.GetMessageClass(method.output_type).SerializeToString
        if not method.server_streaming:
            return grpc.stream_unary_rpc_method_handler(self._unary(method, behaviour), response_serializer=serialize)
        return grpc.stream_stream_rpc_method_handler(self._stream(method, behaviour), response_serializer=serialize)

    def _unary(
        self, method: MethodDescriptor, behaviour: Callable[[Message, Context], Awaitable[Message]]
    ) -> Callable[[object, Context], Awaitable[Message]]:
        async def handle(_: object, context: Context) -> Message:
            try:
                request = await self._message(method, context)
            except Exception as error:  # noqa: BLE001  # as at the edge
                await abort(method.full_name, context, error)
            return await behaviour(request, context)

        return handle

    def _stream(
        self, method: MethodDescriptor, behaviour: Callable[..., Any]
    ) -> Callable[[object, Context], Awaitable[None]]:
        async def handle(_: object, context: Context) -> None:
            try:
                with self._streams.taken(_STRANGERS):
                    if not method.client_streaming:
                        await behaviour(await self._message(method, context), context)
                        return
                    async for answer in behaviour(self._messages(method, context), context):
                        await context.write(answer)
            except Exception as error:  # noqa: BLE001  # as at the edge
                await abort(method.full_name, context, error)

        return handle

    async def _messages(self, method: MethodDescriptor, context: Context) -> AsyncIterator[Message]:
        while (body := await self._body(context)) is not grpc.aio.EOF:
            yield _parsed(method, body)

    async def _message(self, method: MethodDescriptor, context: Context) -> Message:
        body = await self._body(context)
        return _parsed(method, b"" if body is grpc.aio.EOF else body)

    async def _body(self, context: Context) -> Any:
        """The next message, or gRPC's `EOF`."""
        async with self._turns.turn():
            return await context.read()


def _parsed(method: MethodDescriptor, body: bytes) -> Message:
    try:
        if len(body) <= MESSAGE_BYTES:
            return message_factory.GetMessageClass(method.input_type).FromString(body)
    except DecodeError:
        pass
    raise InvalidRequest.field("request", f"is not a {method.input_type.name} of at most {MESSAGE_BYTES} bytes")
