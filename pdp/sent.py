"""A request as its caller sent it: what an item of a batch and a masking's scope ask, and whether all of it arrived.

The digest over it is the caller's own, over what its program meant. The server compares it before it adds anything.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf.message import Message

from pdp.canonical import Canonical, canonical, context_in_struct
from pdp.errors import DigestRequired, InvalidRequest, RequestDiffers
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.mask_pb2 import MaskScope
from pdp.v1.request_pb2 import Action, Resource

_WHOLE = ("subject", "action", "resource")
_DIGEST = "expected_digest"
_FLAGS = ("dry_run", "explain", "want_grant")


def require_whole(request: AuthorizeRequest, realm: str, *, required: bool) -> Canonical | None:
    """The canonical form of a request that has the digest that its caller expects of it; None where it says none.

    Raises `RequestDiffers` where it has another one, `DigestRequired` where it says none although one is `required`.
    What breaks the contract has no digest: it gives None, and who checks it next names all its bad fields.
    """
    if not (request.expected_digest or required):
        return None
    try:
        arrived = canonical(request, realm)
    except InvalidRequest:
        return None
    require_digest(request, arrived, required=required)
    return arrived


def require_digest(request: AuthorizeRequest, arrived: Canonical, *, required: bool) -> None:
    """Raise `RequestDiffers` or `DigestRequired` unless what arrived has the digest that the request says."""
    if not request.expected_digest:
        if required:
            why = "is required of this caller; compute it from the program's own values"
            raise DigestRequired(f"{_DIGEST}: {why}", violations=[(_DIGEST, why)])
    elif arrived.digest != request.expected_digest:
        raise _differs(arrived.members)


def authorization(action: str, scope: MaskScope) -> AuthorizeRequest:
    """The question that a masking of this scope is to the policy, before the server adds anything.

    Its context is a Struct. Raises `InvalidRequest` where that came as text that is none.
    """
    request = AuthorizeRequest(
        subject=scope.subject,
        on_behalf_of=scope.on_behalf_of,
        action=Action(name=action),
        resource=Resource(type="table", id=scope.table),
        context=scope.context if scope.HasField("context") else None,
        context_json=scope.context_json,
        expected_digest=scope.expected_digest,
        request_id=scope.request_id,
        approval_id=scope.approval_id,
        justification=scope.justification,
        attempt_id=scope.attempt_id,
        lineage_at_least=scope.lineage_at_least,
    )
    return context_in_struct(request)


def with_defaults(item: AuthorizeRequest, defaults: AuthorizeRequest) -> AuthorizeRequest:
    """An item of a batch with its defaults filled in, member by member.

    The context is one member, in whichever form.
    """
    merged = AuthorizeRequest()
    merged.CopyFrom(item)
    for name in _WHOLE:
        if defaults.HasField(name) and not item.HasField(name):
            getattr(merged, name).CopyFrom(getattr(defaults, name))
    if not has_context(item):
        if defaults.HasField("context"):
            merged.context.CopyFrom(defaults.context)
        merged.context_json = defaults.context_json
    if not item.on_behalf_of:
        merged.on_behalf_of.extend(defaults.on_behalf_of)
    merged.lineage_at_least = max(item.lineage_at_least, defaults.lineage_at_least)
    merged.justification = item.justification or defaults.justification
    for name in _FLAGS:
        setattr(merged, name, getattr(item, name) or getattr(defaults, name))
    return merged


def has_context(request: AuthorizeRequest) -> bool:
    """Whether a request says anything of the context, in either form."""
    return request.HasField("context") or bool(request.context_json)


def refuse_both_forms(request: AuthorizeRequest, path: str) -> None:
    """Raise `InvalidRequest` where a part of the request has its attributes in both forms."""
    for name, part, form in _attributed(request):
        if part.HasField(form) and getattr(part, f"{form}_json"):
            raise InvalidRequest.field(f"{path}.{name}{form}_json", f"stands beside `{form}`; send one of the two")


def _differs(members: Mapping[str, Any]) -> RequestDiffers:
    """The error that says how much arrived of each part: the members of its attributes, of the chain the subjects."""
    counts = {name: len(members[name]["properties"]) for name in _WHOLE}
    counts |= {name: len(members[name]) for name in ("on_behalf_of", "context")}
    why = (
        "is of another request than the one that arrived, so nothing was decided. There arrived {subject} properties "
        "of the subject, {on_behalf_of} subjects in on_behalf_of, {action} properties of the action, {resource} of the "
        "resource, and {context} members of the context"
    ).format(**counts)
    arrived = {name: str(count) for name, count in counts.items()}
    return RequestDiffers(f"{_DIGEST}: {why}", violations=[(_DIGEST, why)], **arrived)


def _attributed(request: AuthorizeRequest) -> Iterator[tuple[str, Message, str]]:
    for name in _WHOLE:
        yield f"{name}.", getattr(request, name), "properties"
    for index, subject in enumerate(request.on_behalf_of):
        yield f"on_behalf_of[{index}].", subject, "properties"
    yield "", request, "context"
