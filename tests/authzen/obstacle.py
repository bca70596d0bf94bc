"""What keeps the whole scenario from working, as one sentence instead of one failure after the other."""

from collections.abc import Sequence

import aiohttp

from tests.authzen.scenario import Result, rows

POLICY = "tests/cases/authzen/scenario"
_OF_ALL = {
    "status 401": "the server does not know this caller; put a token for it into PDP_TOKEN",
    "status 403": "the caller of PDP_TOKEN may not ask as the users `alice` and `bob`; take one that may, or let it",
}


def unreachable(url: str, error: Exception) -> str:
    """Why nobody could be asked at `url`."""
    if isinstance(error, aiohttp.InvalidURL | ValueError) and not isinstance(error, aiohttp.ClientConnectionError):
        return f"{url} is no URL of a server; it looks like https://pdp.example.com"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"the certificate of {url} is of no authority that is known here; name its file in SSL_CERT_FILE"
    if isinstance(error, aiohttp.ClientSSLError):
        return f"the server at {url} does not speak TLS; write http:// if that is meant"
    return f"nothing answers at {url} as an HTTP server does; start it, or correct the URL"


def obstacle(results: Sequence[Result]) -> str:
    """What is wrong with the whole, where it is one thing; else empty."""
    core = {result.name: result.wrong for result in results if result.level == "Basic Core"}
    allowed = [core[row["id"]] for row in rows() if row.get("want") is True and row["id"] in core]
    for beginning, told in _OF_ALL.items():
        if allowed and all(wrong.startswith(beginning) for wrong in allowed):
            return told
    others = {name: wrong for name, wrong in core.items() if wrong}
    rule = next((name for name in others if "rule" in name), "")
    if rule and all(wrong.startswith("decision ") for wrong in others.values()):
        return (
            f"the server does not decide by the scenario's policy ({rule}: {others[rule]}); load {POLICY}, or another "
            "with the same decisions"
        )
    return ""
