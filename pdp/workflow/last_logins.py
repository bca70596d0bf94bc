"""When people logged in last. What is stored of it counts only if a server signed it."""

import logging

from pdp.audit import identity_event
from pdp.last_login import LastLogin, LastLoginSealer
from pdp.recording.writer import Writer
from pdp.store.database import Database
from pdp.store.last_logins import StoredLastLogins

log = logging.getLogger(__name__)


class LastLogins:
    """The last login of each person."""

    def __init__(self, database: Database, writer: Writer, sealer: LastLoginSealer) -> None:
        self._writer, self._sealer = writer, sealer
        self._stored = StoredLastLogins(database)

    async def note(self, login: LastLogin) -> None:
        """Remember a login in the place of the one before."""
        await self._stored.put(self._sealer.last_login(login))

    async def of(self, identity: str) -> LastLogin | None:
        """The last login of a person. What no server wrote goes, and both logs say so."""
        found = await self._stored.find(identity)
        if found is None or self._sealer.is_ours(found):
            return found
        log.error("a stored last login was changed behind the servers' back; it is refused")
        await self._writer.append([identity_event.refused("last login")])
        await self._stored.remove(identity)
        return None

    async def forget(self, identity: str) -> None:
        """Forget the last login of a person."""
        await self._stored.remove(identity)
