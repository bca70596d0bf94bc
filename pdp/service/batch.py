"""AuthZEN's Access Evaluations: defaults filled in, semantics, errors in the place of items."""

from collections.abc import Iterator

from pdp.canonical import MAX_REQUEST_BYTES, refuse_unknown
from pdp.decision import Effect
from pdp.errors import InvalidRequest, PdpError
from pdp.sent import has_context, refuse_both_forms, with_defaults
from pdp.v1.decision_pb2 import (
    AuthorizeRequest,
    BatchAuthorizeRequest,
    BatchSemantics,
    FieldViolation,
    ItemError,
)

MAX_ITEMS = 1000
"""Items of a batch, as the contract says."""
MAX_BYTES = 4 * 1024 * 1024
"""Bytes of a batch with its defaults filled in: a short default must not become gigabytes in a thousand items."""

_WHOLE = ("subject", "action", "resource")


class Batch:
    """A checked batch. Raises `InvalidRequest` where it is refused as a whole."""

    def __init__(self, request: BatchAuthorizeRequest) -> None:
        if not 1 <= len(request.items) <= MAX_ITEMS:
            raise InvalidRequest.field("items", f"holds {len(request.items)}; send 1 to {MAX_ITEMS}")
        for name in ("request_id", "approval_id", "supersedes", "attempt_id", "expected_digest"):
            if getattr(request.defaults, name):
                raise InvalidRequest.field(f"defaults.{name}", "belongs to one item; set it on that item")
        if request.semantics not in BatchSemantics.values():
            raise InvalidRequest.field("semantics", "has a value that this server does not know")
        refuse_unknown(request.defaults, "defaults")
        refuse_both_forms(request.defaults, "defaults")
        self._request = request
        _check_size(request)

    def items(self) -> Iterator[AuthorizeRequest]:
        """Each item with the defaults filled in, member by member."""
        for item in self._request.items:
            yield with_defaults(item, self._request.defaults)

    def stops_at(self, effect: Effect) -> bool:
        """Whether this answer is the last one that is wanted."""
        if self._request.semantics == BatchSemantics.BATCH_SEMANTICS_DENY_ON_FIRST_DENY:
            return effect is not Effect.ALLOW
        if self._request.semantics == BatchSemantics.BATCH_SEMANTICS_PERMIT_ON_FIRST_PERMIT:
            return effect is Effect.ALLOW
        return False


def item_error(error: PdpError) -> ItemError:
    """The error that an item would have got alone."""
    return ItemError(
        code=error.code,
        reason=error.reason,
        message=error.sentence,
        field_violations=[FieldViolation(field=path, description=text) for path, text in error.violations],
        metadata=error.metadata,
    )


def _check_size(request: BatchAuthorizeRequest) -> None:
    """Refuse before merging what would be too much after it; a default counts in every item that takes it."""
    sizes = {name: getattr(request.defaults, name).ByteSize() for name in _WHOLE}
    context = request.defaults.context.ByteSize() + len(request.defaults.context_json.encode())
    chain = sum(subject.ByteSize() for subject in request.defaults.on_behalf_of)
    total = 0
    for item in request.items:
        taken = sum(size for name, size in sizes.items() if not item.HasField(name))
        taken += 0 if has_context(item) else context
        total += item.ByteSize() + min(taken + (0 if item.on_behalf_of else chain), MAX_REQUEST_BYTES)
    if total > MAX_BYTES:
        raise InvalidRequest.field("items", f"hold more than {MAX_BYTES} bytes with the defaults; send several batches")
