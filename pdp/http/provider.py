"""The identity provider of the login, by OpenID Connect: the only file that knows Authlib and its HTTP client.

Nothing that it says counts here: who logged in says the ID token, which `pdp.authn.login` verifies.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx2
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from pdp.address import is_private_url
from pdp.errors import SetupError
from pdp.http.problem import Refusal
from pdp.session import Proof

log = logging.getLogger(__name__)

DISCOVERY = "/.well-known/openid-configuration"
KEPT_SECONDS = 300.0
"""Seconds for which the provider's own description is kept."""
CALL_SECONDS = 4.0
"""Seconds that one call of the provider may take."""
_SCOPES = ("openid", "profile", "email", "groups")
"""What is asked for, of what the provider offers: groups and roles are among one of them, where it has such a scope."""
_BASIC, _POST = "client_secret_basic", "client_secret_post"
_ENDPOINTS = ("authorization_endpoint", "token_endpoint")


class ProviderUnavailable(Refusal):
    """The identity provider did not answer as OpenID Connect has it; nobody can log in now."""

    retry_seconds = 5.0

    def __init__(self) -> None:
        sentence = "the identity provider does not answer as it should; try again later"
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE, sentence)


@dataclass(frozen=True, slots=True)
class Client:
    """What a provider knows this server as. `described_at` is where it describes itself; empty: below its name.

    `scopes` is what is asked for, as far as the provider offers it. A `secret` that is a function is read for each
    code; it raises `SetupError` where it cannot be read.
    """

    issuer: str
    client_id: str
    secret: str | Callable[[], str]
    described_at: str = ""
    scopes: tuple[str, ...] = _SCOPES


class Provider:
    """One provider, for logins that come back to `redirect_uri`."""

    def __init__(self, client: Client, redirect_uri: str) -> None:
        self._client, self._redirect_uri = client, redirect_uri
        self._url = client.described_at or client.issuer.rstrip("/") + DISCOVERY
        self._described: Mapping[str, Any] = {}
        self._until = 0.0
        self._tls = ssl.create_default_context()  # to make one takes longer than a call

    async def address(self, proof: Proof, *, silent: bool, newer_than: timedelta | None = None) -> str:
        """Where a browser goes to log in; with `silent` nobody is asked anything there (`prompt=none`).

        With `newer_than` a login that is older does not do (`max_age`).
        """
        described = await self._description()
        said = described.get("scopes_supported")
        offered = said if isinstance(said, list) else self._client.scopes
        asked = {"prompt": "none"} if silent else {}
        asked |= {"max_age": str(int(newer_than.total_seconds()))} if newer_than else {}
        async with self._calling() as client:
            url, _ = client.create_authorization_url(
                described["authorization_endpoint"],
                state=proof.state,
                code_verifier=proof.verifier,
                nonce=proof.nonce,
                scope=" ".join(scope for scope in self._client.scopes if scope == "openid" or scope in offered),
                **asked,
            )
        return str(url)

    async def id_token(self, code: str, proof: Proof) -> str:
        """The ID token for a code. Raises `Refusal` where the provider gives none for it."""
        described = await self._description()
        said = described.get("token_endpoint_auth_methods_supported")
        ways = said if isinstance(said, list) else [_BASIC]
        async with self._calling(_BASIC if _BASIC in ways else _POST, await self._secret()) as client:
            try:
                got = await client.fetch_token(
                    described["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=proof.verifier,
                    redirect_uri=self._redirect_uri,
                )
            except OAuthError as error:
                log.warning("the identity provider refused the code of a login: %a", str(error.error)[:80])
                raise Refusal(HTTPStatus.FORBIDDEN, "the identity provider refused this login; log in again") from None
            except (TypeError, AttributeError, KeyError):  # JSON of another shape
                raise self._unusable("its answer to a code holds another thing than a token") from None
        token = got.get("id_token")
        if not isinstance(token, str):
            raise self._unusable("it gave no ID token")
        return token

    def is_own(self, issuer: str | None) -> bool:
        """Whether an answer that may name its issuer (RFC 9207) comes from this provider."""
        return issuer in {None, self._client.issuer}

    async def _description(self) -> Mapping[str, Any]:
        """The provider's own description (OpenID Connect Discovery 1.0). It must name exactly the issuer."""
        if time.monotonic() < self._until:
            return self._described
        async with self._calling() as client:
            answer = await client.request("GET", self._url, withhold_token=True)
            if answer.status_code != HTTPStatus.OK:
                raise self._unusable(f"its description has the HTTP status {answer.status_code}")
            described = answer.json()
        if not isinstance(described, dict) or described.get("issuer") != self._client.issuer:
            raise self._unusable("its description is of another issuer")
        if not all(is_private_url(str(described.get(name))) for name in _ENDPOINTS):
            raise self._unusable("its description lacks an endpoint, or has one without https")
        self._described, self._until = described, time.monotonic() + KEPT_SECONDS
        return described

    async def _secret(self) -> str:
        secret = self._client.secret
        if isinstance(secret, str):
            return secret
        try:
            return await asyncio.to_thread(secret)
        except SetupError as error:
            raise self._unusable(error.sentence) from None

    @asynccontextmanager
    async def _calling(self, way: str = _BASIC, secret: str = "") -> AsyncIterator[Any]:
        try:
            async with AsyncOAuth2Client(
                client_id=self._client.client_id,
                client_secret=secret,
                redirect_uri=self._redirect_uri,
                code_challenge_method="S256",
                token_endpoint_auth_method=way,
                timeout=CALL_SECONDS,
                trust_env=False,
                verify=self._tls,
            ) as client:
                yield client
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise self._unusable(type(error).__name__) from None

    def _unusable(self, why: str) -> ProviderUnavailable:
        log.warning("the identity provider of the login cannot be used: %s", why)
        return ProviderUnavailable()
