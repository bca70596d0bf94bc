"""A reviewer's queue: what waits for this person, the nearest deadline first.

whom the words of requirements reach -> policy -> the approvals with words that reach the caller -> policy: may review
"""

import time
from dataclasses import dataclass
from itertools import islice

from pdp import addressee
from pdp.approval import ApprovalAt
from pdp.caller import Caller
from pdp.decision import policy_review, review_input
from pdp.opa.batching import Batcher
from pdp.opa.quarantine import Suspect
from pdp.opa.queries import About
from pdp.opa.waiting import Question
from pdp.store.queue import EVERYTHING, Place, Queue, Wanted
from pdp.workflow.reviewing import Reviewing

LOOKS = 20
"""Pages of candidates that one call looks at. Candidates that the caller may not review are few: those whose requester
became the caller's own since they were opened."""
WORDS_AT_ONCE = 500
"""Words of one question to the policy."""
_NO_REQUEST = b'{"subject":{"type":"","id":""},"on_behalf_of":[]}'
"""Who fits a word does not depend on a request."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the queue, each approval with its place; and the place behind which it goes on, None at the end."""

    approvals: list[tuple[Place, ApprovalAt]]
    more: Place | None


@dataclass(frozen=True, slots=True)
class Reach:
    """The words that reach a person, and the person's names."""

    words: list[str]
    names: frozenset[str]


class ReviewQueue:
    """Pages through what a caller may review."""

    def __init__(self, queue: Queue, reviewing: Reviewing, batcher: Batcher) -> None:
        self._queue, self._reviewing, self._batcher = queue, reviewing, batcher

    async def page(self, caller: Caller, after: Place | None, limit: int, narrowed: Wanted = EVERYTHING) -> Page:
        """At most `limit` approvals behind `after`. It has fewer at the end, or where very many were looked at.

        One more is looked for, so that a page with nothing behind it says so.
        """
        reach = await self.reach(caller)
        approvals: list[tuple[Place, ApprovalAt]] = []
        for _ in range(LOOKS):
            wanted = limit + 1 - len(approvals)
            found = await self._queue.page(reach.words, reach.names, after, wanted, narrowed)
            may = await self._reviewing.queue(caller, [held for _, held in found])
            approvals += [(place, held) for place, held in found if held.approval.id in may]
            if len(approvals) > limit:
                return Page(approvals[:limit], approvals[limit - 1][0])
            if len(found) < wanted:
                return Page(approvals, None)
            after = found[-1][0]
        return Page(approvals, after)

    async def reach(self, caller: Caller) -> Reach:
        """Ask the policy which words reach the caller."""
        every = iter((await self._queue.asked()).items())
        words, names = [addressee.of_identity(caller.identity)], {caller.identity}
        while some := dict(islice(every, WORDS_AT_ONCE)):
            question = review_input(_NO_REQUEST, caller, list(some.values()), [caller], time.time_ns())
            asked = Question(question, Suspect(caller.identity), about=About.REVIEWS)
            [answer] = await self._batcher.each([asked])
            reviewer = policy_review(answer, [caller.identity], len(some)).reviewers[0]
            words += [list(some)[index] for index in reviewer.fits]
            names.add(reviewer.person)
        return Reach(words, frozenset(names))
