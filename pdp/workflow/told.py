"""Tells what changed of what is a person's own: passkeys, and links of accounts."""

from pdp.audit.record import Entry
from pdp.recording.writer import Writer


class Told:
    """The one way on which such a change is told: the log has it first."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer

    async def told(self, identity: str, entry: Entry) -> None:  # noqa: ARG002  # messages go to this person
        """Record a change of what is this person's."""
        await self.writer.append([entry])
