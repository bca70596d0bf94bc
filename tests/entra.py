"""A double of Entra's login of people: its own keys, a description of itself, codes with PKCE, and ID tokens.

It enforces: the app's secret, a redirect address that the app has registered, PKCE (S256), a code that counts once, and
the scope `profile`, without which a token names no person.
"""

import hmac
import html
import json
import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import unquote_plus, urlencode, urlsplit

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey

_ASKED = ("client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge")


@dataclass
class EntraDouble:
    """The login of one tenant for one app. `people` are object ids by name."""

    tenant: str
    app: str
    people: Mapping[str, str]
    url: str = ""
    redirect_uri: str = ""
    """What the app has registered, of the type Web."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Members of the next ID tokens; None leaves one out."""
    token: str = ""
    """What is given in the place of the next ID tokens."""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "entra-1"}))
    codes: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)
    """Who signed in, and what was asked for, by code."""

    @property
    def issuer(self) -> str:
        return f"{self.url}/{self.tenant}/v2.0"

    def routes(self, path: str) -> list[web.RouteDef]:
        """Its pages below `path`. The one for tokens is `given`."""
        return [
            web.get(path + "/{tenant}/v2.0/.well-known/openid-configuration", self._describe),
            web.get(path + "/{tenant}/discovery/v2.0/keys", self._keys),
            web.get(path + "/{tenant}/oauth2/v2.0/authorize", self._choices),
            web.post(path + "/{tenant}/oauth2/v2.0/authorize", self._chosen),
        ]

    def id_token(self, name: str, asked: Mapping[str, str]) -> str:
        """An ID token for a person who signed in."""
        now = int(time.time())
        said = {
            "aud": self.app,
            "iss": self.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "sub": urlsafe_b64encode(sha256(name.encode()).digest()).decode().rstrip("="),
            "nonce": asked["nonce"],
            "ver": "2.0",
        }
        if "profile" in asked["scope"].split(" "):
            said |= {"tid": self.tenant, "oid": self.people[name], "name": f"<b>{name}"}
            said |= {"preferred_username": f"{name}@example.com"}
        return self.signed({claim: held for claim, held in {**said, **self.more}.items() if held is not None})

    def signed(self, claims: Mapping[str, Any]) -> str:
        """Claims, signed with its key."""
        return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": self.key.kid}, dict(claims), self.key)

    def unsigned(self, token: str) -> str:
        """The same claims as in a token, with the algorithm `none`."""
        head = {"alg": "none", "typ": "JWT", "kid": self.key.kid}
        return f"{_part(json.dumps(head).encode())}.{token.split('.')[1]}."

    def by_public_key(self, token: str) -> str:
        """The same claims, signed with HMAC by the text of the public key (RFC 8725, section 2.1)."""
        head = _part(json.dumps({"alg": "HS256", "typ": "JWT", "kid": self.key.kid}).encode())
        signed = f"{head}.{token.split('.')[1]}"
        return f"{signed}.{_part(hmac.digest(self.key.as_pem(private=False), signed.encode(), 'sha256'))}"

    async def given(self, request: web.Request, form: Mapping[str, str], secret: str) -> web.Response:
        """The tokens for a code."""
        name, held = _basic(request.headers.get("Authorization", ""))
        if (name or form.get("client_id"), held or form.get("client_secret")) != (self.app, secret):
            return web.json_response({"error": "invalid_client"}, status=401)
        person, asked = self.codes.pop(form.get("code", ""), ("", {}))
        challenge = _part(sha256(form.get("code_verifier", "").encode()).digest())
        good = (asked.get("code_challenge"), asked.get("redirect_uri"))
        if not person or (challenge, form.get("redirect_uri")) != good:
            return web.json_response({"error": "invalid_grant"}, status=400)
        token = self.token or self.id_token(person, asked)
        held_by = {"token_type": "Bearer", "scope": asked["scope"], "expires_in": 3599}
        return web.json_response({**held_by, "access_token": secrets.token_urlsafe(16), "id_token": token})

    async def _describe(self, request: web.Request) -> web.Response:
        self._require_tenant(request)
        own, ways = f"{self.url}/{self.tenant}", ["client_secret_post", "private_key_jwt", "client_secret_basic"]
        return web.json_response(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{own}/oauth2/v2.0/authorize",
                "token_endpoint": f"{own}/oauth2/v2.0/token",
                "jwks_uri": f"{own}/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": ways,
                "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def _keys(self, _: web.Request) -> web.Response:
        return web.json_response({"keys": [{**self.key.as_dict(private=False), "use": "sig"}]})

    async def _choices(self, request: web.Request) -> web.Response:
        """The page on which somebody says who they are."""
        asked = self._asked(request, request.query)
        fields = "".join(f'<input type="hidden" name="{name}" value="{html.escape(asked[name])}">' for name in asked)
        buttons = "".join(f'<button name="person" value="{name}">{name}</button>' for name in self.people)
        icon = '<link rel="icon" href="data:,">'
        page = f'<!doctype html><title>Sign in</title>{icon}<form method="post">{fields}{buttons}</form>'
        return web.Response(text=page, content_type="text/html")

    async def _chosen(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        person = form.pop("person", "")
        asked = self._asked(request, form)
        code = secrets.token_urlsafe(32)
        self.codes[code] = (person, asked)
        back = urlencode({"code": code, "state": asked["state"], "session_state": secrets.token_urlsafe(8)})
        raise web.HTTPFound(f"{asked['redirect_uri']}?{back}")

    def _asked(self, request: web.Request, asked: Mapping[str, str]) -> dict[str, str]:
        self._require_tenant(request)
        good = {"client_id": self.app, "redirect_uri": self.redirect_uri, "response_type": "code"}
        if not all(map(asked.get, _ASKED)) or any(asked[name] != value for name, value in good.items()):
            raise web.HTTPBadRequest
        if asked.get("code_challenge_method") != "S256" or "openid" not in asked["scope"].split(" "):
            raise web.HTTPBadRequest
        return dict(asked)

    def _require_tenant(self, request: web.Request) -> None:
        if request.match_info["tenant"] != self.tenant:
            raise web.HTTPBadRequest


def other_issuer(issuer: str, tenant: str) -> str:
    """The issuer of another tenant at the same login."""
    parts = urlsplit(issuer)
    return issuer.replace(parts.path, f"{parts.path.rsplit('/', 2)[0]}/{tenant}/v2.0")


def _basic(authorization: str) -> tuple[str, str]:
    if not authorization.startswith("Basic "):
        return "", ""
    name, _, secret = b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
    return unquote_plus(name), unquote_plus(secret)


def _part(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
