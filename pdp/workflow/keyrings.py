"""Reads what is stored of people's passkeys. What no server wrote is refused, with the alarm in both logs."""

import logging
import secrets
from datetime import datetime

from pdp.assertion import encoded
from pdp.audit import passkey_event
from pdp.errors import Conflict
from pdp.passkey import NONCE_BYTES, Keyring, Nonce, PasskeySealer, hashed
from pdp.recording.writer import Writer
from pdp.store.database import Database
from pdp.store.passkeys import StoredPasskeys
from pdp.verdict_errors import PasskeyInvalid

log = logging.getLogger(__name__)


class Keyrings:
    """The passkeys of all people, and the nonces of what they are asked to sign."""

    def __init__(self, database: Database, writer: Writer, sealer: PasskeySealer) -> None:
        self._database, self._writer, self.sealer = database, writer, sealer
        self._stored = StoredPasskeys(database)

    async def of(self, identity: str) -> Keyring:
        """A person's passkeys as this deployment wrote them; none where somebody else did."""
        found = await self._stored.find(identity)
        if (not found.held and not found.seal) or self.sealer.is_ours(found):
            return found
        await self._refuse("stored passkeys were")
        await self._stored.remove(identity)
        return Keyring(identity=identity)

    async def replace(self, old: Keyring, new: Keyring) -> bool:
        """Store what has changed; False where somebody else was faster."""
        return await self._stored.replace(old, self.sealer.keyring(new))

    async def offer(self, nonce: str, identity: str, bound: str) -> None:
        """Give a nonce to this person, to be taken with this content alone."""
        asked = Nonce(id=hashed(nonce), identity=identity, bound=hashed(bound), at=await self.now())
        await self._stored.insert(self.sealer.nonce(asked))

    async def take(self, nonce: str, identity: str, bound: str) -> None:
        """Take a nonce away. Raises `PasskeyInvalid` unless this person got it for this, a short while ago."""
        found = await self._stored.take(hashed(nonce))
        if found is not None and not self.sealer.is_ours(found):
            await self._refuse("a stored nonce was")
            found = None
        if found is None or (found.identity, found.bound) != (identity, hashed(bound)):
            raise PasskeyInvalid("what was signed is not what you were asked to sign a moment ago; begin again")

    async def now(self) -> datetime:
        """MongoDB's time."""
        return await self._database.now()

    async def _refuse(self, what: str) -> None:
        log.error("%s changed behind the servers' back; refused", what)
        await self._writer.append([passkey_event.refused(what)])


def fresh() -> str:
    """A new nonce."""
    return encoded(secrets.token_bytes(NONCE_BYTES))


def changed() -> Conflict:
    """What a person is told whose passkeys were changed at the same time."""
    return Conflict("your passkeys were changed at the same time, or this one is another person's; look and try again")
