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


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({**LINE, "reason": "why this is right"}, r"\[1\]: say in `reason` why"),
        ({**LINE, "change": "other cas"}, r"\[1\]: there is no change `other cas`; is `other case` meant\?"),
        ({**LINE, "rule": "many.row"}, r"\[1\]: there is no rule `many.row`; is `many.rows` meant\?"),
        ({"rule": "r", "path": "p", "change": "null"}, r"\[1\] lacks reason"),
        ({**LINE, "why": "x"}, r"\[1\] has the unknown member `why`"),
    ],
)
def test_refused_line_is_told_with_its_index_and_what_is_meant(line: dict[str, str], said: str) -> None:
    with pytest.raises(SetupError, match=said):
        accepted({"policy_attack": {"accepted": [LINE, line]}}, {"r", "many.rows"})
