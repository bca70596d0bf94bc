"""The edge between gRPC and the handlers: it authenticates callers, then takes requests, and maps errors.

1. Every handler is of gRPC's streaming kind, because a unary one gets its message before our code runs. On the wire a
   client cannot tell the two apart. So who cannot prove who it is has sent no message that anybody received.
2. Requests are parsed here, not by gRPC, because gRPC would answer INTERNAL to a request that is only malformed.
3. Errors become statuses here, and nowhere else.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, contextmanager
from functools import partial
from typing import Any, NoReturn

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from grpc_status import rpc_status

from pdp import call_summary, correlation, deadline, identifier, metrics
from pdp.admission import Admission
from pdp.authn.authenticator import Authenticator
from pdp.authn.tickets import Tickets
from pdp.call_summary import Calls
from pdp.caller import TAKES_TICKETS, Caller
from pdp.errors import AnswerTooLarge, PdpError, Unauthenticated
from pdp.room import LATER_SECONDS, Room
from pdp.server import outgoing
from pdp.server.arrivals import Arrivals, Context, Rpc
from pdp.server.incoming import Incoming, Open
from pdp.server.lifetime import Again, at_most
from pdp.server.status import status
from pdp.service.info import MESSAGE_BYTES
from pdp.turns import Turns

log = logging.getLogger(__name__)

STREAM_SECONDS = 30 * 60.0
"""Seconds that a stream may take: a limit of the contract."""
LIMITS = {"pdp.v1.ApprovalService/WaitApproval": 61.0}
"""Seconds that a unary call may take if it waits for people: the 60 s of the contract, and one to answer."""


MAX_WAITS = 1024
"""Calls of `LIMITS` of one caller in one process: as many as it may have approvals that wait, and a few."""
MAX_DATA_STREAMS, MOST_DATA_STREAMS = 64, 128
"""Streams in both directions of one service, of one caller and of all callers in one process. Each holds a few messages
of 4 MiB. Each service counts its own, so that masking many files leaves the streams of decisions their places."""
OF_QUESTIONS = frozenset({"pdp.v1.DecisionService/StreamAuthorize"})
"""The RPCs whose streams carry questions. The others' carry data."""
_ASKED = frozenset(rpc.removeprefix("pdp.v1.").partition("/")[0] for rpc in OF_QUESTIONS)
MOST_QUESTION_STREAMS = 1024
"""Streams of questions of all callers in one process: each program keeps one open. A quiet one costs 30 KiB."""


class Edge:
    """Turns services into gRPC handlers. Every RPC of a descriptor gets one; a missing method fails at start."""

    def __init__(
        self,
        authenticator: Authenticator,
        admission: Admission,
        turns: Turns,
        *,
        certificates: bool = False,
        stream_seconds: float = STREAM_SECONDS,
        proven: Callable[[str], None] | None = None,
        calls: Calls | None = None,
        tickets: Tickets | None = None,
        tickets_alone: bool = False,
    ) -> None:
        """`admission`, `turns` and `calls` are those of all faces.

        `certificates` says that clients may come with certificates. `proven` gets each call's peer that may call.
        `tickets` are taken by one RPC; with `tickets_alone` nothing else counts without a certificate.
        """
        self._proven, self._calls, self._incoming = proven, calls or Calls(), Incoming(turns)
        self._authenticator, self._certificates, self._admission = authenticator, certificates, admission
        self._tickets, self._tickets_alone = tickets, tickets_alone
        self._stream_seconds, self._arrivals = stream_seconds, Arrivals()
        self._waits = Room(
            MAX_WAITS, f"this caller has {MAX_WAITS:,} waits here, which is the most; end one of them", LATER_SECONDS
        )
        self._streams: dict[str, tuple[Room, Room]] = {}

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
            return grpc.stream_stream_rpc_method_handler(self._stream(method, behaviour), response_serializer=serialize)
        return grpc.stream_unary_rpc_method_handler(self._unary(method, behaviour), response_serializer=serialize)

    def _rpc(self, method: MethodDescriptor) -> Rpc:
        rpc = Rpc(method)
        self._calls.count([rpc.name])
        return rpc

    def _unary(
        self, method: MethodDescriptor, behaviour: Callable[[Message, Caller], Awaitable[Message]]
    ) -> Callable[[object, Context], Awaitable[Message]]:
        rpc = self._rpc(method)

        async def handle(_: object, context: Context) -> Message:
            with self._calls.summary(rpc.name):
                try:
                    deadline.begin(context.time_remaining(), LIMITS.get(rpc.name), deadline.default(rpc.name))
                    caller = await self._caller(rpc, context)
                    self._admission.require(caller.identity, has_room_of_its_own=rpc.name in LIMITS)
                    async with (
                        self._arrivals.request(rpc, caller, context) as request,
                        self._room(rpc.name, request, caller, partial(self._caller, rpc, context)),
                    ):
                        return _fitting(await behaviour(request, caller))
                except Exception as error:  # noqa: BLE001  # the one place where errors become statuses
                    await self._fail(rpc.name, context, error)

        return handle

    def _stream(
        self, method: MethodDescriptor, behaviour: Callable[[Message, Caller], AsyncGenerator[Message]]
    ) -> Callable[[object, Context], Awaitable[None]]:
        """A handler that writes the answers itself: gRPC would not close the generator if it iterated it."""
        rpc = self._rpc(method)

        async def handle(_: object, context: Context) -> None:
            with self._calls.summary(rpc.name):
                try:
                    caller = await self._caller(rpc, context)
                    self._admission.require(caller.identity, has_room_of_its_own=True)
                    async with (
                        self._arrivals.request(rpc, caller, context) as request,
                        at_most(STREAM_SECONDS, caller, partial(self._caller, rpc, context)),
                        aclosing(behaviour(request, caller)) as answers,
                    ):
                        async for message in answers:
                            await outgoing.write(context, message)
                except Exception as error:  # noqa: BLE001  # the one place where errors become statuses
                    await self._fail(rpc.name, context, error)

        return handle

    def _duplex(
        self,
        method: MethodDescriptor,
        behaviour: Callable[[AsyncIterator[Any], Caller], AsyncGenerator[Message | bytes]],
    ) -> Callable[[object, Context], Awaitable[None]]:
        """A handler that also reads the requests itself.

        It takes an Arrow message out of its envelope. An answer that is in its envelope already is sent as it is.
        """
        rpc = self._rpc(method)
        incoming = partial(self._incoming.questions if rpc.name in OF_QUESTIONS else self._incoming.data, rpc)

        async def handle(_: object, context: Context) -> None:
            with self._calls.summary(rpc.name):
                try:
                    caller = await self._caller(rpc, context)
                    self._admission.require(caller.identity, has_room_of_its_own=True)
                    stream = Open.of(context, caller, self._stream_seconds)
                    await context.send_initial_metadata((("stream-seconds", f"{stream.seconds:g}"),))
                    answering = behaviour(incoming(stream), caller)
                    with self._streaming(method.containing_service.name, caller.identity):
                        again = partial(self._caller, rpc, context)
                        async with at_most(self._stream_seconds, caller, again), aclosing(answering) as answers:
                            write = stream.write if rpc.name in OF_QUESTIONS else partial(outgoing.write, context)
                            async for message in answers:
                                await write(message)
                except Exception as error:  # noqa: BLE001  # the one place where errors become statuses
                    await self._fail(rpc.name, context, error)

        return handle

    def end(self) -> None:
        """Read no further questions of streams: the server stops, and answers what it has read."""
        self._incoming.end()

    def _room(self, rpc: str, request: Message, caller: Caller, again: Again) -> AbstractAsyncContextManager[None]:
        """The call's place among the others; one that waits for people has time of its own in its stead."""
        if rpc in LIMITS:
            return self._waiting(LIMITS[rpc], caller, again)
        questions = len(getattr(request, "items", "1"))
        return self._admission.admitted(caller.identity, questions, request.ByteSize(), paid=1)

    @asynccontextmanager
    async def _waiting(self, seconds: float, caller: Caller, again: Again) -> AsyncIterator[None]:
        with self._waits.taken(caller.identity):
            async with at_most(seconds, caller, again):
                yield

    async def _fail(self, rpc: str, context: Context, error: Exception) -> NoReturn:
        self._admission.shedding.see(error)
        await abort(rpc, context, error)

    @contextmanager
    def _streaming(self, service: str, caller: str) -> Iterator[None]:
        """A stream's place among those of its service, and of its caller. Raises `Overloaded` where there is none."""
        if service not in self._streams:
            of, most = ("questions", MOST_QUESTION_STREAMS) if service in _ASKED else ("data", MOST_DATA_STREAMS)
            told = f"this caller has {MAX_DATA_STREAMS} streams of {of} here, which is the most; end one of them"
            full = f"there are {most} streams of {of} here, which is the most; try again later"
            self._streams[service] = (Room(MAX_DATA_STREAMS, told, LATER_SECONDS), Room(most, full, LATER_SECONDS))
        of_one, of_all = self._streams[service]
        with of_one.taken(caller), of_all.taken(service):
            yield

    async def _caller(self, rpc: Rpc, context: Context) -> Caller:
        sent = _sent(context)
        certificate = chain = b""
        if self._certificates:
            shown = context.auth_context()
            certificate, chain = (
                next(iter(shown.get(name, ())), b"") for name in ("x509_pem_cert", "x509_pem_cert_chain")
            )
        authorization = "" if len(sent) > 1 else next(iter(sent), None)
        with metrics.AUTHENTICATE.took():
            caller = self._tickets.caller(authorization) if self._tickets and rpc.name == TAKES_TICKETS else None
            if caller is None and self._tickets_alone and not certificate:
                raise Unauthenticated("without a client certificate only the ticket of a mask job is taken here")
            caller = caller or await self._authenticator.caller(authorization, certificate, chain)
        if self._proven is not None:
            self._proven(context.peer())
        self._calls.proven()
        caller.may_call(rpc.name)
        return caller


def _sent(context: Context) -> list[str]:
    """The credentials that a call came with. By the ids that it came with the log knows it from now on."""
    sent = list[str]()
    ids = list[str]()
    parents = list[str]()
    for key, value in context.invocation_metadata() or ():
        if key == "authorization":
            sent.append(str(value))
        elif key == correlation.REQUEST_ID:
            ids.append(str(value))
        elif key == correlation.TRACE_PARENT:
            parents.append(str(value))
    if ids or parents:
        correlation.begin(correlation.request_id(ids), correlation.trace_parent(parents))
    return sent


def _fitting(answer: Message) -> Message:
    """The answer. Raises `AnswerTooLarge` where gRPC would fail to send it; what may be large is measured before."""
    if answer.ByteSize() > MESSAGE_BYTES:
        raise AnswerTooLarge(f"the answer is larger than the {MESSAGE_BYTES >> 20} MiB of a message; ask for less")
    return answer


async def abort(rpc: str, context: Context, error: Exception) -> NoReturn:
    """End the call with the status of `error`. What is not ours is logged, and the caller is told where.

    Where gRPC could not send, the client has gone, and there is nobody to tell.
    """
    if isinstance(error, grpc.aio.InternalError):
        raise asyncio.CancelledError from None
    if not isinstance(error, PdpError):
        error_id = identifier.new("rec")[4:]
        log.error("%s failed, error id %s", rpc, error_id, exc_info=error, extra={"error_id": error_id})
        error = PdpError(f"the server failed; its log has the details under {error_id}", error_id=error_id)
    call_summary.answered(error.code)
    error.__traceback__ = error.__context__ = None  # their frames would keep the request until the client has it
    await context.abort_with_status(rpc_status.to_status(status(error)))
    raise AssertionError("abort returned")
