"""The chat services at which people sign in to link an account, and whose account the token of a sign-in names. Pure.

1. Of a verified token's claims the ids count that the service gives: no name and no e-mail address.
2. An account of another team or tenant is refused, and so is a guest's: a click of such an account is refused, too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pdp.account import of_slack, of_teams

Claims: TypeAlias = Mapping[str, Any]
NAME = "name"
"""The claim with a name, which is shown and proves nothing."""
_TEAM, _USER = "https://slack.com/team_id", "https://slack.com/user_id"
_TENANT, _OBJECT, _HOME, _STATUS = "tid", "oid", "idp", "acct"
_NONE = "the service's ID token names no account"


class NotOurs(ValueError):
    """The token names no account that can be linked here; the text says why."""


@dataclass(frozen=True, slots=True)
class ChatService:
    """One service: `kind` is the type of its accounts, `name` what people call it, `claims` what is read of a token.

    `account` is the account that the claims name. It raises `NotOurs`.
    """

    kind: str
    name: str
    claims: tuple[str, ...]
    account: Callable[[Claims], str]


def slack(team: str) -> ChatService:
    """Slack, for the users of one team."""

    def account(said: Claims) -> str:
        if _text(said, _TEAM) != team:
            raise NotOurs("you signed in to another team of Slack than this server works with")
        return _account(of_slack, team, _text(said, _USER))

    return ChatService("slack", "Slack", (_TEAM, _USER, NAME), account)


def teams(tenant: str, issuer: str) -> ChatService:
    """Microsoft Teams, for the members of one tenant. `issuer` signs its ID tokens.

    A guest's token names another provider that let the guest in (`idp`), or says it where the app asks for it (`acct`).
    """
    own = (issuer, f"https://sts.windows.net/{tenant}/")

    def account(said: Claims) -> str:
        if _text(said, _TENANT).lower() != tenant:
            raise NotOurs("you signed in to another tenant of Microsoft than this server works with")
        if said.get(_HOME, issuer) not in own or said.get(_STATUS, 0) != 0:
            raise NotOurs("you signed in as a guest of the tenant, and only its members review in Teams")
        return _account(of_teams, tenant, _text(said, _OBJECT))

    return ChatService("teams", "Teams", (_TENANT, _OBJECT, _HOME, _STATUS, NAME), account)


def _text(said: Claims, name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str):
        raise NotOurs(_NONE)
    return value


def _account(of: Callable[[str, str], str], team: str, user: str) -> str:
    try:
        return of(team, user)
    except ValueError:
        raise NotOurs(_NONE) from None
