"""Reads the one message of a call, once its caller is known: by turns, in time, and never more than its RPC takes.

gRPC takes up to 4 MiB for each message that somebody asks for, and holds at most one flow-control window of what
nobody asks for. So a caller's messages are asked for a few at a time, and a stranger's never.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from types import MappingProxyType
from typing import Any, TypeAlias, cast
from weakref import WeakValueDictionary

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import DecodeError, Message

from pdp import deadline
from pdp.caller import Caller
from pdp.canonical import refuse_unknown
from pdp.errors import InvalidRequest
from pdp.room import Room
from pdp.service.info import MESSAGE_BYTES

READS = 4
"""Messages of one caller that arrive at one time in this process, so 16 MiB at most. Its further ones wait."""
READ_SECONDS = 10.0
"""Seconds that a message may take to arrive: as many as a unary call may take."""
SMALL_BYTES = 64 * 1024
"""Bytes of a message. A request has at most 32 KiB, and nothing else that is sent in such messages is larger."""
_MIB = 1024 * 1024

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


LARGE: Mapping[str, int] = MappingProxyType(
    {
        "pdp.v1.DecisionService/BatchAuthorize": 4 * _MIB,
        **dict.fromkeys([f"pdp.v1.MaskService/{name}" for name in ("Mask", "Unmask", "GetMaskPlan")], 16 * _MIB),
        **dict.fromkeys([f"pdp.v1.MaskJobService/{name}" for name in ("StartMaskJob", "FinishMaskJob")], 16 * _MIB),
    }
)
"""The RPCs whose messages may have 4 MiB, and the bytes of them that one caller may have open in this process. In
memory a batch takes about ten times its bytes."""


class Rpc:
    """The name of an RPC, and its requests."""

    def __init__(self, method: MethodDescriptor) -> None:
        self.name = f"{method.containing_service.full_name}/{method.name}"
        self.input = method.input_type
        self._request = message_factory.GetMessageClass(self.input)

    def parsed(self, body: bytes) -> Message:
        """The request in these bytes. Raises `InvalidRequest` if there is none, or one with fields unknown here."""
        try:
            request = self._request.FromString(body)
        except DecodeError:
            name = self._request.DESCRIPTOR.name
            raise InvalidRequest.field(
                "request",
                f"is not a valid {name}: check that its texts are UTF-8 and that it nests at most 32 levels",
            ) from None
        refuse_unknown(request, "request")
        return request


class Arrivals:
    """The messages of all callers of one process."""

    def __init__(self) -> None:
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._rooms = {
            rpc: Room(
                most, f"your open calls of {rpc} may hold {most // _MIB} MiB at one time; try again when one has ended"
            )
            for rpc, most in LARGE.items()
        }

    @asynccontextmanager
    async def request(self, rpc: Rpc, caller: Caller, context: Context) -> AsyncIterator[Message]:
        """The call's one message, which counts as open while the block runs.

        Raises `InvalidRequest` if it is missing, larger than the RPC takes or not a message of its type, and
        `Overloaded` if the caller's open messages leave no room for it.
        """
        body = await self._arrived(caller, context)
        try:
            room = self._rooms.get(rpc.name)
            most = SMALL_BYTES if room is None else MESSAGE_BYTES
            if len(body) > most:
                raise InvalidRequest.field("request", f"is larger than {most} bytes")
            with room.taken(caller.identity, len(body)) if room else nullcontext():
                request = rpc.parsed(body)
                body = b""
                yield request
        finally:
            body = b""  # an error refers to this frame, which would keep it until the client has the error

    async def _arrived(self, caller: Caller, context: Context) -> bytes:
        turns = self._turns.get(caller.identity)
        if turns is None:
            turns = self._turns[caller.identity] = asyncio.Semaphore(READS)
        try:
            with deadline.spent_on(deadline.Stage.ARRIVAL):
                async with deadline.within(READ_SECONDS), turns:
                    body = await context.read()
        except TimeoutError:
            raise deadline.over() from None
        if body is grpc.aio.EOF:
            raise InvalidRequest.field("request", "is missing; send one message")
        return cast("bytes", body)
