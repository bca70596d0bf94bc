"""What was read of the log, as far as it verifies."""

from collections.abc import Sequence

from pdp.lineage.chain import Broken, Place, Signer
from pdp.lineage.entry import decode
from pdp.lineage.fact import Fact, Rules
from pdp.store.lineage import Logged


class Verified:
    """What was read behind a place: `facts` with their numbers, the last rules, and the place where it ended."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.facts: list[tuple[int, Sequence[Fact]]] = []
        self.rules: Rules | None = None

    def add(self, documents: Sequence[Logged], signer: Signer) -> Broken | None:
        """Take them as far as they verify. Returns what is wrong with the first that does not."""
        try:
            for one in documents:
                place = signer.follow(self.place, Place(one.n, one.head), one.entries, one.signature)
                self._take(place, one.entries)
        except Broken as error:
            return error
        return None

    def _take(self, place: Place, entries: Sequence[bytes]) -> None:
        try:
            facts = [decode(entry) for entry in entries]
        except ValueError:
            raise Broken(f"number {place.n} has an entry that this version does not read; update it") from None
        self.rules = next((fact for fact in reversed(facts) if isinstance(fact, Rules)), self.rules)
        self.facts.append((place.n, facts))
        self.place = place
