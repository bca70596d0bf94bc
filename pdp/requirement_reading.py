"""Reads a `needs_approval` entry of the policy's answer. What is not exactly a requirement is `PolicyInvalid`. Pure."""

from collections.abc import Mapping
from typing import Any

from pdp import claims
from pdp.channel import DEFAULT_CHANNELS, Channel
from pdp.duration import duration_ms
from pdp.errors import PolicyInvalid
from pdp.i_json import MAX_WHOLE_NUMBER
from pdp.policy_answer import policy_list, policy_object, policy_text, policy_texts
from pdp.requirement import (
    DEFAULT_INDIVIDUAL_EVERY_MS,
    DEFAULT_PENDING_FOR_MS,
    DEFAULT_VALID_FOR_MS,
    MAX_REMINDERS,
    MAX_SUMMARY,
    Requirement,
    is_path,
)

MAX_COUNT = 1000
"""The largest `count` of a requirement: more people than any approval needs, so a larger number is a mistake."""
KEYS = {
    "rule",
    "reason",
    "reviewers",
    "count",
    "pending_for",
    "valid_for",
    "individual",
    "individual_every",
    "summary",
    "unmask_values",
    "channels",
    "passkey",
    "remind",
}
"""The members of an entry."""


def requirement(entry: Any) -> Requirement:
    """The requirement of an entry. What is wrong with it is told with the name of its rule."""
    try:
        return _read_requirement(entry)
    except PolicyInvalid as error:
        rule = entry.get("rule") if isinstance(entry, dict) else None
        if not isinstance(rule, str):
            raise
        raise PolicyInvalid(error.problem, f"{error.sentence} (rule {rule!r})") from error


def _read_requirement(entry: Any) -> Requirement:
    members = policy_object(entry, "a needs_approval entry", KEYS)
    reviewers = policy_object(members.get("reviewers"), "reviewers", {"groups", "identities", "claims"})
    groups = policy_texts(reviewers.get("groups", []), "reviewers.groups")
    identities = policy_texts(reviewers.get("identities", []), "reviewers.identities")
    wanted = claims.wanted(reviewers)
    if not groups and not identities and not wanted:
        raise PolicyInvalid(
            "wrong_type", "a needs_approval entry's reviewers are empty; give groups, identities or claims"
        )
    return Requirement(
        policy_text(members, "rule"),
        policy_text(members, "reason"),
        groups,
        identities,
        _count(members),
        _duration(members, "pending_for", DEFAULT_PENDING_FOR_MS),
        _duration(members, "valid_for", DEFAULT_VALID_FOR_MS),
        wanted,
        _flag(members, "individual"),
        _duration(members, "individual_every", DEFAULT_INDIVIDUAL_EVERY_MS),
        _summary(members),
        _unmask_values(members),
        _channels(members),
        _flag(members, "passkey"),
        _remind(members),
    )


def _summary(members: Mapping[str, Any]) -> tuple[str, ...]:
    paths = policy_list(members.get("summary", []), "summary")
    if len(paths) > MAX_SUMMARY or not all(map(is_path, paths)):
        raise PolicyInvalid(
            "wrong_type",
            f"a needs_approval entry's summary is not a list of at most {MAX_SUMMARY} paths such as "
            '"resource.properties.amount"',
        )
    return tuple(paths)


def _channels(members: Mapping[str, Any]) -> tuple[Channel, ...]:
    if "channels" not in members:
        return DEFAULT_CHANNELS
    named, known = policy_texts(members["channels"], "channels"), [*Channel]
    if not named or len({*named}) < len(named) or not {*named} <= {*known}:
        raise PolicyInvalid(
            "wrong_type", f"a needs_approval entry's channels are not some of {', '.join(known)}, each named once"
        )
    return tuple(channel for channel in known if channel in named)


def _remind(members: Mapping[str, Any]) -> tuple[int, ...]:
    """When people are reminded, in milliseconds, in ascending order."""
    times = [_duration({"remind": one}, "remind", 0) for one in policy_list(members.get("remind", []), "remind")]
    within = _duration(members, "pending_for", DEFAULT_PENDING_FOR_MS)
    if len(times) > MAX_REMINDERS or len({*times}) < len(times) or any(time >= within for time in times):
        raise PolicyInvalid(
            "wrong_type",
            f"a needs_approval entry's remind is not a list of at most {MAX_REMINDERS} different times, each shorter "
            "than its pending_for",
        )
    return tuple(sorted(times))


def _flag(members: Mapping[str, Any], key: str) -> bool:
    value = members.get(key, False)
    if not isinstance(value, bool):
        raise PolicyInvalid("wrong_type", f"a needs_approval entry's {key} is neither true nor false")
    return value


def _unmask_values(members: Mapping[str, Any]) -> int:
    if "unmask_values" not in members:
        return 0
    values = members["unmask_values"]
    if type(values) is not int or not 1 <= values <= MAX_WHOLE_NUMBER:
        raise PolicyInvalid("wrong_type", "a needs_approval entry's unmask_values is not a whole number from 1")
    return values


def _count(members: Mapping[str, Any]) -> int:
    count = members.get("count", 1)
    if type(count) is not int or not 1 <= count <= MAX_COUNT:  # bool is an int, too
        raise PolicyInvalid("wrong_type", "a needs_approval entry's count is not a whole number from 1 to 1000")
    return count


def _duration(members: Mapping[str, Any], key: str, default: int) -> int:
    if key not in members:
        return default
    text = members[key]
    milliseconds = duration_ms(text) if isinstance(text, str) else None
    if milliseconds is None:
        raise PolicyInvalid(
            "wrong_type", f'a needs_approval entry\'s {key} is not a duration such as "4h", "15m" or "30s"'
        )
    return milliseconds
