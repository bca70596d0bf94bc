"""The Python client: what agents and the CLI use.

    async with Client("127.0.0.1:4770", token) as pdp:
        decision = await pdp.authorize("agent:report-bot", "read", "table:customers", on_behalf_of=["user:alice"])
        if decision.allowed: ...

Whatever is not a clear allow is not allowed: an error, an unknown effect, an obligation that the program does not know.
"""

import asyncio
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import uuid4

import grpc
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_status import rpc_status

from pdp.address import is_local
from pdp.environment import Environment
from pdp.errors import PdpError
from pdp.v1.approval_pb2 import Approval
from pdp.v1.approval_pb2_grpc import ApprovalServiceStub
from pdp.v1.audit_pb2_grpc import AuditServiceStub
from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse
from pdp.v1.decision_pb2_grpc import DecisionServiceStub
from pdp.v1.info_pb2_grpc import InfoServiceStub
from pdp.v1.mask_pb2_grpc import MaskServiceStub
from pdp.v1.request_pb2 import Action, Effect, Resource, Subject
from pdp.v1.review_pb2_grpc import ReviewServiceStub

TIMEOUT_SECONDS = 5.0
ATTEMPTS = 4
_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 2.0
_OPTIONS = [
    ("grpc.enable_retries", 0),  # ours are under one request id
    ("grpc.enable_http_proxy", 0),  # the server is on this machine
    ("grpc.initial_reconnect_backoff_ms", 100),  # else an attempt fails without trying for a second
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
]
_Request = TypeVar("_Request", bound=Message)
_Answer = TypeVar("_Answer", bound=Message)


class CallError(PdpError):
    """A call that ended with an error: the server's code, reason, sentence, bad fields and metadata."""

    def __init__(
        self,
        code: str,
        reason: str,
        sentence: str,
        violations: Sequence[tuple[str, str]] = (),
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(sentence, violations=violations)
        self.code, self.reason, self.metadata = code, reason, dict(metadata or {})


class Denied(Exception):
    """`Decision.require` was asked for an allow that is none; `decision` says why."""

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

    `address` is `host:port` on loopback or `unix:/path`; what is left out comes from `PDP_ADDRESS` and `PDP_TOKEN`, as
    `pdp dev -- COMMAND` sets them. `understands` lists the obligation types that the program meets. Each call ends
    within `timeout` seconds; only `UNAVAILABLE` is tried again, under one request id.
    """

    def __init__(
        self,
        address: str | None = None,
        token: str | None = None,
        *,
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
        if not is_local(address):
            raise ValueError(
                f"{address!r} is not host:port on this machine (127.0.0.1, [::1], localhost) or unix:/path; "
                "a token must not travel in plaintext"
            )
        if not token.isascii() or not token.isprintable():
            raise ValueError("a token has only printable ASCII characters; was something else copied with it?")
        self.timeout = timeout
        self.metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self._understood = frozenset(understands)
        self.channel = grpc.aio.insecure_channel(address, options=_OPTIONS)
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
    ) -> Decision:
        """May `subject` do `action` to `resource`? Never raises for an answer or an error of the server.

        Subjects and resources are written `<type>:<id>`; `properties` are the resource's. Pass a `request_id` (your
        tool-call id) to be able to repeat the call after a crash. `ValueError` where an argument cannot be sent.
        """
        if isinstance(on_behalf_of, str):
            raise TypeError("on_behalf_of takes a list of <type>:<id>")
        request = AuthorizeRequest(
            subject=_subject(subject),
            on_behalf_of=[_subject(principal) for principal in on_behalf_of],
            action=Action(name=action),
            resource=_resource(resource, properties),
            context=_struct(context, "context"),
            request_id=request_id,
            approval_id=approval_id,
            justification=justification,
            dry_run=dry_run,
            explain=explain,
        )
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

    async def _ask(self, request: AuthorizeRequest) -> AuthorizeResponse:
        """Ask until there is an answer, as long as the timeout and the attempts last."""
        clock = asyncio.get_running_loop().time
        end, pause = clock() + self.timeout, _PAUSE_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._call(self.decisions.Authorize, request, max(end - clock(), 0.001))
            except CallError as error:
                if error.code != "UNAVAILABLE" or attempt == ATTEMPTS or end - clock() <= pause:
                    raise
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311  # jitter
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        raise AssertionError("the last attempt returns or raises")

    async def _call(
        self, rpc: "grpc.aio.UnaryUnaryMultiCallable[_Request, _Answer]", request: _Request, seconds: float
    ) -> _Answer:
        try:
            return await rpc(request, metadata=self.metadata, timeout=seconds)
        except grpc.aio.AioRpcError as error:
            raise call_error(error) from None


def call_error(error: grpc.aio.AioRpcError) -> CallError:
    """A gRPC error as `CallError`; without details of ours its reason is the code."""
    info, bad = ErrorInfo(reason=error.code().name), BadRequest()
    try:
        status = rpc_status.from_call(error)  # type: ignore[arg-type]  # an AioRpcError has what it reads
    except ValueError:  # details that belong to another error
        status = None
    for detail in status.details if status else ():
        if detail.Is(ErrorInfo.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(BadRequest.DESCRIPTOR):
            detail.Unpack(bad)
    violations = [(violation.field, violation.description) for violation in bad.field_violations]
    return CallError(error.code().name, info.reason, error.details() or "no answer", violations, info.metadata)


def _effect(value: int) -> str:
    """A newer server may send an effect that has no name here."""
    return Effect.Name(value) if value in Effect.values() else f"EFFECT_{value}"


def _typed(text: str) -> tuple[str, str]:
    kind, colon, identifier = text.partition(":")
    if not colon:
        raise ValueError(f"{text!r} is not <type>:<id>")
    return kind, identifier


def _subject(text: str) -> Subject:
    kind, identifier = _typed(text)
    return Subject(type=kind, id=identifier)


def _resource(text: str, properties: Mapping[str, Any] | None) -> Resource:
    kind, identifier = _typed(text)
    return Resource(type=kind, id=identifier, properties=_struct(properties, "properties"))


def _struct(members: Mapping[str, Any] | None, name: str) -> Struct | None:
    if members is None:
        return None
    struct = Struct()
    try:
        struct.update(dict(members))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold nothing but what JSON can: {error}") from None
    return struct
