"""The pages of a server whose login is configured, at an identity provider elsewhere; and who may speak plaintext."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from pdp.config import Http, HttpLogin
from pdp.dev import identity
from pdp.dev.idp import Idp
from pdp.dev.stack import configuration
from pdp.errors import SetupError
from pdp.identity_source import Issuer
from pdp.process.mongod import MongodProcess
from tests.browser import browser
from tests.parts import Placet, placet
from tests.pdp.mongo import database


@dataclass
class Elsewhere:
    """A server, and the provider at which people log in to it."""

    server: Placet
    provider: Placet
    idp: Idp


@pytest.fixture(scope="module")
async def elsewhere(
    state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Elsewhere]:
    idp = Idp(state, "", "inbox")
    kept = tmp_path_factory.mktemp("login") / "secret"
    kept.write_text(idp.secret)
    kept.chmod(0o600)
    agents = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri=mongod.uri).issuers[1]
    async with placet(state, mongod.uri, demo=idp) as provider:
        users = Issuer(issuer=idp.issuer, audience=("api", "inbox"), type="user", kind="person", roles_claim="roles")
        login = HttpLogin(issuer=idp.issuer, client_id="inbox", client_secret=kept)
        http = Http(listen="127.0.0.1:0", login=login)
        async with placet(state, mongod.uri, issuers=(users, agents), http=http) as server:
            idp._site = server.http
            yield Elsewhere(server, provider, idp)


async def test_people_log_in_at_the_configured_issuer_by_its_discovered_keys(elsewhere: Elsewhere) -> None:
    async with browser(elsewhere.server.http, elsewhere.provider.http) as bob:
        me = await bob.log_in("bob")
        assert me.status == 200
        assert me.url == f"{elsewhere.server.http}/inbox/me"
        assert "You are user:bob" in me.text
        await bob.send("POST", f"{elsewhere.provider.http}/dev/idp/logout", {"person": "bob"})
        assert (await bob.get("/inbox/me")).status == 303


async def test_token_of_another_issuer_or_client_logs_nobody_in(elsewhere: Elsewhere) -> None:
    """The provider signs for another client, or in another name, with the right key."""
    for name, value in {"_client_id": "api", "_issuer": identity.USERS}.items():
        before = getattr(elsewhere.idp, name)
        async with browser(elsewhere.server.http, elsewhere.provider.http) as bob:
            chooser = await bob.follow(await bob.get("/inbox/me"))
            back = await bob.choose(chooser, "bob")
            signer = elsewhere.idp._signer
            setattr(elsewhere.idp, name, value)
            try:
                seen = await bob.get(back.location)
            finally:
                setattr(elsewhere.idp, name, before)
            assert signer.client_id == "inbox"
            assert seen.status in {403, 503}
            assert not bob.cookie()


async def test_nothing_is_told_of_a_login_where_none_is_configured(state: Path, mongod: MongodProcess) -> None:
    class Nobody(Idp):
        def client(self, _: str) -> None:  # type: ignore[override]
            return None

    async with placet(state, mongod.uri, demo=Nobody(state)) as server, aiohttp.ClientSession() as session:
        for path in ("/inbox", "/login", "/dev/idp/authorize"):
            async with session.get(server.http + path, allow_redirects=False) as answer:
                assert (answer.status, answer.content_type) == (404, "application/problem+json")


async def test_session_of_yesterdays_groups_has_those_of_todays_configuration(
    elsewhere: Elsewhere, mongod: MongodProcess
) -> None:
    """What a session keeps is claims; what they mean says the configuration of the server that reads it."""
    async with (
        browser(elsewhere.server.http, elsewhere.provider.http) as bob,
        database(mongod, elsewhere.server) as found,
    ):
        await bob.log_in("bob")
        [session] = await found["sessions"].find({"identity": "user:bob"}).to_list()
        assert "groups" not in session["claims"]
        assert "email" not in session["claims"]


OUTSIDE = "0.0.0.0:0"  # that is what is tried


@pytest.mark.parametrize(
    "http",
    [
        {},
        {"proxies": ("127.0.0.0/8",)},
        {"public_url": "https://placet.example"},
        {"public_url": "http://placet.example", "proxies": ("127.0.0.0/8",)},
    ],
)
async def test_plaintext_beyond_loopback_needs_proxies_and_an_https_address(
    state: Path, mongod: MongodProcess, http: dict[str, object]
) -> None:
    with pytest.raises(SetupError, match=r"http\.listen: .* or an https public_url with proxies"):
        async with placet(state, mongod.uri, http=Http.model_validate({"listen": OUTSIDE, **http})):
            pass


async def test_plaintext_beyond_loopback_is_taken_from_the_proxies_alone(state: Path, mongod: MongodProcess) -> None:
    http = Http(listen=OUTSIDE, public_url="https://placet.example", proxies=("127.0.3.0/24",))
    async with placet(state, mongod.uri, http=http) as server:
        url = f"http://127.0.0.1:{server.ports[0]}/inbox/me"
        for own, is_taken in {"127.0.3.7": True, "127.0.0.1": False}.items():
            connector = aiohttp.TCPConnector(local_addr=(own, 0))
            async with aiohttp.ClientSession(connector=connector) as session:
                try:
                    async with session.get(url, headers={"Host": "placet.example"}, allow_redirects=False) as answer:
                        status, secure = answer.status, answer.headers.get("Strict-Transport-Security", "")
                except aiohttp.ClientError:
                    status, secure = 0, ""
            assert (status == 303) == is_taken
            assert ("max-age=" in secure) == is_taken
