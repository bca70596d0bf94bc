"""A server whose people link accounts of Slack, and a second identity provider that stands for Slack."""

import html
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pdp.config import Http
from pdp.dev.identity import Person, key_path
from pdp.dev.idp import Idp
from pdp.dev.idp_tokens import Signer
from pdp.http.provider import DISCOVERY
from pdp.http.route import HTML, Answer, Visit
from pdp.process.mongod import MongodProcess
from pdp.server.linking import SlackIssuer
from pdp.slack_settings import SlackSettings
from pdp.workflow.links import Links
from tests.parts import Placet, placet
from tests.pdp.accounts import linking

TEAM, NAME = "T1", "https://slack.example"


@dataclass(frozen=True, slots=True)
class SlackSigner(Signer):
    """Signs ID tokens as Slack does: with the ids of team and user."""

    more: Mapping[str, Any]

    def id_token(self, person: Person, further: Mapping[str, Any]) -> str:
        ids = {"https://slack.com/team_id": TEAM, "https://slack.com/user_id": f"U{person.sub.upper()}"}
        own = {**ids, "name": f"<b>{person.sub}", "email": "bob@example.com", **self.more}
        return Signer.id_token(self, person, {**further, **own})


class SlackIdp(Idp):
    """A provider that stands for Slack. `more` are members of its next ID tokens."""

    more: Mapping[str, Any] = {}

    @property
    def _signer(self) -> Signer:
        signer = super()._signer
        return SlackSigner(signer.key, signer.issuer, signer.client_id, self.more)

    async def choose(self, visit: Visit) -> Answer:
        """Lead back by a link: the policy of these pages lets no form lead to another server."""
        back = await super().choose(visit)
        link = f'<a href="{html.escape(back.headers["Location"])}">Back to Placet</a>'
        page = f'<link rel="icon" href="/inbox/static/icon.png">{link}'
        return Answer(page.encode(), media=HTML, headers=back.headers)

    def _asked(self, query: Mapping[str, str]) -> Mapping[str, str]:
        assert query["redirect_uri"] == f"{self._site}/login/slack"
        assert query["scope"] == "openid"
        return query


@dataclass
class Stage:
    """A server whose people link accounts, and the provider that stands for Slack."""

    server: Placet
    slack: Placet
    idp: SlackIdp
    links: Links


def kept(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.touch(mode=0o600)
    path.write_text(text)
    return path


@asynccontextmanager
async def staged(state: Path, mongod: MongodProcess, folder: Path, files: Path) -> AsyncIterator[Stage]:
    """Both run, with the policy of one folder and the secrets of another."""
    idp = SlackIdp(state, NAME, "slack-client")
    secrets = {name: kept(files, name, "x" * 32) for name in ("bot_token", "signing_secret")}
    settings = SlackSettings(
        team=TEAM, client_id="slack-client", client_secret=kept(files, "client", idp.secret), **secrets
    )
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(placet(state, mongod.uri, demo=idp))
        described = f"{slack.http}/dev/idp{DISCOVERY}"
        issuer = SlackIssuer(NAME, ("Ed25519", "EdDSA"), described, key_path(state))
        moved: dict[str, Any] = {"slack_issuer": issuer, "slack_host": "http://127.0.0.1:1/"}
        (folder / "policy.rego").write_text('package policy\n\nallow contains {"rule": "all", "reason": "all"}\n')
        (folder / "data.json").write_text('{"identities": {"slack:T1/UDANA": {"same_as": ["user:carol"]}}}')
        http = Http(listen="127.0.0.1:0", passkey_wait="0")
        served = placet(state, mongod.uri, policy=[folder], slack=settings, http=http, **moved)
        server = await stack.enter_async_context(served)
        idp._site = server.http
        yield Stage(server, slack, idp, await stack.enter_async_context(linking(server, mongod)))
