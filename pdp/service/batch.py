"""AuthZEN's Access Evaluations: defaults filled in, semantics, errors in the place of items."""

from collections.abc import Iterator
from typing import TypeAlias

from pdp.bad_fields import BadFields, cut, shown
from pdp.canonical import MAX_REQUEST_BYTES, refuse_unknown
from pdp.errors import DOMAIN, InvalidRequest, PdpError
from pdp.semantics import stops_at
from pdp.sent import has_context, refuse_both_forms, with_defaults
from pdp.service.message import duration
from pdp.v1.decision_pb2 import (
    AuthorizeRequest,
    BatchAuthorizeRequest,
    BatchSemantics,
    FieldViolation,
    ItemError,
    StreamAuthorizeRequest,
)

Questions: TypeAlias = BatchAuthorizeRequest | StreamAuthorizeRequest
"""A batch, in a call of its own or as a message of a stream."""

MAX_ITEMS = 1000
"""Items of a batch, as the contract says."""
MAX_BYTES = 4 * 1024 * 1024
"""Bytes of a batch with its defaults filled in: a short default must not become gigabytes in a thousand items."""
MAX_ERROR_BYTES = 2048
"""Bytes of the field violations of an item's error: a thousand of them fit into one answer."""

_WHOLE = ("subject", "action", "resource")


class Batch:
    """A checked batch. Raises `InvalidRequest` where it is refused as a whole."""

    def __init__(self, request: Questions) -> None:
        with BadFields() as bad:
            bad.tried(_check_count, len(request.items))
            bad.tried(_check_defaults, request.defaults)
            bad.tried(refuse_unknown, request.defaults, "defaults")
            bad.tried(refuse_both_forms, request.defaults, "defaults")
            bad.tried(_check_semantics, request.semantics)
        self._request = request
        self.stops_at = stops_at(request.semantics)
        _check_size(request)

    def items(self) -> Iterator[AuthorizeRequest]:
        """Each item with the defaults filled in, member by member."""
        defaults = self._request.defaults
        if not defaults.ByteSize():
            yield from self._request.items
            return
        for item in self._request.items:
            yield with_defaults(item, defaults)


def item_error(error: PdpError) -> ItemError:
    """The error that an item would have got alone, in the same terms."""
    fields = shown(error.violations, MAX_ERROR_BYTES)
    return ItemError(
        code=error.code,
        reason=error.reason,
        domain=DOMAIN,
        message=cut(error.sentence),
        field_violations=[FieldViolation(field=path, description=text) for path, text in fields],
        metadata=error.metadata,
        retry_delay=None if error.retry_seconds is None else duration(int(error.retry_seconds * 1000)),
    )


def _check_count(items: int) -> None:
    if not 1 <= items <= MAX_ITEMS:
        raise InvalidRequest.field("items", f"holds {items}; send 1 to {MAX_ITEMS}")


def _check_defaults(defaults: AuthorizeRequest) -> None:
    names = ("request_id", "approval_id", "supersedes", "attempt_id", "expected_digest")
    if sent := [name for name in names if getattr(defaults, name)]:
        sentence = "belongs to one item; set it on that item"
        raise InvalidRequest.fields([(f"defaults.{name}", sentence) for name in sent])


def _check_semantics(semantics: BatchSemantics) -> None:
    if semantics not in BatchSemantics.values():
        raise InvalidRequest.field("semantics", "has a value that this server does not know")


def _check_size(request: Questions) -> None:
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
