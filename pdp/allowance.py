"""How many items one caller may ask in the long run, and at once: a token bucket that may go into debt.

1. The bucket holds at most `most` items and gets `rate` items a second.
2. A call comes in where the bucket holds its items; one that is larger than the bucket, where the bucket is full.
3. What comes in is taken out, so that after a large call the bucket has to fill up from below zero.

    for example: rate 10 and most 20; a batch of 100 comes in at once, and the next call after 8.1 s
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Allowance:
    """One caller's bucket, full at first. With the rate 0 everything comes in. Times are seconds of one clock."""

    rate: float
    most: float
    _held: float = -1.0
    _at: float = 0.0

    def __post_init__(self) -> None:
        self._held = self.most

    def wait(self, items: float, now: float, paid: float = 0.0) -> float:
        """The seconds after which a call of so many items comes in, `paid` of them taken out already; 0 is at once."""
        if not self.rate:
            return 0.0
        return max((min(items, self.most) - paid - self._present(now)) / self.rate, 0.0)

    def spend(self, items: float, now: float) -> None:
        """Take a call's items out."""
        self._held, self._at = self._present(now) - items, now

    def is_full(self, now: float) -> bool:
        """Whether it holds as much as a new one, so that it need not be kept."""
        return not self.rate or self._present(now) >= self.most

    def _present(self, now: float) -> float:
        return min(self._held + (now - self._at) * self.rate, self.most)
