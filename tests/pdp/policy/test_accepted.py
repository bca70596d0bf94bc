"""The lines that accept a change: exactly of their shape."""

from typing import Any

import pytest

from pdp.errors import SetupError
from pdp.policy.accepted import Accepted, accepted

LINE = {"rule": "r", "path": "context.rows", "change": "null", "reason": "the pipeline counts them"}


def test_lines_are_read_and_need_not_be_there() -> None:
    assert accepted({"policy_attack": {"accepted": [LINE]}}) == [Accepted(**LINE)]
    assert accepted({}) == accepted({"policy_attack": {}}) == []


@pytest.mark.parametrize(
    "held",
    [
        [LINE],
        {"acepted": [LINE]},
        {"accepted": LINE},
        {"accepted": ["r"]},
        {"accepted": [{**LINE, "why": "x"}]},
        {"accepted": [{**LINE, "reason": " "}]},
        {"accepted": [{**LINE, "path": 1}]},
        {"accepted": [{key: value for key, value in LINE.items() if key != "reason"}]},
    ],
)
def test_anything_else_is_refused(held: Any) -> None:
    with pytest.raises(SetupError, match=r"data\.policy_attack\.accepted"):
        accepted({"policy_attack": held})
