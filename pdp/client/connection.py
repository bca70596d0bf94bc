"""A connection to a Placet server, and the decisions that come over it."""

import asyncio
from collections.abc import Awaitable, Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import uuid4

import grpc
from google.protobuf.message import Message

from pdp.client.backoff import Backoff
from pdp.client.call_error import CallError, call_error
from pdp.client.decision import Decision
from pdp.client.diagnosis import explained
from pdp.client.expected import expecting, is_expecting
from pdp.client.facts import Facts, unsaid
from pdp.client.link import KEEPALIVE_SECONDS, Link
from pdp.client.question import question
from pdp.client.resets import Resets
from pdp.client.services import Services
from pdp.client.stream import Stream
from pdp.client.token import Metadata, Source, Token
from pdp.client.waiting import Told, waited
from pdp.environment import Environment
from pdp.v1.approval_pb2 import Approval, GetApprovalRequest
from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse
from pdp.v1.info_pb2 import GetServerInfoRequest, GetServerInfoResponse

TIMEOUT_SECONDS = 5.0
"""Seconds that a call may take with all its attempts, unless the program says otherwise."""
ATTEMPTS = 4
"""Attempts of one decision while the server is away; with their pauses they fit into the timeout."""
_DIFFERING = {"REQUEST_DIFFERS", "DIGEST_REQUIRED"}
"""With these nothing was decided, because the server is another one than the facts were of."""
_Request = TypeVar("_Request", bound=Message)
_Answer = TypeVar("_Answer", bound=Message)


class Client(Services):
    """A connection to a Placet server.

    `address` is `host:port`, `unix:/path`, or `dns:///host:port`, which spreads calls over all servers of a host. TLS
    comes with `ca`, the PEM file of the server's authority; without, the address must be on this machine. `certificate`
    and `key` are PEM files of the client's own. `token` is a text or a function that returns the token of now,
    `token_file` a file that something renews: both are read for each call. What is left out comes from the environment:
    `PDP_ADDRESS`, `PDP_TOKEN` or `PDP_TOKEN_FILE`, `PDP_CA`, `PDP_CERTIFICATE`, `PDP_KEY`; `pdp dev -- COMMAND` sets
    the first two. `understands` lists the obligation types that the program meets. Each call ends within `timeout`
    seconds; only `UNAVAILABLE` is tried again, under one request id. A ping each `keepalive` seconds notices a dead
    connection. A client belongs to the event loop and the process that use it first.
    """

    def __init__(
        self,
        address: str | None = None,
        token: str | Source | None = None,
        *,
        token_file: str | Path | None = None,
        ca: str | Path | None = None,
        certificate: str | Path | None = None,
        key: str | Path | None = None,
        timeout: float = TIMEOUT_SECONDS,
        keepalive: float = KEEPALIVE_SECONDS,
        understands: Collection[str] = (),
    ) -> None:
        if isinstance(understands, str):
            raise TypeError("understands takes a list of obligation types")
        if not timeout > 0:
            raise ValueError("timeout must be more than 0 seconds")
        environment = Environment.read()
        self.timeout, address = timeout, environment.address if address is None else address
        self._token = Token.of(token, token_file, environment)
        self._understood = frozenset(understands)
        files = (ca, environment.ca), (certificate, environment.certificate), (key, environment.key)
        self.at = (address, *(str(own if given is None else given) for given, own in files))
        self._link = Link(address, self.at[1:], keepalive)
        self._facts = Facts(self._link, self._info)
        self.resets = Resets()  # of connections while they opened
        self._certified = bool(certificate or environment.certificate)

    @property
    def channel(self) -> grpc.aio.Channel:
        """The channel, in the event loop and the process that used it first. Others get a `RuntimeError`."""
        return self._link.channel

    @property
    def metadata(self) -> Metadata:
        """What goes with the next call: the token of now. Raises `CallError` where the source has none."""
        return self._token.metadata

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        await self._link.close()

    async def is_renewed(self, used: Metadata) -> bool:
        """Whether another token than the `used` one is there, now or in a moment."""
        return await self._token.is_renewed(used)

    def noticed(self, error: grpc.aio.AioRpcError) -> None:
        """An error of a stub's call, after which the server may be another one. `call` and the rest see to theirs."""
        self._facts.noticed(error)

    async def facts(self, *, anew: bool = False) -> GetServerInfoResponse:
        """Realm, keys, features and who the caller is: asked once a connection. Raises `CallError`."""
        metadata = self.metadata
        try:
            return await self._facts.now(self.timeout, anew=anew)
        except grpc.aio.AioRpcError as error:
            raise await explained(self._failure(error, metadata), *self.at) from None

    async def expecting(self, request: _Request, seconds: float | None = None) -> _Request:
        """The request as it is sent: with the digest that it expects of itself, if the server takes one.

        Raises `AioRpcError` where the server does not say what it takes. Every server says it, so one that seems not to
        is behind something that lets other services through; without a digest, what is lost there stays unknown.
        """
        if not is_expecting(request):
            return request
        try:
            facts = await self._facts.now(self.timeout if seconds is None else seconds)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNIMPLEMENTED:
                raise
            raise unsaid(error) from None
        return expecting(request, facts)

    async def authorize(
        self,
        subject: str,
        action: str,
        resource: str,
        *,
        on_behalf_of: Sequence[str] = (),
        properties: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
        request_id: str = "",
        approval_id: str = "",
        justification: str = "",
        dry_run: bool = False,
        explain: bool = False,
        want_grant: bool = False,
    ) -> Decision:
        """May `subject` do `action` to `resource`? Never raises for an answer or an error of the server.

        Subjects and resources are written `<type>:<id>`; `properties` are the resource's. Pass a `request_id` (your
        tool-call id) to go on with its approval in a later call. Each call is an attempt of its own: an approval that
        an earlier one used is denied. `ValueError` where an argument cannot be sent.
        """
        request = question(subject, action, resource, on_behalf_of=on_behalf_of, properties=properties, context=context)
        request.request_id, request.approval_id, request.justification = request_id, approval_id, justification
        request.dry_run, request.explain, request.want_grant = dry_run, explain, want_grant
        return await self.decide(request)

    async def decide(self, request: AuthorizeRequest) -> Decision:
        """`authorize` for a ready message. What makes the same attempt in several calls sets its `attempt_id`."""
        own = AuthorizeRequest()
        own.CopyFrom(request)
        own.request_id = request.request_id or uuid4().hex
        own.attempt_id = request.attempt_id or uuid4().hex
        return await self._decision(own, self._ask(own))

    def stream(self) -> Stream:
        """Ask many questions over one stream: `async with pdp.stream() as ask: decision = await ask(…)`."""
        return Stream(self, self._decision, self._failure)

    async def call(self, rpc: "grpc.aio.UnaryUnaryMultiCallable[_Request, _Answer]", request: _Request) -> _Answer:
        """One call of an RPC of `decisions`, `approvals`, `reviews`, `audit` or `info`. Raises `CallError`."""
        try:
            return await self._call(rpc, request, self.timeout)
        except CallError as error:
            raise await explained(error, *self.at) from None

    async def wait(
        self,
        approval_id: str,
        *,
        timeout: float,  # noqa: ASYNC109  # the time of many calls
        told: Told | None = None,
    ) -> Approval:
        """The approval as soon as it is PENDING no longer, or as it is after `timeout` seconds. Raises `CallError`.

        Act only on an approval that is APPROVED. While the server is away it is asked again; `told` hears why the
        connection broke, and None when it is there again.
        """
        approval = await waited(self, approval_id, timeout, told)
        if approval is not None:
            return approval
        return (await self.call(self.approvals.GetApproval, GetApprovalRequest(approval_id=approval_id))).approval

    async def _decision(self, asked: AuthorizeRequest, answering: Awaitable[AuthorizeResponse]) -> Decision:
        try:
            answer = await answering
        except CallError as error:
            return Decision(AuthorizeResponse(), self._understood, await explained(error, *self.at))
        answer.dry_run |= asked.dry_run
        return Decision(answer, self._understood)

    async def _ask(self, request: AuthorizeRequest) -> AuthorizeResponse:
        """Ask until there is an answer, as long as the timeout and the attempts last."""
        clock = asyncio.get_running_loop().time
        end, backoff = clock() + self.timeout, Backoff()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._call(self.decisions.Authorize, request, max(end - clock(), 0.001))
            except CallError as error:
                if attempt == 1 and error.reason in _DIFFERING:
                    continue
                if error.code != "UNAVAILABLE" or attempt == ATTEMPTS or end - clock() <= backoff.seconds:
                    raise
            await backoff.pause()
        raise AssertionError("the last attempt returns or raises")

    async def _call(
        self, rpc: "grpc.aio.UnaryUnaryMultiCallable[_Request, _Answer]", request: _Request, seconds: float
    ) -> _Answer:
        clock, metadata = asyncio.get_running_loop().time, self.metadata
        end = clock() + seconds
        try:
            asked = await self.expecting(request, seconds)
            return await self.resets.survived(lambda rest: rpc(asked, metadata=metadata, timeout=rest), end)
        except grpc.aio.AioRpcError as error:
            raise self._failure(error, metadata) from None

    async def _info(self, seconds: float) -> GetServerInfoResponse:
        end, ask, token = asyncio.get_running_loop().time() + seconds, self.info.GetServerInfo, self.metadata
        return await self.resets.survived(lambda rest: ask(GetServerInfoRequest(), metadata=token, timeout=rest), end)

    def _failure(self, error: grpc.aio.AioRpcError, metadata: Metadata) -> CallError:
        self.noticed(error)
        failure = call_error(error)
        if failure.code == "UNAUTHENTICATED" and not metadata and not self._certified:
            return failure.advising("no token was sent; set PDP_TOKEN or PDP_TOKEN_FILE, or give token")
        return failure
