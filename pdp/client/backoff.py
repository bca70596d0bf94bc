"""How long a client waits between attempts."""

import asyncio
import random

FIRST_SECONDS, LONGEST_SECONDS = 0.1, 2.0
"""The pause after the first failure, and the longest one: a restarted server is noticed within two seconds."""


class Backoff:
    """Pauses that double, each shortened by chance to no less than its half, so that clients spread out."""

    def __init__(self) -> None:
        self.seconds = FIRST_SECONDS

    def reset(self) -> None:
        """Begin anew: the last attempt succeeded."""
        self.seconds = FIRST_SECONDS

    async def pause(self, at_most: float = LONGEST_SECONDS) -> None:
        """Wait before the next attempt, `at_most` seconds."""
        await asyncio.sleep(min(random.uniform(self.seconds / 2, self.seconds), at_most))  # noqa: S311  # jitter
        self.seconds = min(2 * self.seconds, LONGEST_SECONDS)
