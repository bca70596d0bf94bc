"""What people say of data goes into the log of lineage, and who said it into the audit log; then it is answered."""

from collections.abc import Sequence

from pdp.audit import event
from pdp.caller import Caller
from pdp.lineage.entry import encode
from pdp.lineage.fact import Fact
from pdp.lineage.view import Revision
from pdp.lineage.writing import Writing
from pdp.recording.writer import Writer


class Saying:
    """Writes both."""

    def __init__(self, writing: Writing, writer: Writer) -> None:
        self._writing, self._writer = writing, writer

    async def say(self, caller: Caller, facts: Sequence[Fact]) -> Revision:
        """The revision that holds the facts. Raises what either log raises; then the facts may be in the first one."""
        place = (await self._writing.put(facts)).place
        revision = Revision(place.n, place.head.hex())
        told = [encode(fact) for fact in facts]
        await self._writer.append(
            [event.lineage_changed(caller, told, revision.n, revision.head)], caller=caller.identity
        )
        return revision
