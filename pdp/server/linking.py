"""Puts the linking of chat accounts together: a second login, at Slack or at Entra as each documents it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pdp import chat_service
from pdp.account import LinkSealer
from pdp.authn.authenticator import Authenticator
from pdp.authn.login import LoginTokens
from pdp.chat_service import ChatService
from pdp.config import Config
from pdp.http.provider import Client, Provider
from pdp.http.sign_in import SignIn
from pdp.identity_source import Algorithm, Issuer
from pdp.inbox.linking import Linking, way_back
from pdp.microsoft import Microsoft
from pdp.notify.api_key import api_key
from pdp.opa.batching import Batcher
from pdp.server.parts import Parts
from pdp.slack_settings import SlackSettings
from pdp.teams_settings import TeamsSettings

_SCOPES = ("openid", "profile")
"""An e-mail address proves nothing here, so none is asked for. Without `profile` Entra gives no id of a person."""


@dataclass(frozen=True, slots=True)
class SlackIssuer:
    """Who signs Slack's ID tokens. Only tests have another; `described_at` and `jwks` follow from the name if empty."""

    name: str = "https://slack.com"
    algorithms: tuple[Algorithm, ...] = ("RS256",)
    described_at: str = ""
    jwks: Path | None = None


@dataclass(frozen=True, slots=True)
class _Door:
    """Where people of a service sign in: what it knows this server as, and whose ID tokens count."""

    service: ChatService
    client: Client
    issuer: Issuer


def linkings(
    config: Config, url: str, parts: Parts, batcher: Batcher, slack: SlackIssuer, microsoft: Microsoft
) -> Sequence[Linking]:
    """The pages on which people link accounts, of each service that is configured for it.

    Its secret is read for each code, so that a new one may be put there.
    """
    people, sealer = parts.people, LinkSealer(parts.signing.seal, config.realm)
    accounts = people.accounts(config, batcher, parts.database)
    further = parts.logins.sessions, people.links, accounts, people.passkeys, sealer, people.site
    return [Linking(_sign_in(door, url, parts), *further) for door in _doors(config, slack, microsoft)]


def _sign_in(door: _Door, url: str, parts: Parts) -> SignIn:
    tokens = LoginTokens(Authenticator([door.issuer]), door.issuer.issuer, door.client.client_id)
    return SignIn(door.service, Provider(door.client, url + way_back(door.service)), tokens, parts.logins)


def _doors(config: Config, slack: SlackIssuer, microsoft: Microsoft) -> Iterator[_Door]:
    if config.slack is not None and config.slack.client_secret is not None:
        yield _of_slack(config.slack, config.slack.client_secret, slack)
    if config.teams is not None:
        yield _of_teams(config.teams, microsoft)


def _of_slack(settings: SlackSettings, secret: Path, slack: SlackIssuer) -> _Door:
    """Sign in with Slack."""
    service = chat_service.slack(settings.team)
    client = Client(slack.name, settings.client_id, partial(api_key, secret), slack.described_at, _SCOPES)
    return _Door(service, client, _issuer(service, client, slack.algorithms, slack.jwks))


def _of_teams(settings: TeamsSettings, microsoft: Microsoft) -> _Door:
    """Entra, where the bot's app is a client like any other, with the secret that it has anyway."""
    name = microsoft.issuer(settings.tenant)
    service = chat_service.teams(settings.tenant, name)
    client = Client(name, settings.app_id, partial(api_key, settings.secret), scopes=_SCOPES)
    return _Door(service, client, _issuer(service, client, ("RS256",)))


def _issuer(
    service: ChatService, client: Client, algorithms: tuple[Algorithm, ...], jwks: Path | None = None
) -> Issuer:
    return Issuer(
        issuer=client.issuer,
        audience=client.client_id,
        type=f"{service.kind}-sign-in",  # no call is made with such a token; the type of its accounts is reserved
        kind="person",
        algorithms=algorithms,
        jwks=jwks,
        claims=service.claims,
    )
