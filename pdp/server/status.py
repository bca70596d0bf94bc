"""An error as `google.rpc.Status`, small enough for the trailers that every client accepts."""

from urllib.parse import quote

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from pdp.bad_fields import cut, shown
from pdp.errors import DOMAIN, PdpError
from pdp.service.message import duration

MAX_TRAILERS_BYTES = 7 * 1024
"""Bytes of an error in HTTP trailers, per cent encoded and base64: many clients accept at most 8 KiB of trailers."""
_BASE64 = 3 / 4


def status(error: PdpError) -> Status:
    """The error as `google.rpc.Status` with ErrorInfo, and BadRequest and RetryInfo where they apply."""
    sentence = cut(error.sentence)
    details: list[Message] = [ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata)]
    if error.retry_seconds is not None:
        details.append(RetryInfo(retry_delay=duration(int(error.retry_seconds * 1000))))
    made = Status(code=grpc.StatusCode[error.code].value[0], message=sentence, details=map(_packed, details))
    if error.violations:
        room = int((MAX_TRAILERS_BYTES - len(quote(sentence))) * _BASE64) - made.ByteSize()
        fields = [
            BadRequest.FieldViolation(field=path, description=text) for path, text in shown(error.violations, room)
        ]
        made.details.insert(1, _packed(BadRequest(field_violations=fields)))
    return made


def _packed(detail: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(detail)
    return packed
