"""The links between chat accounts and people: made, listed and ended. A link counts only if a server signed it."""

import logging
from collections.abc import Collection, Mapping, Sequence

from pdp.account import Link, LinkSealer
from pdp.audit import identity_event
from pdp.errors import Conflict, NotFound
from pdp.store.database import Database
from pdp.store.links import StoredLinks
from pdp.workflow.told import Told

log = logging.getLogger(__name__)


class Links:
    """The links of a deployment."""

    def __init__(self, database: Database, told: Told, sealer: LinkSealer) -> None:
        self._database, self._told, self._sealer = database, told, sealer
        self._stored = StoredLinks(database)

    async def people(self, accounts: Collection[str]) -> Mapping[str, str]:
        """The person of each of these accounts that has a link."""
        found = await self._stored.of_accounts(accounts) if accounts else ()
        return {link.account: link.identity for link in await self._ours(found)}

    async def ever(self, accounts: Collection[str]) -> Mapping[str, Collection[str]]:
        """All people whose account each of these was or is: a link that ended still bars from reviewing."""
        found: dict[str, set[str]] = {account: {person} for account, person in (await self.people(accounts)).items()}
        for link in await self._stored.ended_of(accounts) if accounts else ():
            if self._sealer.is_ended(link):
                found.setdefault(link.account, set()).add(link.identity)
        return found

    async def held(self, identity: str) -> Sequence[Link]:
        """The links of a person, the oldest first."""
        return sorted(
            await self._ours(await self._stored.of_person(identity)), key=lambda link: (link.at, link.account)
        )

    async def add(self, identity: str, account: str) -> Link:
        """Link an account to a person, and tell it. Raises `Conflict` where the account has a link, of whomever."""
        await self.people([account])  # one that no server wrote goes, and does not stand in the way
        link = self._sealer.link(Link(account=account, identity=identity, at=await self._database.now()))
        if not await self._stored.insert(link):
            raise Conflict("this account is linked already; its person must remove that link first")
        await self._told.told(identity, identity_event.linked(link))
        return link

    async def remove(self, identity: str, account: str, why: str = "person") -> None:
        """End a link of a person at once, and tell it. Raises `NotFound`."""
        link = next((one for one in await self.held(identity) if one.account == account), None)
        if link is not None:
            await self._stored.keep_ended(self._sealer.ended(link))
        if link is None or not await self._stored.remove(link):
            raise NotFound("LINK_NOT_FOUND", "you have no link of this account")
        await self._told.told(identity, identity_event.unlinked(link, await self._database.now(), why))

    async def _ours(self, found: Sequence[Link]) -> Sequence[Link]:
        """Those that a server wrote. What is not goes, and both logs say so."""
        for link in found:
            if not self._sealer.is_ours(link):
                log.error("a stored link was changed behind the servers' back; it is refused")
                await self._told.writer.append([identity_event.refused("link")])
                await self._stored.remove(link)
        return [link for link in found if self._sealer.is_ours(link)]
