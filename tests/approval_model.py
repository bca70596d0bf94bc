"""What must hold of one approval, whatever the order in which people and programs act on it. Times are monotonic."""

import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pdp.v1.approval_pb2 import Approval, ApprovalReview, ApprovalState, ReviewChannel, Verdict
from pdp.v1.decision_pb2 import AuthorizeResponse
from pdp.v1.request_pb2 import Effect

ENDS = {"DENIED", "EXPIRED", "CANCELLED", "REVOKED", "VOIDED", "CONSUMED"}


@dataclass
class ChatLinks:
    """Since when the chat accounts of people surely have no link. An end beside a new link says nothing."""

    _ended: dict[str, float] = field(default_factory=dict)
    _begun: Counter[str] = field(default_factory=Counter)
    _open: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def linking(self, person: str) -> Iterator[None]:
        """A link is made in this block; where it fails, it may be there all the same, now or later."""
        self._ended.pop(person, None)
        self._begun[person] += 1
        self._open[person] += 1
        yield
        self._open[person] -= 1

    @contextmanager
    def ending(self, person: str) -> Iterator[None]:
        """The link is ended in this block, unless it raises."""
        begun, alone = self._begun[person], not self._open[person]
        yield
        if alone and self._begun[person] == begun:
            self._ended[person] = time.monotonic()

    def settled(self, person: str) -> None:
        """There is a link, and nothing about it is under way."""
        self._ended.pop(person, None)
        self._open[person] = 0

    def clicked(self, person: str, began: float) -> None:
        """A click counted that began at this time."""
        assert began < self._ended.get(person, math.inf), f"a click of {person} counted after the link had ended"


@dataclass
class Model:
    """Told every reply with the time at which its call began and ended; raises where they cannot all be true.

    A yes counts in `channels`. `accounts` are the chat accounts of people, and `links` what is known of their links.
    """

    barred: set[str]
    channels: set[str]
    accounts: dict[str, str]
    links: ChatLinks
    reviews: dict[str, str] = field(default_factory=dict)
    uses: set[str] = field(default_factory=set)
    ended: dict[str, float] = field(default_factory=dict)
    took_back: str = ""

    def reviewed(self, person: str, verdict: str, channel: str) -> None:
        """A review was acknowledged: by nobody who is barred, once a person, and where the policy lets it count."""
        assert person not in self.barred, f"{person} reviewed an action of their own"
        assert person not in self.reviews, f"{person} reviewed twice"
        assert verdict != "APPROVE" or channel in self.channels, f"a yes counted in {channel}"
        self.reviews[person] = verdict

    def shown_after(self, verdict: str, after: Approval, at: float) -> None:
        """What the approval is once a verdict was acknowledged."""
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
        for review in approval.reviews:
            self._came_as_it_may(review)

    def _came_as_it_may(self, review: ApprovalReview) -> None:
        channel = ReviewChannel.Name(review.channel).removeprefix("REVIEW_CHANNEL_")
        assert review.verdict != Verdict.VERDICT_APPROVE or channel in self.channels, f"a yes counted in {channel}"
        assert review.account == (self.accounts[review.reviewer] if channel == "SLACK" else "")


def state(approval: Approval) -> str:
    return ApprovalState.Name(approval.state).removeprefix("APPROVAL_STATE_")
