"""The digest that a request expects of itself: the server decides nothing if less of it arrives.

It goes to a server that takes it. A request that breaks the contract has none and goes without: the server says what is
wrong with it.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import TypeVar, cast

import grpc
from google.protobuf.message import Message

from pdp.canonical import canonical
from pdp.errors import InvalidRequest
from pdp.sent import authorization, with_defaults
from pdp.v1.decision_pb2 import AuthorizeRequest, BatchAuthorizeRequest
from pdp.v1.info_pb2 import GetServerInfoResponse
from pdp.v1.mask_job_pb2 import StartMaskJobRequest
from pdp.v1.mask_pb2 import (
    GetMaskPlanRequest,
    MaskRequest,
    MaskScope,
    MaskStreamRequest,
    RewrapRequest,
    UnmaskRequest,
    UnmaskStreamRequest,
)

FEATURE = "expected_digest"
_ACTIONS = {
    MaskRequest: "mask",
    MaskStreamRequest: "mask",
    StartMaskJobRequest: "mask",
    GetMaskPlanRequest: "mask",
    UnmaskRequest: "unmask",
    UnmaskStreamRequest: "unmask",
    RewrapRequest: "rewrap",
}
_Request = TypeVar("_Request", bound=Message)


def is_expecting(request: Message) -> bool:
    """Whether messages of this kind say what digest they expect of themselves. The part of a job is decided already."""
    if isinstance(request, MaskStreamRequest) and request.start.HasField("job"):
        return False
    return isinstance(request, AuthorizeRequest | BatchAuthorizeRequest) or type(request) in _ACTIONS


def expecting(request: _Request, facts: GetServerInfoResponse) -> _Request:
    """A copy that says its digests, as far as the server takes them. One that is said already stays."""
    if FEATURE not in facts.features:
        return request
    made = type(request)()
    made.CopyFrom(request)
    for part, asked in _parts(made):
        with suppress(InvalidRequest):
            part.expected_digest = part.expected_digest or canonical(asked(), facts.realm).digest
    return made


def _parts(message: Message) -> Iterator[tuple[AuthorizeRequest | MaskScope, Callable[[], AuthorizeRequest]]]:
    """Each part of a message that says a digest, and what makes the request that it is over."""
    if isinstance(message, AuthorizeRequest):
        yield message, lambda: message
    elif isinstance(message, BatchAuthorizeRequest):
        for item in message.items:
            yield item, partial(with_defaults, item, message.defaults)
    else:
        scope = _scope(message)
        action = "unmask" if isinstance(message, GetMaskPlanRequest) and message.unmask else _ACTIONS[type(message)]
        yield scope, partial(authorization, action, scope)


def _scope(message: Message) -> MaskScope:
    return cast("MaskScope", message.start.scope if hasattr(message, "start") else message.scope)  # type: ignore[attr-defined]


def unsaid(error: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
    """The error of a server that does not say what it takes."""
    details = (
        "what answers here does not say what it takes (GetServerInfo is not implemented), so nothing was asked; let "
        "the gateway on the way pass pdp.v1.InfoService on, too"
    )
    return grpc.aio.AioRpcError(error.code(), error.initial_metadata(), error.trailing_metadata(), details)
