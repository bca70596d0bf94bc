"""How people chose to be told. A preference counts only if a server signed it.

Each change is told on every channel and recorded before it counts, so the person hears of what a stolen session does.
"""

import logging
from collections.abc import Iterable

from pdp.audit import preference_event
from pdp.preference import Preference, PreferenceSealer
from pdp.store.database import Database
from pdp.store.preferences import StoredPreferences
from pdp.workflow.told import Told

log = logging.getLogger(__name__)


class Preferences:
    """The preferences of a deployment's people."""

    def __init__(self, database: Database, told: Told, sealer: PreferenceSealer) -> None:
        self._database, self._told, self._sealer = database, told, sealer
        self._stored = StoredPreferences(database)

    async def of(self, identity: str) -> Preference | None:
        """What a person chose. What no server wrote goes, and both logs say so."""
        found = await self._stored.find(identity)
        if found is None or self._sealer.is_ours(found):
            return found
        log.error("a stored preference was changed behind the servers' back; it is refused")
        await self._told.writer.append([preference_event.refused()])
        await self._stored.remove(found)
        return None

    async def keep(self, identity: str, muted: Iterable[str], quiet: str) -> None:
        """Tell what a person chose, and store it. The same choice again changes nothing."""
        before, now = await self.of(identity), await self._database.now()
        chosen = Preference(identity=identity, muted=tuple(sorted(muted)), quiet=quiet, at=now)
        if before is not None and (before.muted, before.quiet) == (chosen.muted, chosen.quiet):
            return
        await self._told.told(identity, preference_event.changed(identity, before, chosen, now, "person"))
        await self._stored.put(self._sealer.preference(chosen))

    async def forget(self, identity: str, why: str = "person") -> bool:
        """Go back to what the policy's data says, and tell it; False where nothing was chosen."""
        before, now = await self.of(identity), await self._database.now()
        if before is None:
            return False
        await self._told.told(identity, preference_event.changed(identity, before, None, now, why))
        return await self._stored.remove(before)
