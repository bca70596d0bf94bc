"""A text of somebody else. It may deceive a reader, so each channel shows it in its own harmless form."""

from collections.abc import Iterable
from typing import NamedTuple

from pdp import visible


class Theirs(NamedTuple):
    """A text of somebody else, as it came. Only the properties are for people."""

    text: str

    @property
    def visible(self) -> str:
        """On one line, hidden characters visible."""
        return visible.visible(self.text)

    @property
    def quoted(self) -> str:
        """The same in quotes."""
        return visible.quoted(self.text)

    @property
    def name(self) -> str:
        """An id as it is, if it cannot be mistaken for anything else; otherwise in quotes."""
        return visible.name(self.text)

    @property
    def lines(self) -> list["Theirs"]:
        """Its lines, each as a text of its own."""
        return [Theirs(line) for line in self.text.split("\n")]

    def __bool__(self) -> bool:
        """Whether there is any text."""
        return bool(self.text)


def theirs(texts: Iterable[str]) -> tuple[Theirs, ...]:
    """Several of them."""
    return tuple(map(Theirs, texts))
