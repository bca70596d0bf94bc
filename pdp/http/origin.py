"""Where the pages of a server are, and what a browser's request must say before anything of it counts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from pdp.address import is_local
from pdp.http.problem import Refusal

_YEAR_SECONDS = 31_536_000
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of the pages, `scheme://host[:port]` as a browser writes it (RFC 6454, section 6.1)."""

    text: str

    @classmethod
    def of(cls, url: str) -> "Origin":
        """The origin of a URL, in lower case and without a port that its scheme implies."""
        parts = urlsplit(url.lower())
        implied = {"http": ":80", "https": ":443"}[parts.scheme]
        return cls(f"{parts.scheme}://{parts.netloc.removesuffix(implied)}")

    @property
    def host(self) -> str:
        """What the header `Host` of a request for the pages says."""
        return self.text.partition("://")[2]

    @property
    def headers(self) -> Mapping[str, str]:
        """What every answer says."""
        without_port = re.sub(r":[0-9]+$", "", self.host)
        if self.text.startswith("http://") or is_local(f"{without_port}:443"):
            return _HEADERS
        return {**_HEADERS, "Strict-Transport-Security": f"max-age={_YEAR_SECONDS}"}

    def require_host(self, hosts: Sequence[str]) -> None:
        """Raise `Refusal` unless a request is for this host: another name that leads here is not ours."""
        if [host.lower() for host in hosts] != [self.host]:
            raise Refusal(HTTPStatus.MISDIRECTED_REQUEST, f"the pages are at {self.text}; open that address")

    def require_own(self, headers: Mapping[str, str], origins: Sequence[str]) -> None:
        """Raise `Refusal` unless a page of ours sent this POST. `origins` are all headers `Origin` that it has."""
        if list(origins) != [self.text] or headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise Refusal(HTTPStatus.FORBIDDEN, "this was sent from a page of another site; nothing was done")
