"""The shapes that answers of the policy have in common. What has another shape is `PolicyInvalid`. Pure."""

from collections.abc import Mapping
from typing import Any

from pdp.errors import PolicyInvalid


def policy_object(value: Any, what: str, keys: set[str]) -> dict[str, Any]:
    """`value` if it is an object without unknown keys; `what` says in whose place it stands."""
    if value is None:
        raise PolicyInvalid("null", f"the policy answered null where {what} belongs")
    if not isinstance(value, dict):
        raise PolicyInvalid("wrong_type", f"the policy answered something else where {what} belongs")
    if not value.keys() <= keys:
        unknown = min(value.keys() - keys)
        raise PolicyInvalid(
            "unknown_key", f"{what} has the unknown key {unknown!r}; known are {', '.join(sorted(keys))}"
        )
    return value


def policy_text(members: Any, key: str) -> str:
    """A text that is not empty, which an entry must have."""
    value = members.get(key) if isinstance(members, dict) else None
    if not isinstance(value, str) or not value:
        raise PolicyInvalid("wrong_type", f"an entry of the policy has no {key}, a string that is not empty")
    return value


def policy_list(value: Any, what: str) -> list[Any]:
    """`value` if it is a list."""
    if not isinstance(value, list):
        raise PolicyInvalid("wrong_type", f"the policy answered something else where the list of {what} belongs")
    return value


def policy_texts(value: Any, what: str) -> tuple[str, ...]:
    """`value` if it is a list of strings."""
    values = policy_list(value, what)
    if not all(isinstance(item, str) for item in values):
        raise PolicyInvalid("wrong_type", f"{what} holds something that is not a string")
    return tuple(values)


def policy_revision(answer: Mapping[str, Any]) -> str:
    """The revision of the snapshot that answered; without one nobody is allowed."""
    revisions = policy_texts(answer.get("revisions"), "revisions")
    if len(revisions) != 1 or not revisions[0]:
        raise PolicyInvalid(
            "no_revision",
            "OPA does not say which policy revision answered; serve the bundle that `pdp policy build` makes",
        )
    return revisions[0]
