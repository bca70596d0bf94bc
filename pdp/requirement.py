"""What a policy demands of an approval: who may review it, how many of them, by when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

DEFAULT_PENDING_FOR_MS = 24 * 3600 * 1000
"""Milliseconds that people have for their reviews where the policy does not say: a day."""
DEFAULT_VALID_FOR_MS = 15 * 60 * 1000
"""Milliseconds in which an approval must be used where the policy does not say: a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition that the policy sets: `count` different people by groups, identities or claims, in time.

    `individual`: it is not reviewed together with others in one command. `unmask_values`: the values that one use may
    unmask instead of the hourly quota; 0 where the policy does not say.
    """

    rule: str
    reason: str
    groups: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()
    count: int = 1
    pending_for_ms: int = DEFAULT_PENDING_FOR_MS
    valid_for_ms: int = DEFAULT_VALID_FOR_MS
    claims: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    individual: bool = False
    unmask_values: int = 0

    def policy_form(self) -> dict[str, Any]:
        """What `data.pdp.review` reads."""
        reviewers = {"groups": self.groups, "identities": self.identities, "claims": self.claims}
        return {"rule": self.rule, "reviewers": reviewers}


def allowance(requirements: Sequence[Requirement]) -> int:
    """The values that one use under all of these may unmask: the least of them, so 0 where one does not say."""
    return min((requirement.unmask_values for requirement in requirements), default=0)
