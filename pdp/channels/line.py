"""One line that people read in a chat, for each vendor to draw where it reads no markup. Pure."""

from datetime import UTC, datetime
from typing import NamedTuple


class Line(NamedTuple):
    """A label of ours in bold, and what it says; a quote is words of somebody, apart from all else.

    Each text of others has passed `visible` before it comes here.
    """

    label: str
    text: str = ""
    is_quote: bool = False

    @property
    def size(self) -> int:
        """Characters that it takes."""
        return len(self.label) + len(self.between) + len(self.text)

    @property
    def between(self) -> str:
        """What stands between the label and the text."""
        return "  " if self.label and self.text else ""


def moment(at: datetime) -> str:
    """A time as people read it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
