"""Puts the pages for people together: login, sessions and what there is to see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pdp.admission import Admission
from pdp.authn.authenticator import Authenticator
from pdp.authn.login import LoginTokens
from pdp.config import Config, Http
from pdp.http.login import CALLBACK, LoginPages
from pdp.http.origin import Origin
from pdp.http.pages import Pages, root
from pdp.http.provider import Client, Provider
from pdp.http.proxies import Proxies
from pdp.http.route import Entrance, Page
from pdp.inbox import assets, look
from pdp.server.login_check import secret
from pdp.workflow.logins import Logins


class DemoLogin(Protocol):
    """An identity provider that this very server offers, for `pdp dev`. `serve` has none."""

    def client(self, url: str) -> Client:
        """What it knows the server as whose pages are at `url`."""

    def routes(self, url: str) -> Sequence[Entrance]:
        """Its own pages."""


@dataclass(frozen=True, slots=True)
class Inbox:
    """The pages, and their edge."""

    pages: Pages
    routes: Sequence[Page | Entrance]


def inbox(
    config: Config,
    url: str,
    logins: Logins,
    authenticator: Authenticator,
    admission: Admission,
    demo: DemoLogin | None,
    further: Sequence[Page | Entrance],
) -> Inbox | None:
    """The pages of a server that browsers call `url`; None where nobody can log in. Raises `SetupError`.

    `further` are those of queue, approvals and of what is a person's own.
    """
    client = _client(config.http, url, demo)
    if config.http is None or client is None:
        return None
    tokens = LoginTokens(authenticator, client.issuer, client.client_id)
    provider = Provider(client, url + CALLBACK)
    login = LoginPages(provider, tokens, logins, logins.sessions, look.logged_out)
    own = demo.routes(url) if demo is not None else ()
    routes = [*login.routes(), *further, *assets.routes(), *own]
    roots = frozenset(root(route.path) for route in routes)
    proxies = Proxies(config.http.proxies)
    pages = Pages(Origin.of(url), roots, logins.sessions, authenticator, admission, proxies, look.failed)
    return Inbox(pages, routes)


def _client(http: Http | None, url: str, demo: DemoLogin | None) -> Client | None:
    if http is not None and http.login is not None:
        return Client(http.login.issuer, http.login.client_id, secret(http.login))
    return demo.client(url) if demo is not None else None
