"""Claims of a verified token that requirements may ask for: which there are, and what can be asked. Pure."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pdp.canonical import MAX_WHOLE_NUMBER
from pdp.errors import PolicyInvalid

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def listed(claims: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Of verified `claims` those of `names` that are texts, numbers or booleans, or lists of them; no other counts."""
    return {name: claims[name] for name in names if name in claims and _counts(claims[name])}


def wanted(reviewers: Mapping[str, Any]) -> dict[str, Any]:
    """What a requirement's `reviewers` want of a token; empty where they do not speak of claims.

    Raises `PolicyInvalid`, also for no claim at all: that is a predicate which everybody fits.
    """
    claims = reviewers.get("claims", {})
    if not isinstance(claims, dict) or ("claims" in reviewers and not claims):
        raise PolicyInvalid("wrong_type", "reviewers.claims is no object with at least one claim")
    if not all(_is_scalar(value) for value in claims.values()):
        raise PolicyInvalid("wrong_type", "reviewers.claims wants something else than a text, a number or a boolean")
    return claims


def _counts(value: Any) -> bool:
    return _is_scalar(value) or (isinstance(value, list) and all(map(_is_scalar, value)))


def _is_scalar(value: Any) -> bool:
    """A text, a boolean, or a number that every reader of JSON reads alike."""
    if isinstance(value, int | float):
        return math.isfinite(value) and abs(value) <= MAX_WHOLE_NUMBER
    return isinstance(value, str) and not _LONE_SURROGATE.search(value)
