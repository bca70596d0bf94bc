"""What a policy demands of an approval: who may review it, how many of them, by when."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from pdp.channel import DEFAULT_CHANNELS, Channel

DEFAULT_PENDING_FOR_MS = 24 * 3600 * 1000
"""Milliseconds that people have for their reviews where the policy does not say: a day."""
DEFAULT_VALID_FOR_MS = 15 * 60 * 1000
"""Milliseconds in which an approval must be used where the policy does not say: a quarter of an hour."""
DEFAULT_INDIVIDUAL_EVERY_MS = 10 * 1000
"""Milliseconds between two reviews of individual approvals by one person where the policy does not say."""
MAX_SUMMARY = 10
"""Paths of one `summary`: a row of a list has no room for more."""
MAX_REMINDERS = 3
"""Times in `remind`: more would be noise."""
_STEP = r"""(\.[^\W\d]\w*|\["([^"\\]|\\.)*"\]|\[\d{1,6}\])"""
_PATH = re.compile(rf"(subject|on_behalf_of|action|resource|context){_STEP}*")


def is_path(value: Any) -> bool:
    """Whether `value` names a member of a request: `resource.properties.amount`, or `context["two words"][0]`."""
    return isinstance(value, str) and bool(_PATH.fullmatch(value))


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition that the policy sets: `count` different people by groups, identities or claims, in time.

    `individual`: it is not reviewed together with others in one command, and one person gives at most one such review
    in `individual_every_ms`. `summary`: the paths of the request that lists of approvals show. `unmask_values`: the
    values that one use may unmask instead of the hourly quota; 0 where the policy does not say. `channels`: where a yes
    counts. `passkey`: a yes counts only with the reviewer's passkey. `remind_ms`: when people are reminded, after the
    opening, in ascending order.
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
    individual_every_ms: int = DEFAULT_INDIVIDUAL_EVERY_MS
    summary: tuple[str, ...] = ()
    unmask_values: int = 0
    channels: tuple[Channel, ...] = DEFAULT_CHANNELS
    passkey: bool = False
    remind_ms: tuple[int, ...] = ()

    def policy_form(self) -> dict[str, Any]:
        """What `data.pdp.review` reads."""
        reviewers = {"groups": self.groups, "identities": self.identities, "claims": self.claims}
        return {"rule": self.rule, "reviewers": reviewers, "channels": self.channels, "passkey": self.passkey}

    def counts(self, channel: Channel, *, passkey: bool) -> bool:
        """Whether a yes counts that came in this channel, with a passkey or without."""
        return channel in self.channels and (passkey or not self.passkey)

    def sealed_form(self) -> dict[str, Any]:
        """What the seal of an approval covers: every member, but `ADDED` only where they are not at their default.

        So a seal of the time before they were added stays right, and none of them can be changed unseen.
        """
        members = {member.name: (getattr(self, member.name), member.default) for member in fields(self)}
        return {name: value for name, (value, default) in members.items() if name not in ADDED or value != default}


ADDED = frozenset({"individual_every_ms", "summary", "unmask_values", "channels", "passkey", "remind_ms"})
"""Members that requirements did not have from the beginning."""


def allowance(requirements: Sequence[Requirement]) -> int:
    """The values that one use under all of these may unmask: the least of them, so 0 where one does not say."""
    return min((requirement.unmask_values for requirement in requirements), default=0)
