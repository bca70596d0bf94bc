"""The part `[limits]` of the configuration: what one caller may ask of one process."""

from typing import Self

from pydantic import Field, model_validator

from pdp.identity_source import Frozen


class CallerLimits(Frozen):
    """What one caller may ask of one process, before it is told to come back later; with N processes N times as much.

    A call is one item, and a batch as many as it has.
    """

    items_a_second: float = Field(default=0.0, ge=0)
    """Items a second on average. 0: as many as there is room for."""
    burst: int = Field(default=0, ge=0)
    """Items at once after a pause. A call that has more waits until all of these are there, and the rest is paid after
    it. 0: what `items_a_second` gives in one second."""
    items_in_flight: int = Field(default=8192, ge=1)
    """Items that are not answered yet; a batch has up to 1,000. Half of what has room in a process is the most."""

    @model_validator(mode="after")
    def _burst_of_a_rate(self) -> Self:
        if self.burst and not self.items_a_second:
            raise ValueError("burst: give items_a_second too, the rate that it is a burst of")
        return self

    @property
    def most_at_once(self) -> float:
        """The burst, or what stands for it; at least one item."""
        return max(self.burst or self.items_a_second, 1.0)
