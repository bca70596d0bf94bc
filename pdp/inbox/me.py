"""The page on which people see who they are here and what is their own: passkeys, chat accounts, this session."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pdp.account import Link
from pdp.chat_service import ChatService
from pdp.http.login import ANYBODY, redirect, to_login
from pdp.http.route import Answer, Page, PageCall
from pdp.inbox import look
from pdp.passkey import FRESH_LOGIN, Passkey
from pdp.session import LONGEST
from pdp.workflow.links import Links
from pdp.workflow.passkeys import Passkeys

ME = "/inbox/me"
_LIST, _UNLINK = "pdp.v1.PersonService/ListPasskeys", "pdp.v1.PersonService/RemoveLink"


class Me:
    """A person's own page. Who has no role here sees no more. `services` are those whose accounts people link."""

    def __init__(self, passkeys: Passkeys, links: Links, services: Sequence[ChatService]) -> None:
        self._passkeys, self._links, self._services = passkeys, links, services

    def routes(self) -> list[Page]:
        """What is offered."""
        return [
            Page("GET", ME, ANYBODY, self.show),
            Page("POST", "/inbox/links/remove", _UNLINK, self.unlink, ("account",)),
        ]

    async def show(self, call: PageCall) -> Answer:
        """Everything that is this person's own."""
        caller, session = call.caller, call.present.session
        own, now = caller.can_call(_LIST), call.present.now
        held = await self._passkeys.held(caller.identity) if own else ()
        links = await self._links.held(caller.identity) if own else ()
        return look.shown(
            "me",
            {
                "identity": caller.identity,
                "roles": sorted(caller.roles),
                "groups": caller.groups,
                "elsewhere": caller.claims_elsewhere,
                "ends": session.ends_at,
                "latest": session.began_at + LONGEST,
                "form_token": call.form_token,
                "own": own,
                "passkeys": [_passkey(one, now) for one in held],
                "may_add": now - call.present.logged_in_at <= FRESH_LOGIN or any(_counts(held, now)),
                "may_link": bool(held) or now - call.present.logged_in_at <= FRESH_LOGIN,
                "fresh_login": to_login(ME, fresh=True),
                "services": [{"kind": one.kind, "name": one.name} for one in self._services],
                "links": [_link(one) for one in links],
            },
        )

    async def unlink(self, call: PageCall) -> Answer:
        """End the link of one of this person's chat accounts."""
        await self._links.remove(call.caller.identity, call.form["account"])
        return redirect(ME)


def _counts(held: Sequence[Passkey], now: datetime) -> list[bool]:
    return [now >= one.counts_from for one in held]


def _passkey(one: Passkey, now: datetime) -> dict[str, Any]:
    return {"id": one.id, "waits": now < one.counts_from, "added": one.added_at, "counts": one.counts_from}


def _link(one: Link) -> dict[str, Any]:
    return {"account": one.account, "at": one.at}
