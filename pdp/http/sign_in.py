"""Sign-in at a chat service, as a second login that belongs to a person's session. It says which account is there.

1. It begins in a session and ends in it: in another browser, in another session, or for another service, it links
   nothing.
2. What counts is the ID token, which passes the very checks of a login. Its claims say whose account it is, as
   `pdp.chat_service` reads them; a name is only shown.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from pdp.authn.login import LoginTokens
from pdp.chat_service import NAME, ChatService, NotOurs
from pdp.errors import Unauthenticated
from pdp.http import form
from pdp.http.login import LOGIN_COOKIE, login_kept
from pdp.http.problem import Refusal
from pdp.http.provider import Provider
from pdp.http.route import PageCall, Visit
from pdp.workflow.logins import Logins
from pdp.workflow.sessions import Present

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_ELSEWHERE = "this was not begun in your session here, took too long, or was finished before; nothing was linked"


@dataclass(frozen=True, slots=True)
class Found:
    """The account of who signed in, and a name, which proves nothing."""

    account: str
    name: str


class SignIn:
    """Sign-in at one service."""

    def __init__(self, service: ChatService, provider: Provider, tokens: LoginTokens, logins: Logins) -> None:
        self.service = service
        self._provider, self._tokens, self._logins = provider, tokens, logins

    async def begin(self, call: PageCall) -> tuple[str, Mapping[str, str]]:
        """Where the person signs in, and the header by which the browser keeps that it began here."""
        kept = form.cookies([call.headers.get("cookie", "")]).get(LOGIN_COOKIE, "")
        browser = kept if _SECRET.fullmatch(kept) else ""
        proof = await self._logins.begin(browser, "/inbox/me", use=self._use(call.present))
        return await self._provider.address(proof, silent=False), login_kept(proof)

    async def finish(self, visit: Visit, present: Present) -> Found:
        """Whose account it is. Raises `Refusal` unless this very session began it."""
        found = await self._logins.finish(visit.query.get("state", ""), visit.cookies.get(LOGIN_COOKIE, ""))
        if found is None or found[0].use != self._use(present):
            raise Refusal(HTTPStatus.FORBIDDEN, _ELSEWHERE)
        if not self._provider.is_own(visit.query.get("iss")) or "error" in visit.query:
            raise Refusal(HTTPStatus.FORBIDDEN, "the service did not say who you are there; nothing was linked")
        token = await self._provider.id_token(visit.query.get("code", ""), found[1])
        try:
            said = (await self._tokens.logged_in(token, found[1].nonce)).claims
        except Unauthenticated:
            sentence = "the service's ID token is not for this server; nothing was linked; the server's log says why"
            raise Refusal(HTTPStatus.FORBIDDEN, sentence) from None
        try:
            account = self.service.account(said)
        except NotOurs as error:
            raise Refusal(HTTPStatus.FORBIDDEN, f"{error}; nothing was linked") from None
        name = said.get(NAME)
        return Found(account, name if isinstance(name, str) else "")

    def _use(self, present: Present) -> str:
        return f"{self.service.kind}:{present.session.id}"
