"""Ends what is of somebody who left: sessions, links of accounts, passkeys, the last login, and how to be told."""

from collections.abc import Collection
from dataclasses import dataclass

from pdp.store.database import Database
from pdp.workflow.last_logins import LastLogins
from pdp.workflow.links import Links
from pdp.workflow.passkeys import Passkeys
from pdp.workflow.preferences import Preferences
from pdp.workflow.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Ended:
    """How many of each ended."""

    sessions: int
    links: int
    passkeys: int
    preferences: int


class Leaving:
    """What an operator ends of a person. Each end is a record of its own, so it may be done again after a failure."""

    def __init__(
        self,
        database: Database,
        sessions: Sessions,
        links: Links,
        passkeys: Passkeys,
        logins: LastLogins,
        preferences: Preferences,
    ) -> None:
        self._database, self._sessions, self._links = database, sessions, links
        self._passkeys, self._logins, self._preferences = passkeys, logins, preferences

    async def end(self, identity: str, issuers: Collection[str]) -> Ended:
        """End all that is this person's, with sessions of any of these issuers."""
        await self._logins.forget(identity)
        now = await self._database.now()
        sessions = [await self._sessions.end_all(issuer, identity, "", now, "operator") for issuer in issuers]
        links, passkeys = await self._links.held(identity), await self._passkeys.held(identity)
        for link in links:
            await self._links.remove(identity, link.account, "operator")
        for passkey in passkeys:
            await self._passkeys.remove(identity, passkey.id)
        chosen = await self._preferences.forget(identity, "operator")
        return Ended(sum(sessions), len(links), len(passkeys), int(chosen))
