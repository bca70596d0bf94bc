"""How often a message is tried, and when again. Pure but for the jitter."""

import random

ATTEMPTS = 10
"""Attempts to deliver one message. With the waits between them, they take about a day."""
_FIRST_WAIT_SECONDS = 10.0
"""Seconds from the first attempt to the second: longer than an attempt, so that no other process takes a claimed
message before its attempt is over."""
_GROWTH = 3
"""The factor by which each wait is longer than the one before."""


def wait(attempts: int) -> float:
    """Seconds from the attempt that follows `attempts` earlier ones to the next, plus or minus a fifth."""
    return float(_FIRST_WAIT_SECONDS * _GROWTH**attempts * random.uniform(0.8, 1.2))  # noqa: S311  # jitter
