"""What a client hears instead of an answer: a gRPC error, read."""

from collections.abc import Mapping, Sequence
from typing import Any

import grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_status import rpc_status

from pdp.errors import PdpError
from pdp.v1.decision_pb2 import ItemError

_TOO_MANY_PINGS = "too many pings"


class CallError(PdpError):
    """A call that ended with an error: the server's code, reason, sentence on one line, bad fields and metadata.

    `retry_seconds` is when a retry can help; without it, none is advised.
    """

    def __init__(
        self,
        code: str,
        reason: str,
        sentence: str,
        violations: Sequence[tuple[str, str]] = (),
        metadata: Mapping[str, str] | None = None,
        retry_seconds: float | None = None,
    ) -> None:
        super().__init__(" ".join(sentence.split()), violations=violations)
        self.code, self.reason, self.metadata = code, reason, dict(metadata or {})
        self.retry_seconds = retry_seconds

    def __reduce__(self) -> tuple[Any, ...]:
        """All of it, so that a pool of processes can hand it on."""
        return type(self), (
            self.code,
            self.reason,
            self.sentence,
            self.violations,
            self.metadata,
            self.retry_seconds,
        )

    def advising(self, advice: str) -> "CallError":
        """The same error, and what to do about it."""
        sentence = f"{self.sentence}; {advice}"
        return CallError(self.code, self.reason, sentence, self.violations, self.metadata, self.retry_seconds)


def call_error(error: grpc.aio.AioRpcError) -> CallError:
    """A gRPC error as `CallError`; without details of ours its reason is the code."""
    info, bad, retry = ErrorInfo(reason=error.code().name), BadRequest(), RetryInfo()
    try:
        status = rpc_status.from_call(error)  # type: ignore[arg-type]  # an AioRpcError has what it reads
    except ValueError:  # details that belong to another error
        status = None
    for detail in status.details if status else ():
        if detail.Is(ErrorInfo.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(BadRequest.DESCRIPTOR):
            detail.Unpack(bad)
        elif detail.Is(RetryInfo.DESCRIPTOR):
            detail.Unpack(retry)
    violations = [(violation.field, violation.description) for violation in bad.field_violations]
    seconds = retry.retry_delay.ToMilliseconds() / 1000 if retry.HasField("retry_delay") else None
    made = CallError(error.code().name, info.reason, error.details() or "no answer", violations, info.metadata, seconds)
    if made.code == "UNAVAILABLE" and _TOO_MANY_PINGS in made.sentence.lower().replace("_", " "):
        sentence = (
            "the server closed the connection after too many pings; it takes one each 10 s; make keepalive longer"
        )
        return CallError(made.code, "TOO_MANY_PINGS", sentence)
    return made


def item_error(error: ItemError) -> CallError:
    """The error of one item, or of one message of a stream, as `CallError`."""
    violations = [(violation.field, violation.description) for violation in error.field_violations]
    seconds = error.retry_delay.ToMilliseconds() / 1000 if error.HasField("retry_delay") else None
    return CallError(error.code, error.reason, error.message or "no answer", violations, error.metadata, seconds)
