"""The question that a piece of masking is to the policy, and whether its answer fits one message."""

from google.protobuf.message import Message

from pdp import grant, sent
from pdp.arrow import token_tree
from pdp.canonical import refuse_unknown
from pdp.errors import InvalidRequest, ValueRefused
from pdp.service.info import MESSAGE_BYTES
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.mask_pb2 import MaskScope

_LATER_BYTES = grant.MAX_BYTES + 1024
"""Bytes of an answer that are not known before its decision is used, at most: the grant, stamps, id of the record."""
_OWN = (*token_tree.OWN, "domains", "tokens_sha256")
"""Members of the context that say which tokens are unmasked; the server alone sets them."""


def require_fits(answer: Message) -> None:
    """Raise `ValueRefused` where an answer, with what is added to it later, is larger than a message."""
    if answer.ByteSize() + _LATER_BYTES > MESSAGE_BYTES:
        raise ValueRefused(
            f"the answer is larger than the {MESSAGE_BYTES >> 20} MiB of a message; send fewer rows or columns"
        )


def authorization(action: str, scope: MaskScope) -> AuthorizeRequest:
    """The question that this work is to the policy."""
    refuse_unknown(scope, "scope")
    request = sent.authorization(action, scope)
    if action == "unmask":
        for name in _OWN:
            if name in request.context:
                raise InvalidRequest.field(f"scope.context.{name}", "is set by the server; leave it out")
    return request
