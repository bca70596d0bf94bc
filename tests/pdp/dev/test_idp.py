"""The identity provider of `pdp dev` speaks OpenID Connect as a real one does, and refuses what a real one refuses."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from joserfc.jwk import OKPKey

from pdp import jws
from pdp.dev import identity
from pdp.dev.idp import PATH, Idp
from pdp.process.mongod import MongodProcess
from tests.browser import Browser, Shown, browser
from tests.parts import Placet, placet

VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


@pytest.fixture(scope="module")
def idp(state: Path) -> Idp:
    return Idp(state)


@pytest.fixture(scope="module")
async def own(state: Path, mongod: MongodProcess, idp: Idp) -> AsyncIterator[Placet]:
    async with placet(state, mongod.uri, demo=idp) as running:
        yield running


@pytest.fixture
async def person(own: Placet) -> AsyncIterator[Browser]:
    async with browser(own.http) as made:
        yield made


def request(person: Browser, **changes: str) -> str:
    good = {
        "client_id": identity.AUDIENCE,
        "redirect_uri": f"{person.home}/login/callback",
        "response_type": "code",
        "scope": "openid",
        "state": "s",
        "nonce": "n",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return f"{PATH}/authorize?{urlencode({**good, **changes})}"


async def chosen(person: Browser, name: str = "bob", **changes: str) -> Shown:
    return await person.choose(await person.get(request(person, **changes)), name)


async def exchanged(person: Browser, idp: Idp, code: str, **changes: str) -> Shown:
    basic = b64encode(f"{identity.AUDIENCE}:{changes.pop('secret', idp.secret)}".encode()).decode()
    good = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": VERIFIER,
        "redirect_uri": f"{person.home}/login/callback",
    }
    return await person.send("POST", f"{PATH}/token", {**good, **changes}, Authorization=f"Basic {basic}")


async def claims(person: Browser, token: str) -> dict[str, Any]:
    """What a token says, verified by the keys that the provider publishes."""
    published = orjson.loads((await person.get(f"{PATH}/jwks")).text)
    [member] = published["keys"]
    assert "d" not in member
    return jws.claims(token, OKPKey.import_key(member))


async def test_description_names_every_endpoint(person: Browser) -> None:
    described = orjson.loads((await person.get(f"{PATH}/.well-known/openid-configuration")).text)
    assert described["issuer"] == identity.USERS
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        assert described[name].startswith(f"{person.home}{PATH}/")
    assert described["code_challenge_methods_supported"] == ["S256"]


async def test_code_gives_an_id_token_once(person: Browser, idp: Idp) -> None:
    code = (await chosen(person)).query["code"]
    got = orjson.loads((await exchanged(person, idp, code)).text)
    said = await claims(person, got["id_token"])
    assert (said["iss"], said["aud"], said["sub"], said["nonce"]) == (identity.USERS, identity.AUDIENCE, "bob", "n")
    assert said["sid"]
    assert said["auth_time"] <= said["iat"]
    assert said["groups"] == ["data-stewards"]
    assert (await exchanged(person, idp, code)).status == 400


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"code_verifier": "w" * 43}, 400),
        ({"code_verifier": ""}, 400),
        ({"redirect_uri": "https://evil.example"}, 400),
        ({"code": "x"}, 400),
        ({"secret": "x"}, 401),
    ],
)
async def test_code_of_another_login_or_client_gives_none(
    person: Browser, idp: Idp, changes: dict[str, str], status: int
) -> None:
    code = (await chosen(person)).query["code"]
    assert (await exchanged(person, idp, **{"code": code, **changes})).status == status


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "x"},
        {"redirect_uri": "https://evil.example"},
        {"response_type": "token"},
        {"scope": "profile"},
        {"code_challenge_method": "plain"},
        {"code_challenge": ""},
        {"nonce": ""},
        {"max_age": "x"},
    ],
)
async def test_request_of_another_kind_is_refused_and_sends_nobody_anywhere(
    person: Browser, changes: dict[str, str]
) -> None:
    refused = await person.get(request(person, **changes))
    assert (refused.status, refused.location) == (400, "")


async def test_program_is_nobody_to_choose(person: Browser) -> None:
    for name in ("report-bot", "mallory", ""):
        assert (await chosen(person, name)).status == 400


async def test_without_a_question_it_is_who_it_was_or_an_error(person: Browser, idp: Idp) -> None:
    asked = request(person, prompt="none")
    assert (await person.get(asked)).query == {"error": "login_required", "state": "s", "iss": identity.USERS}
    await chosen(person, "carol")
    code = (await person.get(asked)).query["code"]
    got = orjson.loads((await exchanged(person, idp, code)).text)
    assert (await claims(person, got["id_token"]))["sub"] == "carol"
    assert (await person.get(request(person, prompt="none", max_age="0"))).query["error"] == "login_required"
    await person.post(f"{PATH}/logout", {"person": "carol"})
    assert (await person.get(asked)).query["error"] == "login_required"


async def test_what_is_asked_is_escaped_on_its_page(person: Browser) -> None:
    page = await person.get(request(person, state='"><script>alert(1)</script>'))
    assert "<script" not in page.text
    assert page.hidden["state"] == '"><script>alert(1)</script>'
