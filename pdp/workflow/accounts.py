"""Who acts through a chat account: the person to whom the policy's data or a link gives it.

1. By data it is the one identity of a person that `same_as` names with the account. By a link it is the link's.
2. Where both say something and do not agree, neither counts.
3. The person reviews there by the roles of the issuer's entry, or by those of a login not long ago, and does nothing
   else. It has no groups but those of the data, for no token is there that could name some.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

import orjson

from pdp.account import is_account
from pdp.caller import Caller, Role, is_person
from pdp.decision import policy_review, review_input
from pdp.errors import NotAllowed
from pdp.identity_source import Certificates, Issuer
from pdp.last_login import ROLES_COUNT
from pdp.opa.batching import Batcher
from pdp.opa.quarantine import Suspect
from pdp.opa.queries import About
from pdp.opa.waiting import Question
from pdp.quorum import PolicyReview
from pdp.site import Site
from pdp.store.database import Database
from pdp.verdict_errors import AccountNotLinked, at
from pdp.workflow.last_logins import LastLogins
from pdp.workflow.links import Links


class Accounts:
    """The chat accounts of people. `entries` of the configuration vouch for people."""

    def __init__(
        self,
        links: Links,
        logins: LastLogins,
        batcher: Batcher,
        entries: Collection[Issuer | Certificates],
        database: Database,
        site: Site,
    ) -> None:
        self._links, self._logins, self._batcher, self._database = links, logins, batcher, database
        self._entries: Mapping[str, Issuer | Certificates] = {
            entry.type: entry for entry in entries if entry.kind == "person"
        }
        self._site = site

    async def caller_of(self, account: str) -> Caller:
        """The person behind an account, as who may review through it.

        Raises `AccountNotLinked`, and `NotAllowed` where the person does not review.
        """
        identity = await self.person_of(account)
        if Role.REVIEWER not in await self._roles(identity):
            raise NotAllowed(
                "ROLE_REQUIRED", f"{identity} does not review here, by the configuration or a login of the last 7 days"
            )
        described = orjson.dumps({"identity": identity, "kind": "person", "groups": []})
        return Caller(identity, "person", frozenset({Role.REVIEWER}), (), described)

    async def person_of(self, account: str) -> str:
        """The person behind an account. Raises `AccountNotLinked`."""
        if not is_account(account):
            raise self._not_linked()
        linked = (await self._links.people([account])).get(account, "")
        named = await self.named(account)
        if linked and (linked in named or not named) and is_person(linked, self._entries):
            return linked
        if linked or len(named) != 1:
            raise self._not_linked()
        return next(iter(named))

    async def accounts_of(self, identity: str) -> Sequence[str]:
        """The accounts through which a person acts, by a link or by the data."""
        linked = [link.account for link in await self._links.held(identity)]
        data = sorted(filter(is_account, (await self._review(identity, [identity])).principals))
        found = list[str]()
        for account in dict.fromkeys([*linked, *data]):
            with suppress(AccountNotLinked):
                found += [account] if await self.person_of(account) == identity else []
        return found

    async def named(self, account: str) -> frozenset[str]:
        """The identities that the policy's data names as the same person, of those for whom an issuer vouches."""
        alone = await self._review(account, [account])
        everybody = sorted(alone.principals - {account})
        found = (await self._review(account, everybody)).reviewers if everybody else ()
        person = alone.reviewers[0].person
        return frozenset(
            one.identity for one in found if one.person == person and is_person(one.identity, self._entries)
        )

    async def _review(self, account: str, names: Collection[str]) -> PolicyReview:
        kind, _, identifier = account.partition(":")
        asked = orjson.dumps({"subject": {"type": kind, "id": identifier}, "on_behalf_of": []})
        reviewers = [Caller.requester(name) for name in names]
        question = review_input(asked, Caller.requester(account), [], reviewers, time.time_ns())
        [answer] = await self._batcher.each([Question(question, Suspect(account), about=About.REVIEWS)])
        return policy_review(answer, list(names), 0)

    async def _roles(self, identity: str) -> frozenset[Role]:
        """The roles that a person has by configuration, or by the last login at the same issuer."""
        entry = self._entries[identity.partition(":")[0]]
        login = await self._logins.of(identity)
        if login is None or not isinstance(entry, Issuer) or login.issuer != entry.issuer:
            return frozenset(entry.roles)
        is_recent = await self._database.now() - login.at < ROLES_COUNT
        return frozenset({*entry.roles, *(Role(name) for name in login.roles if is_recent)})

    def _not_linked(self) -> AccountNotLinked:
        sentence = "this chat account belongs to nobody here; connect it on your page of the inbox"
        return at(self._site.me, AccountNotLinked(sentence))
