"""What deciding asks of lineage. A server that keeps none has an answer, too: that it is off."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from pdp.lineage.view import State, View

if TYPE_CHECKING:
    from pdp.lineage.explain import Reason


class LineageViews(Protocol):
    """What is known of data, as of what this process has read of the log. Only `at_least` and `origin` wait."""

    def view(self, resource_type: str, resource_id: str) -> View:
        """What is known of a resource; of one whose type is not data, that it is none."""

    def columns_of(self, resource_type: str, resource_id: str, names: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """The tags of each of these columns, by the caller's spelling. Nothing where lineage is off or of no data.

        A column that lineage does not know is `unclassified`.
        """

    def names_of(self, resource_type: str, resource_id: str) -> Sequence[str]:
        """The names of all its columns, sorted; also of those without tags."""

    async def origin(self, resource_type: str, resource_id: str, column: str, tag: str) -> "Reason | None":
        """Who says that a column, or with an empty one the data itself, has a tag, and the shortest way from there."""

    def require_fresh(self) -> None:
        """Raise `LineageStale` where this process cannot say that it has the newest revision."""

    async def at_least(self, n: int, deadline: float) -> None:
        """Wait until this process has revision `n`. Raises `LineageStale` where it has not by then.

        `deadline` is a time by the loop's clock.
        """


class NoLineage:
    """The answers of a server that keeps no lineage."""

    def view(self, _type: str, _id: str) -> View:
        """That it is off."""
        return OFF

    def columns_of(self, _type: str, _id: str, _names: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Nothing."""
        return {}

    def names_of(self, _type: str, _id: str) -> Sequence[str]:
        """Nothing."""
        return ()

    async def origin(self, _type: str, _id: str, _column: str, _tag: str) -> None:
        """Nobody."""

    def require_fresh(self) -> None:
        """There is nothing to be behind of."""

    async def at_least(self, _n: int, _deadline: float) -> None:
        """There is nothing to wait for."""


OFF = View(State.OFF)
"""The view of everything where lineage is off."""
NO_LINEAGE = NoLineage()
