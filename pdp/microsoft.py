"""Where Microsoft's services are that Teams needs. Pure."""

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Microsoft:
    """The addresses of the public cloud. No setting moves them; tests give others to the constructor."""

    metadata: str = "https://login.botframework.com/v1/.well-known/openidconfiguration"
    """Where the connector's published keys are found."""
    login: str = "https://login.microsoftonline.com"
    """Entra: where the app gets the token with which it calls the connector, and where people sign in."""
    connector: str = "https://smba.trafficmanager.net/teams"
    """The connector's own address for all regions. Our token goes there alone. No message changes that."""
    waits_seconds: float = 5.0
    """Seconds for which Teams waits for the answer to a click."""

    def issuer(self, tenant: str) -> str:
        """Who signs the ID tokens of a tenant's people."""
        return f"{self.login}/{tenant}/v2.0"


ISSUER = "https://api.botframework.com"
"""The issuer of the connector's tokens."""
SERVICE_HOSTS = frozenset({"smba.trafficmanager.net"})
"""The hosts that a message from Teams may name as where it comes from (`serviceUrl`)."""


def is_service(url: str) -> bool:
    """Whether a `serviceUrl` is of Microsoft: https, one of the hosts, no port and no user."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and parts.netloc in SERVICE_HOSTS and url.isascii() and url.isprintable()
