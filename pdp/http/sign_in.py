"""Sign-in at a chat service, as a second login that belongs to a person's session. It says which account is there.

1. It begins in a session and ends in it: in another browser, or in another session, it links nothing.
2. What counts is the ID token, which passes the very checks of a login. Of its claims, the ids of team and user say
   whose account it is; a name is only shown.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from pdp.authn.login import LoginTokens
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
class Names:
    """The claims that say which account it is, and the one with a name to show."""

    team: str
    user: str
    name: str = "name"


@dataclass(frozen=True, slots=True)
class Found:
    """Whose account it is at the service: ids of team and user, and a name, which proves nothing."""

    team: str
    user: str
    name: str


class SignIn:
    """Sign-in at one service, whose `kind` is that of its accounts."""

    def __init__(self, kind: str, provider: Provider, tokens: LoginTokens, logins: Logins, names: Names) -> None:
        self._kind, self._provider, self._tokens, self._logins, self._names = kind, provider, tokens, logins, names

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
        names = self._names
        team, user, name = (said.get(claim) for claim in (names.team, names.user, names.name))
        if not isinstance(team, str) or not isinstance(user, str):
            raise Refusal(HTTPStatus.FORBIDDEN, "the service's ID token names no account; nothing was linked")
        return Found(team, user, name if isinstance(name, str) else "")

    def _use(self, present: Present) -> str:
        return f"{self._kind}:{present.session.id}"
