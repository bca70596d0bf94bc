"""A connection to a Placet server, and the decisions that come over it."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import uuid4

import grpc
from google.protobuf.message import Message

from pdp.client.backoff import Backoff
from pdp.client.call_error import CallError, call_error
from pdp.client.channel import opened
from pdp.client.question import question
from pdp.client.waiting import waited
from pdp.environment import Environment
from pdp.v1.approval_pb2 import Approval, GetApprovalRequest
from pdp.v1.approval_pb2_grpc import ApprovalServiceStub
from pdp.v1.audit_pb2_grpc import AuditServiceStub
from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse
from pdp.v1.decision_pb2_grpc import DecisionServiceStub
from pdp.v1.info_pb2_grpc import InfoServiceStub
from pdp.v1.mask_pb2_grpc import MaskServiceStub
from pdp.v1.request_pb2 import Effect
from pdp.v1.review_pb2_grpc import ReviewServiceStub

TIMEOUT_SECONDS = 5.0
"""Seconds that a call may take with all its attempts, unless the program says otherwise."""
ATTEMPTS = 4
"""Attempts of one decision while the server is away; with their pauses they fit into the timeout."""
_OPTIONS = [
    ("grpc.enable_retries", 0),  # ours are under one request id
    ("grpc.enable_http_proxy", 0),  # a proxy would see tokens, or refuse this machine's own addresses
    ("grpc.initial_reconnect_backoff_ms", 100),  # else an attempt fails without trying for a second
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
]
_Request = TypeVar("_Request", bound=Message)
_Answer = TypeVar("_Answer", bound=Message)


class Denied(Exception):
    """`Decision.require` met a decision that does not allow; `decision` says why."""

    def __init__(self, decision: "Decision") -> None:
        super().__init__(decision.why)
        self.decision = decision


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer, or the error that came instead of one."""

    response: AuthorizeResponse
    understood: frozenset[str]
    error: CallError | None = None

    @property
    def allowed(self) -> bool:
        """A real allow with obligations that this program declared to know. Meet them before acting."""
        return (
            self.error is None
            and self.response.effect == Effect.EFFECT_ALLOW
            and not self.response.dry_run
            and not self.unknown_obligations
        )

    @property
    def needs_approval(self) -> bool:
        """People have to review first: `approval` names what they review."""
        return self.error is None and self.response.effect == Effect.EFFECT_NEEDS_APPROVAL

    @property
    def approval(self) -> Approval | None:
        """The approval that the answer is about."""
        return self.response.approval if self.response.HasField("approval") else None

    @property
    def unknown_obligations(self) -> list[str]:
        """Obligations that turn the allow into a deny here."""
        return [duty.type for duty in self.response.obligations if duty.type not in self.understood]

    @property
    def why(self) -> str:
        """One line for a log or a person; it names the decision."""
        if self.error is not None:
            return f"{self.error.reason}: {self.error.sentence}"
        reasons = "; ".join(f"{reason.reason} [{reason.rule}]" for reason in self.response.reasons)
        unknown = f"; unknown obligations {self.unknown_obligations}" if self.unknown_obligations else ""
        dry = "; only a dry run" if self.response.dry_run else ""
        return f"{_effect(self.response.effect)}: {reasons}{unknown}{dry} ({self.response.decision_id})"

    def require(self) -> "Decision":
        """This decision if it allows; raises `Denied` otherwise."""
        if not self.allowed:
            raise Denied(self)
        return self


class Client:
    """A connection to a Placet server.

    `address` is `host:port`, or `unix:/path`. TLS comes with `ca`, the PEM file of the server's authority; without, the
    address must be on this machine. `certificate` and `key` are PEM files of the client's own. What is left out comes
    from the environment: `PDP_ADDRESS`, `PDP_TOKEN`, `PDP_CA`, `PDP_CERTIFICATE`, `PDP_KEY`; `pdp dev -- COMMAND` sets
    the first two. `understands` lists the obligation types that the program meets. Each call ends within `timeout`
    seconds; only `UNAVAILABLE` is tried again, under one request id.
    """

    def __init__(
        self,
        address: str | None = None,
        token: str | None = None,
        *,
        ca: str | Path | None = None,
        certificate: str | Path | None = None,
        key: str | Path | None = None,
        timeout: float = TIMEOUT_SECONDS,
        understands: Collection[str] = (),
    ) -> None:
        if isinstance(understands, str):
            raise TypeError("understands takes a list of obligation types")
        if not timeout > 0:
            raise ValueError("timeout must be more than 0 seconds")
        environment = Environment.read()
        address = environment.address if address is None else address
        token = environment.token if token is None else token
        if not token.isascii() or not token.isprintable():
            raise ValueError("a token has only printable ASCII characters; was something else copied with it?")
        self.timeout = timeout
        self.metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self._understood = frozenset(understands)
        files = (ca, environment.ca), (certificate, environment.certificate), (key, environment.key)
        self.channel = opened(address, [str(own if given is None else given) for given, own in files], _OPTIONS)
        self.decisions = DecisionServiceStub(self.channel)
        self.approvals = ApprovalServiceStub(self.channel)
        self.reviews = ReviewServiceStub(self.channel)
        self.masks = MaskServiceStub(self.channel)
        self.audit = AuditServiceStub(self.channel)
        self.info = InfoServiceStub(self.channel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        await self.channel.close()

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
        tool-call id) to be able to repeat the call after a crash. `ValueError` where an argument cannot be sent.
        """
        request = question(subject, action, resource, on_behalf_of=on_behalf_of, properties=properties, context=context)
        request.request_id, request.approval_id, request.justification = request_id, approval_id, justification
        request.dry_run, request.explain, request.want_grant = dry_run, explain, want_grant
        return await self.decide(request)

    async def decide(self, request: AuthorizeRequest) -> Decision:
        """`authorize` for a ready message."""
        asked = AuthorizeRequest()
        asked.CopyFrom(request)
        asked.request_id = request.request_id or uuid4().hex
        try:
            answer = await self._ask(asked)
        except CallError as error:
            return Decision(AuthorizeResponse(), self._understood, error)
        answer.dry_run |= asked.dry_run
        return Decision(answer, self._understood)

    async def call(self, rpc: "grpc.aio.UnaryUnaryMultiCallable[_Request, _Answer]", request: _Request) -> _Answer:
        """One call of an RPC of `decisions`, `approvals`, `reviews`, `audit` or `info`. Raises `CallError`."""
        return await self._call(rpc, request, self.timeout)

    async def wait(self, approval_id: str, *, timeout: float) -> Approval:  # noqa: ASYNC109  # the time of many calls
        """The approval as soon as it is PENDING no longer, or as it is after `timeout` seconds. Raises `CallError`.

        Act only on an approval that is APPROVED. While the server is away it is asked again.
        """
        approval = await waited(self.approvals, self.metadata, approval_id, timeout)
        if approval is not None:
            return approval
        return (await self.call(self.approvals.GetApproval, GetApprovalRequest(approval_id=approval_id))).approval

    async def _ask(self, request: AuthorizeRequest) -> AuthorizeResponse:
        """Ask until there is an answer, as long as the timeout and the attempts last."""
        clock = asyncio.get_running_loop().time
        end, backoff = clock() + self.timeout, Backoff()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._call(self.decisions.Authorize, request, max(end - clock(), 0.001))
            except CallError as error:
                if error.code != "UNAVAILABLE" or attempt == ATTEMPTS or end - clock() <= backoff.seconds:
                    raise
            await backoff.pause()
        raise AssertionError("the last attempt returns or raises")

    async def _call(
        self, rpc: "grpc.aio.UnaryUnaryMultiCallable[_Request, _Answer]", request: _Request, seconds: float
    ) -> _Answer:
        try:
            return await rpc(request, metadata=self.metadata, timeout=seconds)
        except grpc.aio.AioRpcError as error:
            raise call_error(error) from None


def _effect(value: int) -> str:
    """A newer server may send an effect that has no name here."""
    return Effect.Name(value) if value in Effect.values() else f"EFFECT_{value}"
