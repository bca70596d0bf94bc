"""An error as `google.rpc.Status`, small enough for the trailers that every client accepts."""

from collections.abc import Iterator, Sequence

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from pdp.errors import DOMAIN, PdpError

MAX_SHOWN_CHARACTERS = 300
"""Characters of a sentence or a path in an error. The reason is that of `MAX_VIOLATIONS_BYTES`."""
MAX_VIOLATIONS_BYTES = 1500
"""Bytes of the field violations in an error. Errors travel in HTTP trailers, base64 and per cent encoded, and many
clients accept at most 8 KiB of trailers."""


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
