"""How long OPA takes for a question, learnt from the queries before: a busy machine and a slow policy count alike.

What counts is the time that OPA gives itself. Until its answer is read this process does other things, and small sets
would make it busier still.
"""

from collections.abc import Sequence

from pdp.admission import SMALL
from pdp.opa.queries import About
from pdp.opa.waiting import Question, size

SECONDS_OF_BYTE = {About.DECISIONS: 1e-7, About.REVIEWS: 2e-7, About.ELIGIBLE: 4e-7, About.MASKS: 8e-7}
"""OPA's seconds for a byte of a question, at first; then as the last queries took, which counts by `LEARNT`."""
LEARNT, LEAST, MOST = 0.2, 0.25, 64.0
"""The share of the last query in an estimate, and its bounds: so many times what it was at first."""

SMALL_SECONDS = 0.01
"""OPA's seconds at first for all that a small call asks. A plan of a wide table asks little and takes long."""


def is_small(questions: Sequence[Question]) -> bool:
    """Whether a call's questions are a small part of a query, on any machine and under any policy."""
    return len(questions) <= SMALL and size(questions) * SECONDS_OF_BYTE[questions[0].about] <= SMALL_SECONDS


class Estimate:
    """Estimates of one process."""

    def __init__(self) -> None:
        self._seconds_of_byte = dict(SECONDS_OF_BYTE)

    def of_byte(self, about: About) -> float:
        """Seconds that OPA takes for each byte that questions count for."""
        return self._seconds_of_byte[about]

    def learn(self, questions: Sequence[Question], seconds: float) -> None:
        """Let the estimate follow what a query about one thing took."""
        about = questions[0].about
        first, present = SECONDS_OF_BYTE[about], self._seconds_of_byte[about]
        took = seconds / size(questions)
        self._seconds_of_byte[about] = min(max(present + LEARNT * (took - present), LEAST * first), MOST * first)
