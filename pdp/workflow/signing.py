"""A verdict that a passkey signs: the statement that is asked for, and the check of what came back."""

from dataclasses import dataclass, replace
from typing import Protocol

from pdp import credential
from pdp.approval import ReviewVerdict
from pdp.assertion import Assertion, Statement, challenge, nonce_of, reason_hash
from pdp.errors import InvalidRequest
from pdp.site import Site
from pdp.verdict_errors import PasskeyInvalid, PasskeyTooNew, at
from pdp.workflow.keyrings import Keyrings, changed, fresh
from pdp.workflow.passkeys import counting, party_of

TRIES = 5
"""Tries to store the counter of a passkey that signs other verdicts meanwhile."""


class Said(Protocol):
    """A verdict as its reviewer sends it."""

    @property
    def verdict(self) -> ReviewVerdict: ...  # noqa: D102
    @property
    def reason(self) -> str: ...  # noqa: D102
    @property
    def expected_digest(self) -> str: ...  # noqa: D102
    @property
    def expected_version(self) -> int: ...  # noqa: D102
    @property
    def expected_lineage(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reviewer's passkey is asked to sign, and the ids of those that could."""

    statement: str
    nonce: str
    passkeys: tuple[str, ...]


class Signing:
    """Asks people's passkeys to sign their verdicts."""

    def __init__(self, keyrings: Keyrings, site: Site) -> None:
        self._keyrings, self._site = keyrings, site

    async def ask(self, identity: str, approval_id: str, said: Said) -> Asked:
        """The statement of a verdict, which is taken once. Raises `InvalidRequest` and `PasskeyInvalid`."""
        if said.verdict is ReviewVerdict.CHANGES_REQUESTED:
            raise InvalidRequest.field("verdict", "a passkey signs an approval or a denial; send this one without")
        party_of(self._site)
        nonce = fresh()
        statement = _statement(identity, approval_id, said, nonce)
        await self._keyrings.offer(nonce, identity, statement)
        held = (await self._keyrings.of(identity)).held
        return Asked(statement, nonce, tuple(one.id for one in held))

    def page(self, approval_id: str) -> str:
        """Where the verdict can be given; empty where there are no pages."""
        return self._site.approval(approval_id)

    def proof(self, identity: str, approval_id: str, said: Said, signed: Assertion | None) -> "Proof":
        """What is asked once of a verdict, however often its step is tried."""
        return Proof(self, identity, approval_id, said, signed)

    async def require(self, identity: str, approval_id: str, said: Said, signed: Assertion) -> None:
        """Raise `PasskeyInvalid` or `PasskeyTooNew` unless a passkey of this person signed this very verdict."""
        nonce = nonce_of(signed.statement)
        statement = _statement(identity, approval_id, said, nonce)
        if statement != signed.statement:
            raise PasskeyInvalid("what was signed is another verdict than the one that was sent; begin again")
        await self._keyrings.take(nonce, identity, statement)
        for _ in range(TRIES):
            if await self._is_counted(identity, signed):
                return
        raise changed()

    async def _is_counted(self, identity: str, signed: Assertion) -> bool:
        """Check the signature, and store its counter. False where somebody else changed the passkeys meanwhile."""
        keyring, now = await self._keyrings.of(identity), await self._keyrings.now()
        passkey = counting(keyring, signed.credential_id, now)
        asked = challenge(self._keyrings.sealer.realm, signed.statement)
        counter = credential.counted(signed, passkey, party_of(self._site), asked)
        if counter == passkey.counter:
            return True
        return await self._keyrings.replace(keyring, keyring.with_one(replace(passkey, counter=counter)))


@dataclass(slots=True)
class Proof:
    """The check of a verdict's passkey, which takes its nonce away: it is made once."""

    signing: Signing
    identity: str
    approval_id: str
    said: Said
    signed: Assertion | None

    async def require(self) -> None:
        """Raise `PasskeyInvalid` or `PasskeyTooNew` unless there is no passkey to check, or it signed this verdict."""
        signed, self.signed = self.signed, None
        if signed is None:
            return
        try:
            await self.signing.require(self.identity, self.approval_id, self.said, signed)
        except (PasskeyInvalid, PasskeyTooNew) as error:
            at(self.signing.page(self.approval_id), error)
            raise


def _statement(identity: str, approval_id: str, said: Said, nonce: str) -> str:
    return Statement(
        approval=approval_id,
        digest=said.expected_digest,
        lineage=said.expected_lineage,
        nonce=nonce,
        reason=reason_hash(said.reason),
        reviewer=identity,
        verdict=said.verdict,
        version=said.expected_version,
    ).text
