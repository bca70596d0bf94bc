"""The words for an approval that does not count any more: which one, since when, and how to ask again.

What is stored in an approval stands in a sentence only where the servers signed it.
"""

from collections.abc import Mapping
from datetime import datetime

from pdp.approval import Approval, ApprovalAt, State, Use
from pdp.canonical import differing_paths
from pdp.decision import Verdict
from pdp.errors import RequestIdReused
from pdp.recording.delivery import OLD_SEAL
from pdp.seal import Sealer
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.visible import name

_TOO_LITTLE = "was voided{when}: the policy asks for more than its reviews gave"
_GREW = "was voided: the data carries more tags than those were shown who approved; they must look again"
_SENT_BACK = "was sent back{when}: a reviewer asks for changes; send the new request with `supersedes` set to it"
_ENDED: Mapping[State, str] = {
    State.DENIED: "was denied{when} by a reviewer",
    State.EXPIRED: "expired{when}",
    State.VOIDED: _TOO_LITTLE,
    State.CANCELLED: "was withdrawn{when}{by}",
    State.REVOKED: "was revoked{when}{by}",
}
_SHOWN_CHARACTERS = 64
"""Characters of a request id that a sentence shows; one may have 1,024 bytes."""


def why_ended(held: ApprovalAt, request: AuthorizeRequest, sealer: Sealer) -> str:
    """Why an approval in an end state does not count for `request`."""
    approval, at = held.approval, held.approval.closed_at or held.approval.expires_at
    if sealer.is_old(approval) and held.state in (State.VOIDED, State.CANCELLED) and not approval.closed_by:
        return f"it ended{_since(at)}: {OLD_SEAL}; {_again(request)}"
    if sealer.fault(approval) or sealer.is_old(approval):
        return f"it is {held.state}, and this server did not sign how that came; {_again(request)}"
    if approval.was_sent_back and held.state is State.DENIED:
        return _sentence(approval, _SENT_BACK, at)
    ended = _used(approval, approval.used_by, at) if approval.used_by else _sentence(approval, _ENDED[held.state], at)
    return f"{ended}; {_again(request)}"


def too_little(approval: Approval, request: AuthorizeRequest) -> str:
    """Why a use voids the approval."""
    return f"{_sentence(approval, _TOO_LITTLE, None)}; {_again(request)}"


def grew(approval: Approval, request: AuthorizeRequest) -> str:
    """Why a use voids an approval of data that grew more sensitive. It does not say what the data carries."""
    return f"the approval does not count: {_sentence(approval, _GREW, None)}; {_again(request)}"


def ended(verdict: Verdict, state: State, why: str) -> Verdict:
    """The deny because of an approval that is at its end."""
    return verdict.denied(f"pdp.approval_{state.lower()}", f"the approval does not count: {why}")


def request_id_reused(approval: Approval, canonical: bytes, sealer: Sealer) -> RequestIdReused:
    """The error where a request in this canonical form comes under the request id of another one."""
    of = f": that of {approval.id}, which {approval.decision_id} opened{_since(approval.created_at)}"
    signed = not sealer.fault(approval)
    return RequestIdReused(
        f"this request_id names another request of this caller{of if signed else ''}; take a new one for a new request",
        violations=[
            (path, "differs from the request that took this request_id")
            for path in differing_paths(approval.request, canonical)
        ],
        **({"approval_id": approval.id, "decision_id": approval.decision_id} if signed else {}),
    )


def _sentence(approval: Approval, ended: str, at: datetime | None) -> str:
    return f"{approval.id} {ended.format(when=_since(at), by=_closed_by(approval))}"


def _closed_by(approval: Approval) -> str:
    """Who closed it, of those whom the seal names: nobody signed the other words."""
    if approval.closed_by == approval.caller:
        return " by its caller"
    if approval.closed_by in approval.principals:
        return f" by {name(approval.closed_by)}, in whose name it was asked for"
    return ""


def _used(approval: Approval, use: Use, at: datetime | None) -> str:
    """An approval is used by one attempt, which is not the one that asks now."""
    call = f"request_id {_shown(use.request_id)}" if use.request_id else "a call without a request_id"
    return (
        f"{approval.id} was used{_since(at)} by {use.decision_id}, for another attempt of {call}; an approval fits one "
        "run, once"
    )


def _again(request: AuthorizeRequest) -> str:
    """How the caller asks again. What named the ended approval would name it for ever."""
    if request.request_id and request.approval_id:
        return "to ask again, take a new request_id and name no approval"
    return "to ask again, " + ("name no approval" if request.approval_id else "take a new request_id")


def _since(at: datetime | None) -> str:
    return f" at {at:%Y-%m-%dT%H:%M:%SZ}" if at else ""


def _shown(request_id: str) -> str:
    """A caller's own id, which has no control characters, short enough for a sentence."""
    cut = request_id[:_SHOWN_CHARACTERS]
    return f'"{cut}…"' if len(cut) < len(request_id) else f'"{cut}"'
