"""People's passkeys: listed, added and removed by themselves.

A passkey is added after a login that is fresh, or with another passkey that counts. By a login alone it counts after a
wait: who steals a login approves nothing before its person can hear of it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pdp import credential
from pdp.assertion import Assertion, adding_challenge, encoded, linking_challenge
from pdp.audit import passkey_event
from pdp.credential import Made, Party, Registration
from pdp.errors import NotFound
from pdp.passkey import FRESH_LOGIN, MAX_PASSKEYS, Keyring, Passkey
from pdp.site import Site
from pdp.verdict_errors import PasskeyInvalid, PasskeyRequired, PasskeyTooNew
from pdp.workflow.keyrings import Keyrings, changed, fresh
from pdp.workflow.told import Told

_LINKING = "link:"
"""What such a nonce is bound to with which an account is linked, before the account."""
_ADDING = "passkey"
"""What a nonce is bound to with which a passkey is added."""


@dataclass(frozen=True, slots=True)
class Adding:
    """What a page asks an authenticator for: a passkey for this challenge, beside those that are held."""

    nonce: str
    challenge: str
    held: tuple[str, ...]


class Passkeys:
    """The passkeys of people. `wait` is the time after which one counts that came by a login."""

    def __init__(self, keyrings: Keyrings, told: Told, site: Site, wait: timedelta) -> None:
        self._keyrings, self._told, self._site, self._wait = keyrings, told, site, wait

    async def held(self, identity: str) -> tuple[Passkey, ...]:
        """A person's passkeys, the oldest first."""
        return tuple(sorted((await self._keyrings.of(identity)).held, key=lambda one: one.added_at))

    async def remove(self, identity: str, passkey_id: str) -> None:
        """Remove a passkey at once, and record it. Raises `NotFound`, and `Conflict`."""
        keyring = await self._keyrings.of(identity)
        passkey = keyring.find(passkey_id)
        if passkey is None:
            raise NotFound("PASSKEY_NOT_FOUND", "you have no passkey with this id")
        if not await self._keyrings.replace(keyring, keyring.without(passkey_id)):
            raise changed()
        await self._told.told(identity, passkey_event.removed(identity, passkey, await self._keyrings.now()))

    async def begin(self, identity: str) -> Adding:
        """Ask for a new passkey."""
        nonce = fresh()
        await self._keyrings.offer(nonce, identity, _ADDING)
        challenge = adding_challenge(self._keyrings.sealer.realm, nonce)
        return Adding(nonce, encoded(challenge), tuple(one.id for one in await self.held(identity)))

    async def add(
        self, identity: str, nonce: str, answer: Registration, *, logged_in_at: datetime, by: Assertion | None = None
    ) -> Passkey:
        """Add a passkey by a fresh login, or `by` another passkey that signed the new one's id; it is recorded.

        Raises `PasskeyInvalid`, `PasskeyTooNew` and `Conflict`.
        """
        await self._keyrings.take(nonce, identity, _ADDING)
        realm, party, now = self._keyrings.sealer.realm, party_of(self._site), await self._keyrings.now()
        made = credential.made(answer, party, adding_challenge(realm, nonce))
        keyring = await self._keyrings.of(identity)
        if len(keyring.held) >= MAX_PASSKEYS:
            raise PasskeyInvalid(f"you have {MAX_PASSKEYS} passkeys; remove one that you do not use")
        if keyring.find(made.id):
            raise PasskeyInvalid("you have this passkey already")
        counts_from = now
        if by is not None:
            keyring = _signed(keyring, by, party, adding_challenge(realm, nonce, made.id), now)
        else:
            _require_fresh(logged_in_at, now, "add it within five minutes, or add it with another passkey")
            counts_from = now + self._wait
        return await self._stored(keyring, made, now, counts_from, by.credential_id if by else "login")

    async def begin_link(self, identity: str, account: str) -> str:
        """Ask for a signature by which an account is linked; the nonce."""
        nonce = fresh()
        await self._keyrings.offer(nonce, identity, _LINKING + account)
        return nonce

    async def prove_link(
        self, identity: str, account: str, nonce: str, by: Assertion | None, *, logged_in_at: datetime
    ) -> None:
        """Raise `PasskeyRequired`, `PasskeyInvalid` or `PasskeyTooNew` unless a passkey signed, where there is one.

        Without any the login must be fresh, or else who stole a session would remove the passkeys first.
        """
        keyring = await self._keyrings.of(identity)
        if not keyring.held:
            _require_fresh(logged_in_at, await self._keyrings.now(), "connect it within five minutes")
            return
        if by is None:
            raise PasskeyRequired("you have a passkey, and an account is linked only with it")
        await self._keyrings.take(nonce, identity, _LINKING + account)
        challenge = linking_challenge(self._keyrings.sealer.realm, nonce, account)
        used = _signed(keyring, by, party_of(self._site), challenge, await self._keyrings.now())
        if not await self._keyrings.replace(keyring, used):
            raise changed()

    async def _stored(self, keyring: Keyring, made: Made, now: datetime, counts_from: datetime, by: str) -> Passkey:
        identity, party = keyring.identity, party_of(self._site)
        passkey = Passkey(
            id=made.id,
            cose=made.cose,
            public_key=made.public_key,
            algorithm=made.algorithm,
            counter=made.counter,
            added_at=now,
            counts_from=counts_from,
        )
        added = passkey_event.added(identity, passkey, rp_id=party.id, origin=party.origin, by=by)
        await self._told.told(identity, added)
        if not await self._keyrings.replace(keyring, keyring.with_one(passkey)):
            await self._told.told(identity, passkey_event.removed(identity, passkey, now))
            raise changed()
        return passkey


def party_of(site: Site) -> Party:
    """For whom passkeys sign. Raises `PasskeyInvalid` where there are no pages to which they could belong."""
    if not site.url:
        raise PasskeyInvalid("this server has no pages for people, so it takes no passkeys; configure [http.login]")
    return Party(site.host, site.origin)


def counting(keyring: Keyring, passkey_id: str, now: datetime) -> Passkey:
    """A person's passkey that counts. Raises `PasskeyInvalid` and `PasskeyTooNew`."""
    passkey = keyring.find(passkey_id)
    if passkey is None:
        raise PasskeyInvalid("this is not one of your passkeys")
    if now < passkey.counts_from:
        seconds = (passkey.counts_from - now).total_seconds()
        raise PasskeyTooNew(f"this passkey counts from {passkey.counts_from:%Y-%m-%dT%H:%M:%SZ} on; wait", seconds)
    return passkey


def _signed(keyring: Keyring, by: Assertion, party: Party, challenge: bytes, now: datetime) -> Keyring:
    passkey = counting(keyring, by.credential_id, now)
    # The document is found by its signature, which stays that of what was read.
    used = replace(passkey, counter=credential.counted(by, passkey, party, challenge))
    return keyring.with_one(used)


def _require_fresh(logged_in_at: datetime, now: datetime, do: str) -> None:
    if now - logged_in_at > FRESH_LOGIN:
        raise PasskeyInvalid(f"log in once more and {do}")
