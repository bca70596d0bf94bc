"""Tells what changed of what is a person's own, passkeys, links and how to be told: the log, and the person.

The person is told on every channel, also on one that the person muted, in quiet hours and beyond the limit of an hour.
The letters are made before the record, so that no change is ever without them; at worst one tells of a change that
failed.
"""

from collections.abc import Sequence

import orjson

from pdp.audit.record import Entry, Kind
from pdp.recording.writer import Writer
from pdp.store.letters import Letter, Letters
from pdp.store.notifications import Errand

TOLD = frozenset(
    {
        Kind.PASSKEY_ADDED,
        Kind.PASSKEY_REMOVED,
        Kind.IDENTITY_LINKED,
        Kind.IDENTITY_UNLINKED,
        Kind.PREFERENCE_CHANGED,
    }
)
"""The kinds of records of which a person is told."""


class Told:
    """The one way on which such a change is told. `channels` are those in which people are told."""

    def __init__(self, writer: Writer, letters: Letters | None = None, channels: Sequence[str] = ()) -> None:
        self.writer, self._letters, self._channels = writer, letters, channels

    async def told(self, identity: str, entry: Entry) -> None:
        """Tell a person of a change of what is this person's, and record it."""
        kind = orjson.loads(entry.record)["kind"]
        for channel in self._channels if kind in TOLD else ():
            if self._letters is not None:
                await self._tell(self._letters, _letter(identity, entry, kind, channel))
        await self.writer.append([entry])

    async def _tell(self, letters: Letters, letter: Letter) -> None:
        """Make a letter; of many changes of one choice, one that waits is enough, and holds no alarm back."""
        is_choice = letter.event == Kind.PREFERENCE_CHANGED
        if not (is_choice and await letters.is_on_its_way(letter.channel, letter.who, letter.event)):
            await letters.add(letter, over=True)


def _letter(identity: str, entry: Entry, kind: str, channel: str) -> Letter:
    return Letter(
        id=f"{entry.id}/{channel}/{Errand.NOTE}/{identity}",
        channel=channel,
        errand=Errand.NOTE,
        who=identity,
        record_id=entry.id,
        event=kind,
    )
