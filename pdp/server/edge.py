"""The edge between gRPC and the handlers: it parses requests, sets deadlines, authenticates callers and maps errors.

1. Requests are parsed here, not by gRPC, because gRPC would answer INTERNAL to a request that is only malformed.
2. Errors become `google.rpc.Status` here, and nowhere else.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any, NoReturn, TypeAlias

import grpc
from google.protobuf import message_factory
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from pdp import deadline, identifier
from pdp.admission import Admission
from pdp.arrow import envelope
from pdp.authn.authenticator import Authenticator
from pdp.caller import Caller
from pdp.canonical import refuse_unknown
from pdp.errors import DOMAIN, InvalidRequest, PdpError, StreamTimeout, Unauthenticated

log = logging.getLogger(__name__)

MAX_SHOWN_CHARACTERS = 300
"""Characters of a sentence or a path in an error. The reason is that of `MAX_VIOLATIONS_BYTES`."""
MAX_VIOLATIONS_BYTES = 1500
"""Bytes of the field violations in an error. Errors travel in HTTP trailers, base64 and per cent encoded, and many
clients accept at most 8 KiB of trailers."""

STREAM_SECONDS = 30 * 60.0
"""Seconds that a stream may take: a limit of the contract."""
MAX_STREAMS = 1024
"""Calls at one time on one connection, waits and watches among them. A client's further calls wait for one to end."""
IDLE_SECONDS = 60.0
"""Seconds that a stream in both directions may go without a message from its client: a limit of the contract."""
LIMITS = {"pdp.v1.ApprovalService/WaitApproval": 61.0}
"""Seconds that a unary call may take if it waits for people: the 60 s of the contract, and one to answer."""

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Edge:
    """Turns services into gRPC handlers. Every RPC of a descriptor gets one; a missing method fails at start."""

    def __init__(
        self, authenticator: Authenticator, *, certificates: bool = False, stream_seconds: float = STREAM_SECONDS
    ) -> None:
        """`certificates` says that clients may come with certificates."""
        self._authenticator, self._certificates, self._admission = authenticator, certificates, Admission()
        self._stream_seconds = stream_seconds

    def handlers(self, service: ServiceDescriptor, implementation: object) -> grpc.GenericRpcHandler:
        """The handlers of all RPCs of `service`. The method of `implementation` with an RPC's name serves it."""
        return grpc.method_handlers_generic_handler(
            service.full_name,
            {method.name: self._handler(method, getattr(implementation, method.name)) for method in service.methods},
        )

    def _handler(self, method: MethodDescriptor, behaviour: Callable[..., Any]) -> "grpc.RpcMethodHandler[Any, Any]":
        serialize = message_factory.GetMessageClass(method.output_type).SerializeToString
        if method.client_streaming:
            return grpc.stream_stream_rpc_method_handler(
                self._duplex(method, behaviour),
                response_serializer=lambda answer: answer if isinstance(answer, bytes) else serialize(answer),
            )
        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(self._stream(method, behaviour), response_serializer=serialize)
        return grpc.unary_unary_rpc_method_handler(self._unary(method, behaviour), response_serializer=serialize)

    def _unary(
        self, method: MethodDescriptor, behaviour: Callable[[Message, Caller], Awaitable[Message]]
    ) -> Callable[[bytes, Context], Awaitable[Message]]:
        rpc, request_class = _name(method), message_factory.GetMessageClass(method.input_type)

        async def handle(body: bytes, context: Context) -> Message:
            try:
                deadline.begin(context.time_remaining(), LIMITS.get(rpc))
                caller = await self._caller(rpc, context)
                request = _parsed(request_class, body)
                async with self._room(rpc, request, caller):
                    return await behaviour(request, caller)
            except Exception as error:  # noqa: BLE001  # the one place where errors become statuses
                await _abort(rpc, context, error)

        return handle

    def _stream(
        self, method: MethodDescriptor, behaviour: Callable[[Message, Caller], AsyncGenerator[Message]]
    ) -> Callable[[bytes, Context], Awaitable[None]]:
        """A handler that writes the answers itself: gRPC would not close the generator if it iterated it."""
        rpc, request_class = _name(method), message_factory.GetMessageClass(method.input_type)

        async def handle(body: bytes, context: Context) -> None:
            try:
                caller = await self._caller(rpc, context)
                answering = behaviour(_parsed(request_class, body), caller)
                async with _at_most(STREAM_SECONDS, caller), aclosing(answering) as answers:
                    async for message in answers:
                        await context.write(message)
            except Exception as error:  # noqa: BLE001  # the one place where errors become statuses
                await _abort(rpc, context, error)

        return handle

    def _duplex(
        self,
        method: MethodDescriptor,
        behaviour: Callable[[AsyncIterator[Message | memoryview], Caller], AsyncGenerator[Message | bytes]],
    ) -> Callable[[object, Context], Awaitable[None]]:
        """A handler that also reads the requests itself.

        It takes an Arrow message out of its envelope. An answer that is in its envelope already is sent as it is.
        """
        rpc, request_class = _name(method), message_factory.GetMessageClass(method.input_type)

        async def handle(_: object, context: Context) -> None:
            try:
                caller = await self._caller(rpc, context)
                seconds = max(min(self._stream_seconds, caller.expires_at - time.time()), 0.0)
                await context.send_initial_metadata((("stream-seconds", f"{seconds:g}"),))
                answering = behaviour(_incoming(request_class, context), caller)
                async with _at_most(self._stream_seconds, caller), aclosing(answering) as answers:
                    async for message in answers:
                        await context.write(message)
            except Exception as error:  # noqa: BLE001  # the one place where errors become statuses
                await _abort(rpc, context, error)

        return handle

    def _room(self, rpc: str, request: Message, caller: Caller) -> AbstractAsyncContextManager[None]:
        """The call's place among the others; one that waits for people has time of its own in its stead."""
        if rpc in LIMITS:
            return _at_most(LIMITS[rpc], caller)
        return self._admission.admitted(caller.identity, len(getattr(request, "items", "1")))

    async def _caller(self, rpc: str, context: Context) -> Caller:
        metadata = context.invocation_metadata() or ()
        sent = [str(value) for key, value in metadata if key == "authorization"]
        certificate = b""
        if self._certificates:
            certificate = next(iter(context.auth_context().get("x509_pem_cert", ())), b"")
        authorization = "" if len(sent) > 1 else next(iter(sent), None)
        caller = await self._authenticator.caller(authorization, certificate)
        caller.may_call(rpc)
        return caller


def status(error: PdpError) -> Status:
    """The error as `google.rpc.Status` with ErrorInfo, and BadRequest and RetryInfo where they apply."""
    details: list[Message] = [ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata)]
    if error.violations:
        details.append(BadRequest(field_violations=_shown(error.violations)))
    if error.retry_seconds is not None:
        delay = Duration()
        delay.FromMilliseconds(int(error.retry_seconds * 1000))
        details.append(RetryInfo(retry_delay=delay))
    packed = []
    for detail in details:
        packed.append(AnyMessage())
        packed[-1].Pack(detail)
    return Status(code=grpc.StatusCode[error.code].value[0], message=_cut(error.sentence), details=packed)


def _shown(violations: Sequence[tuple[str, str]]) -> Iterator[BadRequest.FieldViolation]:
    """The first violations, as many as fit into the trailers that every client accepts."""
    room = MAX_VIOLATIONS_BYTES
    for path, text in violations:
        violation = BadRequest.FieldViolation(field=_cut(path), description=_cut(text))
        room -= violation.ByteSize()
        if room < 0:
            return
        yield violation


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[:MAX_SHOWN_CHARACTERS] + "…"


def _name(method: MethodDescriptor) -> str:
    return f"{method.containing_service.full_name}/{method.name}"


def _parsed(request_class: type[Message], body: bytes) -> Message:
    try:
        request = request_class.FromString(body)
    except DecodeError:
        name = request_class.DESCRIPTOR.name
        raise InvalidRequest.field(
            "request",
            f"is not a valid {name}: check that its texts are UTF-8 and that it nests at most 32 levels",
        ) from None
    refuse_unknown(request, "request")
    return request


async def _incoming(request_class: type[Message], context: Context) -> AsyncIterator[Message | memoryview]:
    has_frames = envelope.has_frames(request_class.DESCRIPTOR)
    while True:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                body = await context.read()
        except TimeoutError:
            raise StreamTimeout(f"nothing came for {IDLE_SECONDS:.0f} s; begin again") from None
        if body is grpc.aio.EOF:
            return
        arrow = envelope.unwrap(body) if has_frames else None
        yield _parsed(request_class, body) if arrow is None else arrow


@asynccontextmanager
async def _at_most(seconds: float, caller: Caller) -> AsyncIterator[None]:
    """End the block after `seconds`, or when the caller's credential ends."""
    valid = caller.expires_at - time.time()
    limit = asyncio.timeout(min(seconds, valid))
    try:
        async with limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        if valid < seconds:
            raise Unauthenticated("the token expired during the call; get a new one and continue") from None
        raise StreamTimeout(f"this call ends after {seconds / 60:g} min; continue in another call") from None


async def _abort(rpc: str, context: Context, error: Exception) -> NoReturn:
    if not isinstance(error, PdpError):
        error_id = identifier.new("rec")[4:]
        log.error("%s failed, error id %s", rpc, error_id, exc_info=error)
        error = PdpError(f"the server failed; its log has the details under {error_id}", error_id=error_id)
    await context.abort_with_status(rpc_status.to_status(status(error)))
    raise AssertionError("abort returned")
