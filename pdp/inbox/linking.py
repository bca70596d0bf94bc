"""The pages on which people link a chat account: sign in there, see both names, confirm.

1. A link begins and ends in one session, and never in the chat.
2. Who has passkeys confirms with one that counts.
3. Where the policy's data gives the account to somebody else, nothing is linked.
"""

from http import HTTPStatus

from pdp.account import LinkSealer
from pdp.assertion import Assertion
from pdp.chat_service import ChatService
from pdp.errors import Conflict
from pdp.http.attempts import Attempts
from pdp.http.login import MOST_LOGINS, SESSION_COOKIE, redirect, to_login
from pdp.http.problem import Refusal
from pdp.http.route import HTML, Answer, Entrance, Holder, Page, PageCall, Visit
from pdp.http.sign_in import SignIn
from pdp.inbox import look
from pdp.inbox.me import ME
from pdp.session import form_token
from pdp.site import Site
from pdp.verdict_errors import PasskeyInvalid, PasskeyRequired, PasskeyTooNew
from pdp.workflow.accounts import Accounts
from pdp.workflow.links import Links
from pdp.workflow.passkeys import Passkeys
from pdp.workflow.sessions import Sessions

_CHANGE = "pdp.v1.PersonService/RemoveLink"
_OFFER = ("account", "at", "offer")
_BY = ("nonce", "by", "by_authenticator_data", "by_client_data", "by_signature")
"""What a passkey signed; all empty where the person has none."""


def way_back(service: ChatService) -> str:
    """The path to which a sign-in at a service leads back."""
    return f"/login/{service.kind}"


class Linking:
    """Links accounts of one chat service."""

    def __init__(
        self,
        sign_in: SignIn,
        sessions: Sessions,
        links: Links,
        accounts: Accounts,
        passkeys: Passkeys,
        sealer: LinkSealer,
        site: Site,
    ) -> None:
        self._sign_in, self._sessions, self._site = sign_in, sessions, site
        self._links, self._accounts, self._passkeys, self._sealer = links, accounts, passkeys, sealer
        self._came_back = Attempts(MOST_LOGINS)

    @property
    def service(self) -> ChatService:
        """Where the accounts are."""
        return self._sign_in.service

    def routes(self) -> list[Page | Entrance]:
        """What is offered."""
        connect = f"/inbox/links/{self.service.kind}"
        return [
            Page("POST", connect, _CHANGE, self.begin),
            Entrance("GET", way_back(self.service), self.back),
            Page("POST", f"{connect}/confirm", _CHANGE, self.confirm, (*_OFFER, *_BY)),
        ]

    async def begin(self, call: PageCall) -> Answer:
        """Say where to sign in: a form must not lead to another site by itself."""
        address, kept = await self._sign_in.begin(call)
        shown = {"identity": call.caller.identity, "address": address, "service": self.service.name}
        return Answer(look.page("link_begin", shown, call.holder), media=HTML, headers=kept)

    async def back(self, visit: Visit) -> Answer:
        """Come back from the service, and show both names."""
        self._came_back.require(visit.source)
        present = await self._sessions.present(visit.cookies.get(SESSION_COOKIE, ""))
        if present is None:
            return redirect(to_login(ME))
        found = await self._sign_in.finish(visit, present)
        identity, account = present.session.identity, found.account
        at = str(int(present.now.timestamp()))
        held = await self._passkeys.held(identity)
        return look.shown(
            "link_confirm",
            {
                "identity": identity,
                "service": self.service.name,
                "kind": self.service.kind,
                "account": account,
                "name": found.name,
                "at": at,
                "offer": self._sealer.offer(present.session.id, identity, account, at),
                "nonce": await self._passkeys.begin_link(identity, account) if held else "",
                "held": " ".join(one.id for one in held),
                "realm": self._sealer.realm,
                "host": self._site.host,
                "form_token": form_token(present.secret),
                "fields": [name for name in _BY if name != "nonce"],
            },
            Holder(identity, form_token(present.secret)),
        )

    async def confirm(self, call: PageCall) -> Answer:
        """Link what was shown in this session a short while ago."""
        form, identity = call.form, call.caller.identity
        account = form["account"]
        session, seconds = call.present.session, call.present.now.timestamp()
        if not self._sealer.is_offer(form["offer"], session.id, identity, account, form["at"], seconds):
            raise _refused("this was not offered in your session here, or too long ago; begin again")
        await self._prove(call)
        named = await self._accounts.named(account)
        if named and identity not in named:
            raise _refused("the policy's data gives this account to somebody else; ask who keeps that data")
        try:
            await self._links.add(identity, account)
        except Conflict as error:
            raise _refused(error.sentence) from None
        return redirect(ME)

    async def _prove(self, call: PageCall) -> None:
        """Raise `Refusal` unless a passkey signed it, where the person has any."""
        form = call.form
        signed = (form["by_authenticator_data"], form["by_client_data"], form["by_signature"])
        by = Assertion(form["by"], "", *signed) if form["by"] else None
        try:
            await self._passkeys.prove_link(
                call.caller.identity, form["account"], form["nonce"], by, logged_in_at=call.present.logged_in_at
            )
        except (PasskeyInvalid, PasskeyTooNew, PasskeyRequired) as error:
            raise _refused(error.sentence) from None


def _refused(why: str) -> Refusal:
    return Refusal(HTTPStatus.FORBIDDEN, f"{why}; nothing was linked")
