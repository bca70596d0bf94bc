"""What an identity provider may answer, and what is not taken from it."""

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web

from pdp.errors import SetupError
from pdp.http.problem import Refusal
from pdp.http.provider import DISCOVERY, Client, Provider, ProviderUnavailable
from pdp.session import Proof

PROOF = Proof("state", "browser")


def unreadable() -> str:
    raise SetupError("others can read the secret")


@dataclass
class Double:
    """A provider that answers as a test says."""

    url: str = ""
    described: Any = None
    status: int = 200
    token: Any = field(default_factory=lambda: {"access_token": "a", "token_type": "Bearer", "id_token": "i"})
    token_status: int = 200
    got: list[tuple[Mapping[str, str], Mapping[str, str]]] = field(default_factory=list)
    asked: int = 0

    @property
    def good(self) -> dict[str, Any]:
        return {"issuer": self.url, "authorization_endpoint": f"{self.url}/a?x=1", "token_endpoint": f"{self.url}/t"}

    async def describe(self, _: web.Request) -> web.StreamResponse:
        self.asked += 1
        if self.status == 302:
            raise web.HTTPFound(f"{self.url}/elsewhere")
        return web.json_response(self.good if self.described is None else self.described, status=self.status)

    async def give(self, request: web.Request) -> web.StreamResponse:
        self.got.append(({**request.headers}, {name: str(value) for name, value in (await request.post()).items()}))
        return web.json_response(self.token, status=self.token_status)

    def provider(self) -> Provider:
        return Provider(Client(self.url, "inbox", "s%:x"), "https://placet.example/login/callback")


@pytest.fixture
async def double() -> AsyncIterator[Double]:
    made = Double()
    app = web.Application()
    app.add_routes([web.get(DISCOVERY, made.describe), web.post("/t", made.give)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


async def query(provider: Provider, *, silent: bool = False) -> dict[str, str]:
    address = await provider.address(PROOF, silent=silent)
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


async def test_browser_is_sent_with_what_the_login_is(double: Double) -> None:
    asked = await query(double.provider())
    assert asked["x"] == "1"
    assert (asked["client_id"], asked["state"], asked["nonce"]) == ("inbox", "state", PROOF.nonce)
    assert asked["redirect_uri"] == "https://placet.example/login/callback"
    assert PROOF.verifier not in str(asked)
    assert "prompt" not in asked
    assert (await query(double.provider(), silent=True))["prompt"] == "none"


@pytest.mark.parametrize(
    ("offered", "wanted"),
    [
        (["openid", "email", "x"], "openid email"),
        ([], "openid"),
        (None, "openid profile email groups"),
        (7, "openid profile email groups"),
    ],
)
async def test_scopes_are_those_that_it_offers(double: Double, offered: Any, wanted: str) -> None:
    double.described = {**double.good, **({} if offered is None else {"scopes_supported": offered})}
    assert (await query(double.provider()))["scope"] == wanted


async def test_code_is_sent_with_its_verifier_and_the_secret(double: Double) -> None:
    assert await double.provider().id_token("c", PROOF) == "i"
    [(headers, form)] = double.got
    assert headers["Authorization"].startswith("Basic ")
    assert form == {
        "grant_type": "authorization_code",
        "code": "c",
        "code_verifier": PROOF.verifier,
        "redirect_uri": "https://placet.example/login/callback",
    }


async def test_secret_goes_into_the_form_where_it_takes_no_other(double: Double) -> None:
    double.described = {**double.good, "token_endpoint_auth_methods_supported": ["client_secret_post"]}
    await double.provider().id_token("c", PROOF)
    [(headers, form)] = double.got
    assert "Authorization" not in headers
    assert (form["client_id"], form["client_secret"]) == ("inbox", "s%:x")


async def test_description_is_kept_for_a_while(double: Double) -> None:
    provider = double.provider()
    await query(provider)
    await query(provider)
    assert double.asked == 1


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://other.example"},
        {"issuer": None},
        {"authorization_endpoint": "http://other.example/a"},
        {"token_endpoint": "http://other.example/t"},
        {"token_endpoint": 7},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
async def test_description_of_another_or_without_https_is_not_taken(double: Double, change: dict[str, Any]) -> None:
    double.described = {**double.good, **change}
    with pytest.raises(ProviderUnavailable):
        await query(double.provider())


@pytest.mark.parametrize("described", [[], "x", 7])
async def test_description_of_another_shape_is_not_taken(double: Double, described: Any) -> None:
    double.described = described
    with pytest.raises(ProviderUnavailable):
        await query(double.provider())


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_status_other_than_ok_and_a_redirect_are_not_taken(double: Double, status: int) -> None:
    double.status = status
    with pytest.raises(ProviderUnavailable):
        await query(double.provider())


async def test_provider_that_is_away_is_said_to_be() -> None:
    with pytest.raises(ProviderUnavailable):
        await query(Double("http://127.0.0.1:1").provider())


async def test_code_that_it_refuses_logs_nobody_in(double: Double) -> None:
    double.token, double.token_status = {"error": "invalid_grant", "error_description": "x"}, 400
    with pytest.raises(Refusal):
        await double.provider().id_token("c", PROOF)


@pytest.mark.parametrize("token", [{}, {"access_token": "a"}, {"access_token": "a", "id_token": 7}, [], "x", 7, None])
async def test_answer_without_an_id_token_logs_nobody_in(double: Double, token: Any) -> None:
    double.token = token
    with pytest.raises(ProviderUnavailable):
        await double.provider().id_token("c", PROOF)


async def test_secret_of_a_file_is_read_for_each_code_and_none_is_sent_that_cannot_be_read(double: Double) -> None:
    secrets = iter(("one", "two"))
    provider = Provider(Client(double.url, "inbox", lambda: next(secrets)), "https://placet.example/login/callback")
    for secret in ("one", "two"):
        await provider.id_token("c", PROOF)
        assert double.got[-1][0]["Authorization"] == f"Basic {b64encode(f'inbox:{secret}'.encode()).decode()}"
    provider = Provider(Client(double.url, "inbox", unreadable), "https://placet.example/login/callback")
    with pytest.raises(ProviderUnavailable):
        await provider.id_token("c", PROOF)
    assert len(double.got) == 2


def test_answer_that_names_another_issuer_is_not_its_own() -> None:
    provider = Double("https://issuer.example").provider()
    assert provider.is_own(None)
    assert provider.is_own("https://issuer.example")
    assert not provider.is_own("https://other.example")
