"""The connector's token: by its published keys and nothing else, for this app, from an address of Microsoft's."""

import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest
from joserfc.jwk import RSAKey

from pdp.authn.connector import ConnectorTokens
from pdp.errors import Unauthenticated
from tests.teams import APP, SERVICE, TeamsDouble, double

Made = Callable[[TeamsDouble], str]


@pytest.fixture(scope="module")
async def teams() -> AsyncIterator[TeamsDouble]:
    async with double() as made:
        yield made


@pytest.fixture(scope="module")
async def tokens(teams: TeamsDouble) -> ConnectorTokens:
    made = ConnectorTokens(APP, teams.microsoft)
    await made.keys.renewed()
    return made


async def test_token_of_the_connector_says_where_its_message_comes_from(
    teams: TeamsDouble, tokens: ConnectorTokens
) -> None:
    assert await tokens.service_url(f"Bearer {teams.token()}") == SERVICE


def unsigned(teams: TeamsDouble) -> str:
    """The same claims under `alg: none`."""
    _, claims, _ = teams.token().split(".")
    return f"{_part({'alg': 'none', 'typ': 'JWT', 'kid': 'k1'})}.{claims}."


def other_key_of_the_same_name(teams: TeamsDouble) -> str:
    return teams.token(RSAKey.generate_key(2048, {"kid": "k1"}))


@pytest.mark.parametrize(
    "made",
    [
        lambda teams: teams.token(aud="22222222-2222-3333-4444-555555555555"),
        lambda teams: teams.token(aud=None),
        lambda teams: teams.token(iss="https://sts.windows.net/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee/"),
        lambda teams: teams.token(iss=None),
        lambda teams: teams.token(serviceurl="https://evil.example/teams/"),
        lambda teams: teams.token(serviceurl="https://smba.trafficmanager.net.evil.example/"),
        lambda teams: teams.token(serviceurl="https://smba.trafficmanager.net@evil.example/"),
        lambda teams: teams.token(serviceurl="https://smba.trafficmanager.net:8443/"),
        lambda teams: teams.token(serviceurl="http://smba.trafficmanager.net/emea/"),
        lambda teams: teams.token(serviceurl=None),
        lambda teams: teams.token(serviceurl=7),
        lambda teams: teams.token(teams.unendorsed),
        lambda teams: teams.token(exp=int(time.time()) - 60),
        lambda teams: teams.token(exp=None),
        lambda teams: teams.token(nbf=int(time.time()) + 120),
        lambda teams: teams.token(algorithm="RS512"),
        lambda teams: teams.token(algorithm="PS256"),
        lambda teams: teams.token()[:-4] + "AAAA",
        lambda _: "",
        lambda _: "x" * 9000,
        unsigned,
        lambda teams: teams.by_public_key(),
        other_key_of_the_same_name,
    ],
)
async def test_any_other_token_is_refused(teams: TeamsDouble, tokens: ConnectorTokens, made: Made) -> None:
    with pytest.raises(Unauthenticated, match="Microsoft Teams, which signs"):
        await tokens.service_url(f"Bearer {made(teams)}")


@pytest.mark.parametrize("header", ["", "{0}", "Basic {0}", "Bearer", "Bearer  {0}"])
async def test_any_other_header_is_refused(teams: TeamsDouble, tokens: ConnectorTokens, header: str) -> None:
    with pytest.raises(Unauthenticated):
        await tokens.service_url(header.format(teams.token()))


async def test_key_without_endorsements_is_endorsed_for_nothing(teams: TeamsDouble) -> None:
    teams.endorsements["k1"], before = [], teams.endorsements["k1"]
    made = ConnectorTokens(APP, teams.microsoft)
    await made.keys.renewed()
    teams.endorsements["k1"] = before
    with pytest.raises(Unauthenticated):
        await made.service_url(f"Bearer {teams.token()}")


def _part(value: Any) -> str:
    return urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")
