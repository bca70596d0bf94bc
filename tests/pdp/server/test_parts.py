"""The parts around the audit log, at their end."""

from typing import Any

from pdp.errors import StoreUnavailable
from pdp.server.parts import Parts


class Step:
    """A part whose last step is counted, and may fail."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails, self.ended = fails, 0

    async def end(self) -> None:
        self.ended += 1
        if self.fails:
            raise StoreUnavailable("MongoDB is away")

    settled = close = end


def of(**steps: Any) -> Parts:
    """Parts that have nothing but what their end needs."""
    made = object.__new__(Parts)
    made.__dict__.update(steps)
    return made


async def test_end_of_the_writer_is_written_though_an_outbox_is_not_emptied() -> None:
    steps = {"delivery": Step(fails=True), "writer": Step(fails=True)}
    await of(**steps).close()
    assert [step.ended for step in steps.values()] == [1, 1]
