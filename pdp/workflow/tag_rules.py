"""How tags travel, as the policy in force declares it: strict, because a rule that is lost lets a tag be lost."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pdp.errors import PolicyInvalid
from pdp.lineage.fact import TagRule
from pdp.policy_answer import policy_object, policy_revision

_MASKS: Mapping[str, bool] = {"mark": False, "stop": True}
_INDIRECT: Mapping[str, bool] = {"stop": False, "carry": True}


class TagRules(NamedTuple):
    """The rules of each declared tag, and the revision of the policy that has them."""

    revision: str
    tags: Mapping[str, TagRule]


def tag_rules(result: Any) -> TagRules:
    """Parse what `data.pdp.tags` answered. Raises `PolicyInvalid`."""
    answer = policy_object(result, "the tags", {"tags", "revisions"})
    declared = answer.get("tags")
    if not isinstance(declared, dict):
        raise PolicyInvalid("wrong_type", "data.tags is not what lineage can read; run `pdp policy check`")
    return TagRules(policy_revision(answer), {tag: _rule(tag, entry) for tag, entry in declared.items()})


def _rule(tag: str, entry: Any) -> TagRule:
    match policy_object(entry, f"data.tags.{tag}", {"propagate", "on_mask", "indirect"}):
        case {"propagate": bool(propagate), "on_mask": str(on_mask), "indirect": str(indirect)} if (
            on_mask in _MASKS and indirect in _INDIRECT
        ):
            return TagRule(propagate, _MASKS[on_mask], _INDIRECT[indirect])
    raise PolicyInvalid("wrong_type", f"data.tags.{tag} says something else of how it travels than it may")
