"""Logins that are under way: each belongs to the browser that began it, and is finished once."""

import secrets

from pdp.session import SECRET_BYTES, Login, Proof, SessionSealer, hashed
from pdp.store.database import Database
from pdp.store.logins import StoredLogins
from pdp.workflow.sessions import Sessions


class Logins:
    """The logins of a deployment."""

    def __init__(self, database: Database, sealer: SessionSealer, sessions: Sessions) -> None:
        self._database, self._sealer, self.sessions = database, sealer, sessions
        self._stored = StoredLogins(database)

    async def begin(self, browser: str, back: str, renews: str = "", use: str = "") -> Proof:
        """Begin a login that leads back to a path. `browser` is what its browser keeps for it, or empty."""
        proof = Proof(secrets.token_urlsafe(SECRET_BYTES), browser or secrets.token_urlsafe(SECRET_BYTES))
        login = Login(
            id=hashed(proof.state),
            browser=hashed(proof.browser),
            back=back,
            renews=renews,
            at=await self._database.now(),
            use=use,
        )
        await self._stored.insert(self._sealer.login(login))
        return proof

    async def finish(self, state: str, browser: str) -> tuple[Login, Proof] | None:
        """The login of a state that this browser began not long ago; each is given once.

        One that no server signed is refused, with the alarm.
        """
        login = await self._stored.take(hashed(state), hashed(browser))
        if login is None:
            return None
        if not self._sealer.is_ours(login):
            await self.sessions.refuse("login")
            return None
        return login, Proof(state, browser)
