"""The pages on which people add and remove their passkeys.

1. What a device is asked for is a page that a POST gives, for it has a nonce that counts once.
2. Its script has the device make the passkey, and another one sign for it where the person has one that counts.
3. With each new passkey the session gets a new id: who had the old one does not have the new one.
"""

from http import HTTPStatus

from pdp.assertion import Assertion, encoded
from pdp.credential import ALGORITHMS, Registration
from pdp.http.login import kept, redirect
from pdp.http.problem import Refusal
from pdp.http.route import Answer, Page, PageCall
from pdp.inbox import look
from pdp.inbox.me import ME
from pdp.passkey import FRESH_LOGIN, hashed
from pdp.site import Site
from pdp.verdict_errors import PasskeyInvalid, PasskeyTooNew
from pdp.workflow.passkeys import Passkeys
from pdp.workflow.sessions import Sessions

_CHANGE = "pdp.v1.PersonService/RemovePasskey"
"""The RPC whose row says who changes passkeys: adding has no RPC, as it needs a browser."""
_NEW = ("nonce", "credential_id", "attestation", "client_data")
_BY = ("by", "by_authenticator_data", "by_client_data", "by_signature")
"""What another passkey signed; all empty where none did."""


class PasskeyPages:
    """Adds and removes passkeys, in a browser that has an authenticator."""

    def __init__(self, realm: str, site: Site, passkeys: Passkeys, sessions: Sessions) -> None:
        self._realm, self._site, self._passkeys, self._sessions = realm, site, passkeys, sessions

    def routes(self) -> list[Page]:
        """What is offered."""
        return [
            Page("POST", "/inbox/passkeys/begin", _CHANGE, self.begin),
            Page("POST", "/inbox/passkeys", _CHANGE, self.add, (*_NEW, *_BY)),
            Page("POST", "/inbox/passkeys/remove", _CHANGE, self.remove, ("passkey",)),
        ]

    async def begin(self, call: PageCall) -> Answer:
        """Ask the browser for a new passkey."""
        identity, now = call.caller.identity, call.present.now
        is_fresh = now - call.present.logged_in_at <= FRESH_LOGIN
        counting = [one.id for one in await self._passkeys.held(identity) if now >= one.counts_from]
        if not is_fresh and not counting:
            raise Refusal(
                HTTPStatus.FORBIDDEN, "your login is older than five minutes; log in once more, and add it then"
            )
        adding = await self._passkeys.begin(identity)
        return look.shown(
            "passkey",
            {
                "nonce": adding.nonce,
                "challenge": adding.challenge,
                "held": " ".join(adding.held),
                "counting": " ".join(counting),
                "is_fresh": is_fresh,
                "algorithms": " ".join(str(int(one)) for one in ALGORITHMS),
                "realm": self._realm,
                "host": self._site.host,
                "user": encoded(bytes.fromhex(hashed(f"{self._realm}\n{identity}"))),
                "identity": identity,
                "form_token": call.form_token,
                "fields": [name for name in (*_NEW, *_BY) if name != "nonce"],
            },
            call.holder,
        )

    async def add(self, call: PageCall) -> Answer:
        """Add what the device made; the session goes on under a new id."""
        form = call.form
        new = Registration(form["credential_id"], form["attestation"], form["client_data"])
        signed = (form["by_authenticator_data"], form["by_client_data"], form["by_signature"])
        by = Assertion(form["by"], "", *signed) if form["by"] else None
        identity, at = call.caller.identity, call.present.logged_in_at
        try:
            await self._passkeys.add(identity, form["nonce"], new, logged_in_at=at, by=by)
        except (PasskeyInvalid, PasskeyTooNew) as error:
            raise Refusal(HTTPStatus.FORBIDDEN, error.sentence) from None
        secret = await self._sessions.moved(call.present)
        if secret is None:
            raise Refusal(HTTPStatus.UNAUTHORIZED, "the passkey is added, and your session has ended; log in again")
        return redirect(ME, kept(secret))

    async def remove(self, call: PageCall) -> Answer:
        """Remove one of this person's passkeys."""
        await self._passkeys.remove(call.caller.identity, call.form["passkey"])
        return redirect(ME)
