"""What must hold of one approval, whatever the order in which people and programs act on it. Times are monotonic."""

from dataclasses import dataclass, field

from pdp.v1.approval_pb2 import Approval, ApprovalState, Verdict
from pdp.v1.decision_pb2 import AuthorizeResponse
from pdp.v1.request_pb2 import Effect

ENDS = {"DENIED", "EXPIRED", "CANCELLED", "REVOKED", "VOIDED", "CONSUMED"}


@dataclass
class Model:
    """Told every reply with the time at which its call began and ended; raises where they cannot all be true."""

    barred: set[str]
    reviews: dict[str, str] = field(default_factory=dict)
    uses: set[str] = field(default_factory=set)
    ended: dict[str, float] = field(default_factory=dict)
    took_back: str = ""

    def reviewed(self, person: str, verdict: str, after: Approval, at: float) -> None:
        """A review was acknowledged: by nobody who is barred, once a person, and it is there."""
        assert person not in self.barred, f"{person} reviewed an action of their own"
        assert person not in self.reviews, f"{person} reviewed twice"
        self.reviews[person] = verdict
        self.seen(after, at)
        assert verdict == "APPROVE" or state(after) in {"DENIED", "REVOKED"}

    def used(self, answer: AuthorizeResponse, began: float, at: float) -> None:
        """An answer to a use: allowed at most as one decision, and never after an end was known."""
        if answer.effect == Effect.EFFECT_ALLOW:
            self.uses.add(answer.decision_id)
            assert len(self.uses) == 1, "used twice"
            earlier = {end for end, since in self.ended.items() if since < began and end != "CONSUMED"}
            assert not earlier, f"used after it was {earlier}"
        elif answer.HasField("approval"):
            self.seen(answer.approval, at)

    def taken_back(self, person: str, approval: Approval, at: float) -> None:
        """A denial was taken back: it stays one, and its last review is by this person, once."""
        assert not self.took_back, f"{person} took back what {self.took_back} had taken back"
        self.took_back = person
        last = approval.reviews[-1]
        assert (state(approval), last.reviewer, last.verdict) == ("DENIED", person, Verdict.VERDICT_DENY)
        assert not approval.HasField("denied_until")
        self.seen(approval, at)

    def seen(self, approval: Approval, at: float) -> None:
        """Somebody saw it: an end never gives way to another, and no acknowledged review is lost."""
        if state(approval) in ENDS:
            self.ended.setdefault(state(approval), at)
        assert len(self.ended) <= 1, f"it ended as {set(self.ended)}"

    def settled(self, approval: Approval) -> None:
        """Nobody acts any more."""
        self.seen(approval, float("inf"))
        recorded = {review.reviewer: review for review in approval.reviews}
        assert len(recorded) == len(approval.reviews), "a person is there twice"
        assert self.reviews.keys() <= recorded.keys(), "a review was lost"
        assert not recorded.keys() & self.barred, "somebody reviewed an action of their own"
        assert not self.uses or state(approval) == "CONSUMED", f"used, but {state(approval)}"


def state(approval: Approval) -> str:
    return ApprovalState.Name(approval.state).removeprefix("APPROVAL_STATE_")
