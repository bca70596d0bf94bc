"""Puts the HTTP face of a server together."""

from pdp.admission import Admission
from pdp.authn.authenticator import Authenticator
from pdp.config import Config
from pdp.http.app import Face, Routes
from pdp.http.edge import Edge
from pdp.http.evaluation import Evaluation
from pdp.http.metadata import Metadata
from pdp.server.flows import Flows
from pdp.server.listener import require_loopback
from pdp.server.newcomers import Newcomers
from pdp.signing_keys import SigningKeys


async def face(
    config: Config,
    flows: Flows,
    signing: SigningKeys,
    authenticator: Authenticator,
    admission: Admission,
    newcomers: Newcomers,
) -> Face | None:
    """The face that listens as configured; None if it is not configured. Raises `SetupError`."""
    if config.http is None:
        return None
    tls = config.http_tls
    if tls is None:
        require_loopback(config.http.listen)
    edge = Edge(
        authenticator,
        admission,
        certificates=tls is not None and tls.client_ca is not None,
        proven=newcomers.proven if tls else None,
    )
    made = Face(edge, newcomers.began if tls else lambda: None)
    address = await made.listen(config.http.listen)
    made.url = config.http.public_url or f"{'https' if tls else 'http'}://{address}"
    routes = [*Evaluation(flows.deciding, flows.turns).routes()]
    made.routes = Routes([*routes, *Metadata(made.url, routes, signing).routes()])
    return made
