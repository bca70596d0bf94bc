"""The page on which people see who they are here and what is their own: passkeys, accounts, how to be told."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pdp.account import Link
from pdp.chat_service import ChatService
from pdp.errors import EngineUnavailable, InvalidRequest, PolicyInvalid
from pdp.http.login import ANYBODY, redirect, to_login
from pdp.http.problem import status
from pdp.http.route import Answer, Page, PageCall
from pdp.inbox import look, preference_form
from pdp.passkey import FRESH_LOGIN, Passkey
from pdp.session import LONGEST
from pdp.workflow.choosing import Choosing
from pdp.workflow.links import Links
from pdp.workflow.passkeys import Passkeys

ME = "/inbox/me"
_LIST, _UNLINK = "pdp.v1.PersonService/ListPasskeys", "pdp.v1.PersonService/RemoveLink"
_PREFER = "pdp.v1.PersonService/SetPreferences"


class Me:
    """A person's own page. Who has no role here sees no more. `services` are those whose accounts people link."""

    def __init__(self, passkeys: Passkeys, links: Links, choosing: Choosing, services: Sequence[ChatService]) -> None:
        self._passkeys, self._links, self._choosing, self._services = passkeys, links, choosing, services

    def routes(self) -> list[Page]:
        """What is offered."""
        form = preference_form
        return [
            Page("GET", ME, ANYBODY, self.show),
            Page("POST", "/inbox/links/remove", _UNLINK, self.unlink, ("account",)),
            Page("POST", "/inbox/preferences", _PREFER, self.choose, form.FIELDS, form.WORDS, others=form.TICKS),
            Page("POST", "/inbox/preferences/reset", _PREFER, self.reset),
        ]

    async def show(self, call: PageCall) -> Answer:
        """Everything that is this person's own."""
        return await self._page(call)

    async def unlink(self, call: PageCall) -> Answer:
        """End the link of one of this person's chat accounts."""
        await self._links.remove(call.caller.identity, call.form["account"])
        return redirect(ME)

    async def choose(self, call: PageCall) -> Answer:
        """Choose how this person is told. Where a field is refused, the page says why and keeps what was typed."""
        identity = call.caller.identity
        try:
            async with call.admitted(1):
                before = await self._choosing.muted(identity)
                chosen = preference_form.chosen(call.form, self._choosing.channels, before)
                await self._choosing.choose(identity, *chosen)
        except InvalidRequest as refused:
            return replace(await self._page(call, refused), status=status(refused))
        return redirect(ME)

    async def reset(self, call: PageCall) -> Answer:
        """Go back to what the policy's data says of how this person is told."""
        await self._choosing.reset(call.caller.identity)
        return redirect(ME)

    async def _page(self, call: PageCall, refused: InvalidRequest | None = None) -> Answer:
        caller, session = call.caller, call.present.session
        own, now = caller.can_call(_LIST), call.present.now
        tells = own and bool(self._choosing.channels)
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
                "tells": tells,
                "told": await self._told(call, refused) if tells else None,
            },
            call.holder,
        )

    async def _told(self, call: PageCall, refused: InvalidRequest | None) -> Mapping[str, Any] | None:
        """How this person is told; None where the policy cannot be asked: the rest of the page works all the same."""
        try:
            async with call.admitted(1):
                current = await self._choosing.current(call.caller.identity)
        except (EngineUnavailable, PolicyInvalid):
            return None
        return preference_form.members(current, call.form if refused else None, refused)


def _counts(held: Sequence[Passkey], now: datetime) -> list[bool]:
    return [now >= one.counts_from for one in held]


def _passkey(one: Passkey, now: datetime) -> dict[str, Any]:
    return {"id": one.id, "waits": now < one.counts_from, "added": one.added_at, "counts": one.counts_from}


def _link(one: Link) -> dict[str, Any]:
    return {"account": one.account, "at": one.at}
