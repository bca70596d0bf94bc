"""The question that a piece of masking is to the policy, and whether its answer fits one message."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from google.protobuf.message import Message

from pdp import grant, sent
from pdp.arrow import token_tree
from pdp.bad_fields import BadFields
from pdp.canonical import refuse_unknown
from pdp.errors import AnswerTooLarge, DigestRequired, InvalidRequest, RequestDiffers
from pdp.service.info import MESSAGE_BYTES
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.mask_pb2 import MaskScope, UnmaskStreamStart

_LATER_BYTES = grant.MAX_BYTES + 1024
"""Bytes of an answer that are not known before its decision is used, at most: the grant, stamps, id of the record."""
_OWN = (*token_tree.OWN, "domains", "tokens_sha256")
"""Members of the context that say which tokens are unmasked; the server alone sets them."""
_OF_SCOPE = frozenset(MaskScope.DESCRIPTOR.fields_by_name) - {"table"}
_OF_START = frozenset(UnmaskStreamStart.DESCRIPTOR.fields_by_name)


def require_fits(answer: Message, advice: str) -> None:
    """Raise `AnswerTooLarge` where an answer, with what is added to it later, is larger than a message."""
    if answer.ByteSize() + _LATER_BYTES > MESSAGE_BYTES:
        raise AnswerTooLarge(f"the answer is larger than the {MESSAGE_BYTES >> 20} MiB of a message; {advice}")


def authorization(action: str, scope: MaskScope) -> AuthorizeRequest:
    """The question that this work is to the policy."""
    with BadFields() as bad:
        bad.tried(refuse_unknown, scope, "scope")
        bad.tried(_refuse_own, action, request := bad.tried(_question, action, scope))
    return request


def _question(action: str, scope: MaskScope) -> AuthorizeRequest:
    with named_as_sent():
        return sent.authorization(action, scope)


def _refuse_own(action: str, request: AuthorizeRequest | None) -> None:
    if request is None or action != "unmask":
        return
    if own := [name for name in _OWN if name in request.context]:
        raise InvalidRequest.fields([(f"scope.context.{name}", "is set by the server; leave it out") for name in own])


@contextmanager
def named_as_sent(within: str = "") -> Iterator[None]:
    """Bad fields of the question to the policy are named as the client wrote them: in its scope, in a stream's start.

    `within` is the member of the client's message that holds the scope, where it is not the message itself.
    """
    try:
        yield
    except (InvalidRequest, RequestDiffers, DigestRequired) as error:
        if not error.violations:
            raise
        violations = [(_as_sent(path, within), text) for path, text in error.violations]
        sentence = "; ".join(f"{path}: {text}" for path, text in violations)
        raise type(error)(sentence, violations=violations, **error.metadata) from None


def _as_sent(path: str, within: str) -> str:
    if path == "resource.id":
        path = "scope.table"
    elif _first(path) in _OF_SCOPE:
        path = f"scope.{path}"
    return f"{within}.{path}" if within and _first(path) in _OF_START else path


def _first(path: str) -> str:
    return re.split(r"[.\[]", path)[0]
