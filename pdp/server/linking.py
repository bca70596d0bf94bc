"""Puts the linking of Slack accounts together: Sign in with Slack, as Slack documents it."""

from dataclasses import dataclass
from pathlib import Path

from pdp.account import LinkSealer
from pdp.authn.authenticator import Authenticator
from pdp.authn.login import LoginTokens
from pdp.config import Config
from pdp.errors import SetupError
from pdp.http.provider import Client, Provider
from pdp.http.sign_in import Names, SignIn
from pdp.identity_source import Algorithm, Issuer
from pdp.inbox.linking import BACK, SlackLinking
from pdp.notify.api_key import api_key
from pdp.opa.batching import Batcher
from pdp.server.parts import Parts

_NAMES = Names("https://slack.com/team_id", "https://slack.com/user_id")
_SCOPES = ("openid", "profile")
"""An e-mail address proves nothing here, so none is asked for."""


@dataclass(frozen=True, slots=True)
class SlackIssuer:
    """Who signs Slack's ID tokens. Only tests have another; `described_at` and `jwks` follow from the name if empty."""

    name: str = "https://slack.com"
    algorithms: tuple[Algorithm, ...] = ("RS256",)
    described_at: str = ""
    jwks: Path | None = None


def slack_linking(config: Config, url: str, parts: Parts, batcher: Batcher, slack: SlackIssuer) -> SlackLinking | None:
    """The pages on which people link accounts of Slack; None where that is not configured. Raises `SetupError`."""
    settings = config.slack
    if settings is None or settings.client_secret is None:
        return None
    try:
        secret = api_key(settings.client_secret)
    except SetupError as error:
        raise SetupError(f"slack.client_secret: {error.sentence}") from None
    issuer = Issuer(
        issuer=slack.name,
        audience=settings.client_id,
        type="slack-sign-in",  # nobody calls with such a token; the type of its accounts is reserved
        kind="person",
        algorithms=slack.algorithms,
        jwks=slack.jwks,
        claims=(_NAMES.team, _NAMES.user, _NAMES.name),
    )
    client = Client(slack.name, settings.client_id, secret, slack.described_at, _SCOPES)
    tokens = LoginTokens(Authenticator([issuer]), slack.name, settings.client_id)
    sign_in = SignIn("slack", Provider(client, url + BACK), tokens, parts.logins, _NAMES)
    people, sealer = parts.people, LinkSealer(parts.signing.seal, config.realm)
    accounts = people.accounts(config, batcher, parts.database)
    sessions = parts.logins.sessions
    return SlackLinking(settings.team, sign_in, sessions, people.links, accounts, people.passkeys, sealer, people.site)
