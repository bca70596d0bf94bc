"""Keys by URL and by discovery: rotated, removed, late, too large, gone for an hour."""

import asyncio
import json
import time
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from pdp.authn import jwks
from pdp.authn.authenticator import Authenticator
from pdp.errors import Overloaded, SetupError, Unauthenticated
from pdp.identity_source import Issuer

FIRST, SECOND, STRANGER = (OKPKey.generate_key("Ed25519", {"kid": kid}) for kid in ("first", "second", "stranger"))


@dataclass
class Provider:
    """An identity provider whose answers a test decides."""

    url: str = ""
    keys: list[Any] = field(default_factory=lambda: [FIRST.as_dict(private=False)])
    discovery: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    pause: float = 0.0
    body: bytes = b""
    asked: int = 0

    async def published(self, _: web.Request) -> web.Response:
        self.asked += 1
        await asyncio.sleep(self.pause)
        headers = {"Location": f"{self.url}/elsewhere"} if 300 <= self.status < 400 else {}
        return web.Response(
            body=self.body or json.dumps({"keys": self.keys}).encode(), status=self.status, headers=headers
        )

    async def described(self, _: web.Request) -> web.Response:
        return web.json_response({"issuer": self.url, "jwks_uri": f"{self.url}/jwks", **self.discovery})

    async def elsewhere(self, _: web.Request) -> web.Response:
        return web.json_response({"keys": [STRANGER.as_dict(private=False)]})


@dataclass
class Clock:
    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    made = Provider()
    app = web.Application()
    app.router.add_get("/jwks", made.published)
    app.router.add_get("/.well-known/openid-configuration", made.described)
    app.router.add_get("/elsewhere", made.elsewhere)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def issuer(provider: Provider, **changes: Any) -> Issuer:
    members = {"issuer": provider.url, "audience": "placet", "type": "user", "kind": "person"}
    return Issuer.model_validate({**members, "jwks": f"{provider.url}/jwks", **changes})


def token(provider: Provider, key: Key = FIRST, alg: str = "Ed25519", **changes: Any) -> str:
    claims = {"iss": provider.url, "aud": "placet", "sub": "alice", "exp": int(time.time()) + 600, **changes}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        return "Bearer " + jwt.encode({"alg": alg, "kid": key.kid}, claims, key, algorithms=[alg])


async def is_taken(authenticator: Authenticator, credential: str) -> bool:
    try:
        return (await authenticator.caller(credential)).identity == "user:alice"
    except Unauthenticated:
        return False


@pytest.mark.parametrize("by", ["url", "discovery"])
async def test_rotated_keys_work_and_removed_ones_do_not(provider: Provider, clock: Clock, by: str) -> None:
    entry = issuer(provider, **({"jwks": None} if by == "discovery" else {}))
    authenticator = Authenticator([entry], clock=clock)
    old, new = token(provider), token(provider, SECOND)
    assert await is_taken(authenticator, old)
    assert not await is_taken(authenticator, new)
    provider.keys = [SECOND.as_dict(private=False)]
    clock.seconds += jwks.AGAIN_SECONDS
    assert await is_taken(authenticator, new)
    assert not await is_taken(authenticator, old), "although it was remembered"


async def test_keys_are_fetched_again_without_being_asked_for(provider: Provider, clock: Clock) -> None:
    authenticator = Authenticator([issuer(provider)], clock=clock)
    (source,) = authenticator.sources
    running = asyncio.ensure_future(source.run())
    async with asyncio.timeout(5):
        while not source.keys:
            await asyncio.sleep(0.01)
    assert await authenticator.has_keys()
    running.cancel()
    await asyncio.wait({running})
    assert (await is_taken(authenticator, token(provider)), provider.asked) == (True, 1)


async def test_unknown_keys_share_one_fetch_and_soon_have_none(provider: Provider, clock: Clock) -> None:
    authenticator = Authenticator([issuer(provider)], clock=clock)
    provider.pause = 0.1
    strange = [token(provider, OKPKey.generate_key("Ed25519", {"kid": f"k{index}"})) for index in range(30)]
    taken = await asyncio.gather(*(is_taken(authenticator, one) for one in [*strange, token(provider)]))
    assert (sum(taken), taken[-1], provider.asked) == (1, True, 1)
    for one in strange:
        assert not await is_taken(authenticator, one)
    assert provider.asked == 1


async def test_keys_are_kept_for_an_hour_without_the_endpoint_and_then_none_are(
    provider: Provider, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    authenticator = Authenticator([issuer(provider)], clock=clock)
    (source,) = authenticator.sources
    good = token(provider)
    assert await is_taken(authenticator, good)
    provider.status = 503
    for _ in range(119):
        clock.seconds += jwks.AGAIN_SECONDS
        await source.renewed()
        assert await is_taken(authenticator, good)
    assert not await is_taken(authenticator, token(provider, STRANGER)), "nothing else is taken meanwhile"
    clock.seconds += jwks.AGAIN_SECONDS + 1
    assert not await is_taken(authenticator, good)
    assert not await authenticator.has_keys()
    assert "its tokens are refused" in caplog.records[-2].getMessage()
    assert "there are no keys of this issuer now" in caplog.records[-1].getMessage()
    provider.status = 200
    clock.seconds += jwks.AGAIN_SECONDS
    assert await is_taken(authenticator, good)


BAD: dict[str, dict[str, Any]] = {
    "an error": {"status": 500},
    "nothing": {"status": 204},
    "a redirect": {"status": 302},
    "a permanent redirect": {"status": 308},
    "too large": {"body": b'{"keys":[]' + b" " * jwks.MAX_BYTES + b"}"},
    "no JSON": {"body": b"<html>"},
    "no set": {"body": b"[]"},
    "keys that are none": {"body": b'{"keys": 1}'},
    "no keys": {"keys": []},
    "a secret": {"keys": [{**OctKey.generate_key(256).as_dict(private=True), "kid": "first"}]},
    "a key to encrypt with": {"keys": [{**FIRST.as_dict(private=False), "use": "enc"}]},
    "a key of another kind": {"keys": [{**RSAKey.generate_key(2048).as_dict(private=False), "kid": "first"}]},
    "a discovery document of another issuer": {"discovery": {"issuer": "https://attacker.example"}},
    "a discovery document that leads to plaintext": {"discovery": {"jwks_uri": "http://attacker.example/jwks"}},
    "a discovery document that leads elsewhere": {"discovery": {"jwks_uri": "ftp://attacker.example/jwks"}},
    "a discovery document that leads nowhere": {"discovery": {"jwks_uri": None}},
}


@pytest.mark.parametrize("answer", BAD)
async def test_what_is_no_key_set_lets_nobody_in(provider: Provider, answer: str) -> None:
    for name, value in BAD[answer].items():
        setattr(provider, name, value)
    for key in (FIRST, STRANGER):
        authenticator = Authenticator([issuer(provider, jwks=None)])
        assert not await is_taken(authenticator, token(provider, key))


async def test_slow_endpoint_holds_a_call_up_only_so_long(provider: Provider) -> None:
    provider.pause = jwks.WAIT_SECONDS + 0.3
    authenticator = Authenticator([issuer(provider)])
    began = time.monotonic()
    assert not await is_taken(authenticator, token(provider))
    assert time.monotonic() - began < jwks.WAIT_SECONDS + 0.25
    async with asyncio.timeout(5):
        while not await is_taken(authenticator, token(provider)):
            await asyncio.sleep(0.05)


RSA, P256, P384 = RSAKey.generate_key(2048), ECKey.generate_key("P-256"), ECKey.generate_key("P-384")
KEYS: dict[str, Key] = {
    "Ed25519": FIRST, "EdDSA": FIRST, "RS256": RSA, "RS384": RSA, "RS512": RSA, "PS256": RSA, "PS384": RSA,
    "PS512": RSA, "ES256": P256, "ES384": P384,
}  # fmt: skip


@pytest.mark.parametrize("algorithm", KEYS)
async def test_algorithm_is_taken_where_its_issuer_lists_it_and_nowhere_else(
    provider: Provider, algorithm: str
) -> None:
    for key in KEYS.values():
        key.ensure_kid()
    provider.keys = [key.as_dict(private=False) for key in KEYS.values()]
    credential = token(provider, KEYS[algorithm], algorithm)
    for listed in KEYS:
        authenticator = Authenticator([issuer(provider, algorithms=[listed])])
        assert await is_taken(authenticator, credential) == (listed == algorithm)


async def test_key_is_for_the_algorithm_that_it_names(provider: Provider) -> None:
    RSA.ensure_kid()
    provider.keys = [{**RSA.as_dict(private=False), "alg": "PS256"}]
    authenticator = Authenticator([issuer(provider, algorithms=["RS256", "PS256"])])
    assert await is_taken(authenticator, token(provider, RSA, "PS256"))
    assert not await is_taken(authenticator, token(provider, RSA, "RS256"))


async def test_any_of_several_audiences_is_accepted(provider: Provider) -> None:
    authenticator = Authenticator([issuer(provider, audience=["placet", "placet-eu"])])
    assert await is_taken(authenticator, token(provider))
    assert await is_taken(authenticator, token(provider, aud="placet-eu"))
    assert not await is_taken(authenticator, token(provider, aud="placet-"))


async def test_file_is_read_again(provider: Provider, tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(FIRST.as_dict(private=True)))
    authenticator = Authenticator([issuer(provider, jwks=file)], clock=clock)
    assert await is_taken(authenticator, token(provider))
    file.write_text(json.dumps({"keys": [SECOND.as_dict(private=False)]}))
    assert await is_taken(authenticator, token(provider, SECOND))
    assert not await is_taken(authenticator, token(provider))


def parsed(document: Any) -> jwks.Keys:
    entry = Issuer(issuer="https://x", audience="a", type="user", kind="person")
    return jwks.parsed(json.dumps(document).encode(), entry)


def test_of_a_private_key_only_the_public_half_is_kept() -> None:
    for content in (FIRST.as_dict(private=True), {"keys": [FIRST.as_dict(private=True)]}):
        (public,) = parsed(content).values()
        assert not public.is_private
        assert public.kid == "first"
    (named,) = parsed(OKPKey.generate_key("Ed25519").as_dict(private=False))
    assert len(named) == 43


def test_weak_rsa_key_is_none() -> None:
    entry = Issuer(issuer="https://x", audience="a", type="user", kind="person", algorithms=("RS256",))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        weak = RSAKey.generate_key(1024).as_dict(private=False)
        with pytest.raises(jwks.Unusable):
            jwks.parsed(json.dumps(weak).encode(), entry)


@pytest.mark.parametrize("content", ["", "[]", '{"keys": []}', '{"kty": "oct", "k": "AAAA"}'])
def test_file_without_keys_is_named_at_start(provider: Provider, tmp_path: Path, content: str) -> None:
    (tmp_path / "keys.json").write_text(content)
    for file, told in (("keys.json", "holds no JWK Set for user"), ("none.json", "cannot be read: No such file")):
        with pytest.raises(SetupError, match=f"{file} {told}"):
            Authenticator([issuer(provider, jwks=tmp_path / file)])


async def test_calls_that_wait_for_keys_are_so_many_and_no_more(provider: Provider, clock: Clock) -> None:
    authenticator = Authenticator([issuer(provider)], clock=clock)
    await authenticator.sources[0].renewed()
    clock.seconds += jwks.AGAIN_SECONDS
    provider.pause = 0.3
    unknown = [token(provider, STRANGER) for _ in range(jwks.MAX_WAITING + 1)]
    outcomes = await asyncio.gather(*(authenticator.caller(one) for one in unknown), return_exceptions=True)
    assert [type(one) for one in outcomes] == [Unauthenticated] * jwks.MAX_WAITING + [Overloaded]
