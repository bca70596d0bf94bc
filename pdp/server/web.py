"""Puts the HTTP face of a server together."""

from collections.abc import Sequence

from pdp.address import is_local
from pdp.authn.authenticator import Authenticator
from pdp.binding_token import Binder
from pdp.config import Config, Http, Tls
from pdp.http.access_request import FURTHER, PATH, Requests
from pdp.http.app import Face, Routes
from pdp.http.connection import Limits
from pdp.http.denial import Liftable
from pdp.http.edge import Edge
from pdp.http.evaluation import Evaluation
from pdp.http.lineage import Events
from pdp.http.metadata import Metadata
from pdp.http.openapi import OpenApi
from pdp.http.parsing import Parsing
from pdp.http.places import Places
from pdp.http.proxies import Proxies
from pdp.http.route import Hook, OpenRoute, Route
from pdp.http.search import Searches
from pdp.http.submission import Submission
from pdp.http.tls import context
from pdp.server.approving import approval_pages
from pdp.server.flows import Flows
from pdp.server.inbox import inbox
from pdp.server.lineage import Lineage
from pdp.server.listener import require_loopback
from pdp.server.newcomers import Newcomers
from pdp.server.outside import Outside
from pdp.server.own_pages import own_pages
from pdp.server.parts import Parts
from pdp.server.queue_pages import queue_pages
from pdp.signing_keys import SigningKeys
from pdp.workflow.choosing import Choosing


async def face(
    config: Config,
    flows: Flows,
    kept: Lineage | None,
    parts: Parts,
    authenticator: Authenticator,
    newcomers: Newcomers,
    most: int,
    choosing: Choosing,
    *,
    elsewhere: bool,
    outside: Outside,
    hooks: Sequence[Hook] = (),
    shared: bool = False,
) -> Face | None:
    """The face that listens as configured and takes `most` connections; None if none is configured.

    With `elsewhere` it takes a free port where its own is taken. `hooks` are for other services. Its addresses
    may be `shared` with other workers. Raises `SetupError`.
    """
    http, tls = config.http, config.http_tls
    if http is None:
        return None
    edge = Edge(
        authenticator,
        flows.admission,
        certificates=tls is not None and tls.client_ca is not None,
        proven=newcomers.proven if tls else None,
        calls=parts.calls,
    )
    made = Face(edge, newcomers.began if tls else lambda: None, _limits(http, tls, most), shared=shared)
    port = await _opened(made, http, tls, elsewhere=elsewhere)
    url = url_of(http, tls, port)
    routes = _routes(config, flows, parts.signing, url)
    if kept:
        routes += Events(kept.ingesting).routes()
    metadata = Metadata(url, routes, parts.signing, flows.searching.declared, FURTHER)
    described: list[Route | OpenRoute] = [*routes, *metadata.routes()]
    further = [
        *queue_pages(config, flows, parts),
        *approval_pages(config, flows, parts),
        *own_pages(config, url, parts, flows.batcher, outside, choosing),
    ]
    people = inbox(config, url, parts.logins, authenticator, flows.admission, outside.demo, further)
    edge.pages = people.pages if people else None
    parts.people.site.url = url if people else ""
    routes_of_all = [*described, *OpenApi(url, described).routes(), *(people.routes if people else ()), *hooks]
    parts.calls.count([f"{route.method} {route.path}" for route in routes_of_all])
    await made.start(Routes(routes_of_all), url)
    return made


def _limits(http: Http, tls: Tls | None, most: int) -> Limits:
    """What connections may cost, and whose plaintext is taken: beyond loopback that of proxies alone."""
    if tls is not None or is_local(http.listen):
        return Limits(Places(most))
    if not http.proxies or not http.public_url.startswith("https://"):
        require_loopback(http.listen, "http.listen", "or an https public_url with proxies, ")
    return Limits(Places(most), takes=Proxies(http.proxies).covers)


def _routes(config: Config, flows: Flows, signing: SigningKeys, url: str) -> list[Route]:
    """Everything that needs a credential."""
    binder, endpoint, parsing = Binder(signing.seal, config.realm), url + PATH, Parsing(flows.turns)
    evaluation = Evaluation(flows.deciding, flows.turns, parsing, Liftable(binder, endpoint))
    requests = Requests(flows.deciding, flows.requests, Submission(binder, flows.requests), endpoint)
    return [*evaluation.routes(), *Searches(flows.searching, parsing).routes(), *requests.routes()]


async def _opened(made: Face, http: Http, tls: Tls | None, *, elsewhere: bool) -> int:
    """Open the configured addresses. Returns the port of `listen`."""
    if tls is None:
        return await made.open(http.listen, elsewhere=elsewhere)
    demanding = tls.client_ca is not None and not http.client_listen
    port = await made.open(http.listen, context(tls, demanding=demanding))
    if http.client_listen:
        await made.open(http.client_listen, context(tls, demanding=True))
    return port


def url_of(http: Http, tls: Tls | None, port: int) -> str:
    """What clients call the face; without a `public_url` those on this machine: plaintext is on loopback only."""
    own = "http://localhost" if tls is None else f"https://{http.listen.rpartition(':')[0]}"
    return http.public_url or f"{own}:{port}"
