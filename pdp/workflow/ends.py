"""The words for an approval that does not count any more."""

from collections.abc import Mapping

from pdp.approval import ApprovalAt, State
from pdp.recording.delivery import OLD_SEAL

TOO_LITTLE = "the policy asks for more than its reviews gave"
"""Why a use voids an approval."""
_SENT_BACK = "a reviewer asks for changes; send the new request with `supersedes` set to this approval"
_WHY: Mapping[State, str] = {
    State.DENIED: "a reviewer denied it",
    State.EXPIRED: "its time ran out",
    State.CONSUMED: "it was used; an approval fits one action, once",
    State.VOIDED: TOO_LITTLE,
    State.CANCELLED: "its caller withdrew it",
    State.REVOKED: "it was revoked",
}


def why_ended(held: ApprovalAt, *, is_old: bool) -> str:
    """Why an approval in an end state does not count. `is_old`: an older version of Placet opened it."""
    if held.approval.was_sent_back and held.state is State.DENIED:
        return _SENT_BACK
    if is_old and held.state in (State.VOIDED, State.CANCELLED) and not held.approval.closed_by:
        return OLD_SEAL
    return _WHY[held.state]
