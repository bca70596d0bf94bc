"""What `pdp inbox` knows of a reviewer's queue: the pages read so far, and what changed since."""

from collections.abc import Iterable

from pdp.v1.approval_pb2 import Approval

Place = tuple[int, int, str]


class InboxQueue:
    """Approvals in the order of their deadlines, down to where the pages were read.

    One that left the queue while it is on screen stays in its place until `let_go`.
    """

    def __init__(self) -> None:
        self.more = ""
        self._waiting: dict[str, Approval] = {}
        self._left: set[str] = set()
        self._kept: tuple[Place, Approval] | None = None
        self._horizon: Place | None = None

    def __contains__(self, approval_id: object) -> bool:
        return approval_id in self._waiting

    def __len__(self) -> int:
        return len(self._waiting)

    def clear(self) -> None:
        """Begin anew."""
        self._waiting.clear()
        self._left.clear()
        self.more, self._horizon = "", None

    def add(self, page: Iterable[Approval], more: str) -> None:
        """Take the next page; `more` is its token."""
        fresh = (held for held in page if held.approval_id not in self._left and not self._is_newer(held))
        self._waiting |= {held.approval_id: held for held in fresh}
        self.more = more
        self._horizon = max(map(_place, self._waiting.values()), default=None) if more else None

    def take(self, held: Approval, *, may_review: bool, on_screen: bool) -> None:
        """Take one change."""
        before = self._waiting.pop(held.approval_id, None)
        if may_review:
            self._left.discard(held.approval_id)
            if self._horizon is None or before is not None or _place(held) <= self._horizon:
                self._waiting[held.approval_id] = held
            return
        self._left.add(held.approval_id)
        if on_screen:
            place = _place(before) if before else self._kept[0] if self._kept else _place(held)
            self._kept = place, held

    def let_go(self, approval_id: str) -> None:
        """Another approval than this one is no longer on screen."""
        if self._kept is not None and self._kept[1].approval_id != approval_id:
            self._kept = None

    def ordered(self) -> list[Approval]:
        """What a list shows, the nearest deadline first."""
        entries = [(_place(held), held) for held in self._waiting.values()]
        if self._kept is not None and self._kept[1].approval_id not in self._waiting:
            entries.append(self._kept)
        return [held for _, held in sorted(entries, key=lambda entry: entry[0])]

    def _is_newer(self, held: Approval) -> bool:
        known = self._waiting.get(held.approval_id)
        return known is not None and known.version > held.version


def _place(held: Approval) -> Place:
    return held.expires_at.seconds, held.expires_at.nanos, held.approval_id
