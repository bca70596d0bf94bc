"""What is known while one event is read: its writer, its names so far, and what a person should look at."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pdp.bad_fields import MAX_SHOWN_CHARACTERS
from pdp.errors import InvalidRequest
from pdp.lineage.fact import Dataset
from pdp.lineage.name import Names, above
from pdp.lineage.shape import MAX_DATASETS, MAX_EDGES, OverLimit, plain, within
from pdp.lineage.transformation import Trust

if TYPE_CHECKING:
    from pdp.lineage_settings import LineageWriter

MAX_PROBLEMS = 100
"""Problems that are kept of one event; one more says that there are others."""
_LEVELS = 16
"""Columns around a nested one that are looked for."""


class Reading:
    """One event on its way to a fact. `schemas` are the columns of its inputs as far as they are read."""

    def __init__(self, writer: "LineageWriter", names: Names, *, is_own: bool, reserved: Sequence[str] = ()) -> None:
        """`reserved` are namespaces of which no event may write, with all that is below them."""
        self.writer, self.names = writer, names
        self._reserved = tuple(names.namespace(one) for one in reserved)
        self.trust = Trust.OWN if is_own else Trust.MASKING if writer.trust_masking else Trust.NONE
        self.schemas: dict[Dataset, dict[str, None]] = {}
        self.problems: dict[tuple[str, str], None] = {}
        self._folded: dict[tuple[str, str], Dataset] = {}
        self._datasets: dict[Dataset, bool] = {}
        self._edges = 0

    def dataset(self, members: Mapping[str, Any], path: str) -> Dataset:
        """The dataset that an object names. Raises `InvalidRequest`."""
        written = plain(members, "namespace", path), plain(members, "name", path)
        if (found := self._folded.get(written)) is None:
            found = self._folded[written] = self.names.dataset(*written)
        if found not in self._datasets:
            may_write = self.names.may_write(self.writer.namespaces, found)
            self._datasets[found] = may_write and not self.is_reserved(found.namespace)
            within(len(self._datasets), MAX_DATASETS, "event", "different datasets")
        return found

    def is_foreign(self, dataset: Dataset) -> bool:
        """Whether a dataset that this event names lies outside of what its writer may write."""
        return not self._datasets[dataset]

    def is_reserved(self, namespace: str) -> bool:
        """Whether a folded namespace is one in which only Placet itself writes."""
        return any(namespace == one or namespace.startswith(f"{one}/") for one in self._reserved)

    def add_edges(self, count: int) -> None:
        """Count edges. Raises `OverLimit` for too many."""
        self._edges += count
        within(self._edges, MAX_EDGES, "event", "edges")

    def note(self, path: str, description: str) -> None:
        """Keep something that a person should look at."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems[path[:MAX_SHOWN_CHARACTERS], description] = None
        elif len(self.problems) == MAX_PROBLEMS:
            self.problems["event", "has more problems than are kept"] = None

    def excuse(self, error: InvalidRequest, consequence: str) -> None:
        """Keep what is wrong with a part that then counts as missing. An event over a limit is refused all the same."""
        if isinstance(error, OverLimit):
            raise error
        for path, description in error.violations:
            self.note(path, f"{description}; {consequence}")

    def column(self, dataset: Dataset, name: str) -> str:
        """A column's folded name; `*` is every column, which an edge writes as an empty one."""
        return "" if name == "*" else self.names.column(dataset, name)

    def outer_columns(self, dataset: Dataset, column: str) -> Sequence[str]:
        """The columns of a dataset's schema in which a nested column lies, such as `address` for `address.street`."""
        known = self.schemas.get(dataset, {})
        if column in known or "." not in column:
            return ()
        parts = column.split(".", _LEVELS)
        outer = (".".join(parts[:length]) for length in range(1, len(parts)))
        return [name for name in outer if name in known]


def covers(datasets: Mapping[Dataset, Any], source: Dataset) -> Dataset | None:
    """The one of these datasets that a source is, or the folder among them in which it lies."""
    return next((one for one in (source, *above(source)) if one in datasets), None)
