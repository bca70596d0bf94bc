"""What a client finds without a token: where everything is, and the keys that verify grants."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from hashlib import sha256
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import orjson

from pdp.authzen_question import CUSTOM, REGISTERED
from pdp.http.route import JSON, Answer, OpenRoute, Route
from pdp.http.search import ACTIONS, RESOURCES, SEARCHES, SUBJECTS
from pdp.signing_keys import SigningKeys

CONFIGURATION = "/.well-known/authzen-configuration"
JWKS = "/access/v1/jwks"
KEY_SET = "application/jwk-set+json"
MAX_AGE_SECONDS = 300
"""Seconds for which a client may keep what it found."""
_ENDPOINTS: Mapping[str, str] = {
    "/access/v1/evaluation": "access_evaluation_endpoint",
    "/access/v1/evaluations": "access_evaluations_endpoint",
    SUBJECTS: "search_subject_endpoint",
    RESOURCES: "search_resource_endpoint",
    ACTIONS: "search_action_endpoint",
    "/access/v1/requests": "access_request_endpoint",
}
"""The member of the configuration that names each path, where it is served."""
Declared: TypeAlias = Callable[[], Awaitable[Collection[str]]]
"""The kinds of which the policy declares candidates."""


class Metadata:
    """The open facts of a server; `public_url` is what clients call it."""

    def __init__(
        self,
        public_url: str,
        routes: list[Route],
        signing: SigningKeys,
        declared: Declared,
        further: Mapping[str, Any] | None = None,
    ) -> None:
        """`further` are members of the configuration beyond the endpoints."""
        self._declared = declared
        endpoints = {_ENDPOINTS[route.path]: public_url + route.path for route in routes if route.path in _ENDPOINTS}
        self._configuration = {
            "policy_decision_point": public_url,
            **endpoints,
            "jwks_uri": public_url + JWKS,
            "supported_obligations": [*REGISTERED, CUSTOM],
            **(further or {}),
        }
        self._jwks = signing.jwks.encode()
        self._path = urlsplit(public_url).path.rstrip("/")

    def routes(self) -> list[OpenRoute]:
        """What is offered."""
        found = dict.fromkeys(
            (CONFIGURATION, CONFIGURATION + self._path)
        )  # the same where the URL has no path (RFC 8615)
        return [*(OpenRoute(path, self.configuration) for path in found), OpenRoute(JWKS, self.jwks)]

    async def configuration(self, headers: Mapping[str, str]) -> Answer:
        """AuthZEN's metadata of a policy decision point. A search is named where the policy declares candidates."""
        declared = await self._declared()
        absent = {_ENDPOINTS[path] for path, kind in SEARCHES.items() if kind not in declared}
        shown = {name: value for name, value in self._configuration.items() if name not in absent}
        return kept(orjson.dumps(shown), headers)

    async def jwks(self, headers: Mapping[str, str]) -> Answer:
        """The public keys of grants, the retired one among them (RFC 7517)."""
        return kept(self._jwks, headers, KEY_SET)


def kept(content: bytes, headers: Mapping[str, str], media: str = JSON) -> Answer:
    """An answer that clients may keep, and that is empty for who has it (RFC 9110, section 13.1.2)."""
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    caching = {"ETag": tag, "Cache-Control": f"max-age={MAX_AGE_SECONDS}"}
    had = {one.strip().removeprefix("W/") for one in headers.get("if-none-match", "").split(",")}
    if had & {tag, "*"}:
        return Answer(b"", HTTPStatus.NOT_MODIFIED, media, caching)
    return Answer(content, HTTPStatus.OK, media, caching)
