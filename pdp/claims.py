"""The claims of a verified token that a requirement may ask for, and the values that it may ask for. Pure."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pdp.errors import PolicyInvalid
from pdp.i_json import MAX_WHOLE_NUMBER

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def listed(claims: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The claims among `names` whose value is a text, a number, a boolean or a list of them; others are left out."""
    return {name: claims[name] for name in names if name in claims and _counts(claims[name])}


def wanted(reviewers: Mapping[str, Any]) -> dict[str, Any]:
    """The claims that a requirement's `reviewers` must have; empty if the requirement has no `claims`.

    Raises `PolicyInvalid` for other values. It refuses an empty `claims`, too, because everybody would fit it.
    """
    claims = reviewers.get("claims", {})
    if not isinstance(claims, dict) or ("claims" in reviewers and not claims):
        raise PolicyInvalid("wrong_type", "reviewers.claims is not an object with at least one claim")
    if not all(_is_scalar(value) for value in claims.values()):
        raise PolicyInvalid("wrong_type", "a value in reviewers.claims is not a text, a number or a boolean")
    return claims


def _counts(value: Any) -> bool:
    return _is_scalar(value) or (isinstance(value, list) and all(map(_is_scalar, value)))


def _is_scalar(value: Any) -> bool:
    """Whether `value` is a text, a boolean, or a number that every JSON reader reads alike."""
    if isinstance(value, int | float):
        return math.isfinite(value) and abs(value) <= MAX_WHOLE_NUMBER
    return isinstance(value, str) and not _LONE_SURROGATE.search(value)
