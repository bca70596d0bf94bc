"""What is found without a token."""

from pathlib import Path

import orjson

from pdp.config import Http
from pdp.process.mongod import MongodProcess
from pdp.v1.info_pb2 import GetServerInfoRequest
from tests.parts import Placet, placet
from tests.web import send

CONFIGURATION = "/.well-known/authzen-configuration"


async def test_client_finds_the_rest_at_the_well_known_path(server: Placet) -> None:
    response = await send(server, "GET", CONFIGURATION)
    found = response.json
    assert response.headers["Content-Type"] == "application/json"
    assert found["policy_decision_point"] == server.http
    assert found["access_evaluation_endpoint"] == f"{server.http}/access/v1/evaluation"
    assert found["access_evaluations_endpoint"] == f"{server.http}/access/v1/evaluations"
    assert found["jwks_uri"] == f"{server.http}/access/v1/jwks"
    assert "custom" in found["supported_obligations"]
    assert "signed_metadata" not in found
    assert all(url.startswith(server.http) for name, url in found.items() if name.endswith("_endpoint"))


async def test_addresses_come_from_the_configuration_and_never_from_the_host(
    state: Path, mongod: MongodProcess
) -> None:
    public = Http(listen="127.0.0.1:0", public_url="https://pdp.example/placet")
    async with placet(state, mongod.uri, http=public) as server:
        url = server.http
        at = server.routes[-1].path
        assert url == "https://pdp.example/placet"
        assert at
    async with placet(state, mongod.uri) as server:
        found = (await send(server, "GET", CONFIGURATION, Host="evil.example")).json
        assert "evil" not in orjson.dumps(found).decode()


async def test_path_of_the_public_url_follows_the_well_known_path(state: Path, mongod: MongodProcess) -> None:
    public = Http(listen="127.0.0.1:0", public_url="https://pdp.example/placet")
    async with placet(state, mongod.uri, http=public) as server:
        assert f"{CONFIGURATION}/placet" in {route.path for route in server.routes}
        assert CONFIGURATION in {route.path for route in server.routes}


async def test_keys_are_those_of_the_contract(server: Placet) -> None:
    found = await send(server, "GET", "/access/v1/jwks")
    told = await server.info.GetServerInfo(GetServerInfoRequest(), metadata=server.metadata("alice"))
    assert found.json == orjson.loads(told.jwks)
    assert all("d" not in key for key in found.json["keys"])


async def test_what_a_client_has_is_not_sent_again(server: Placet) -> None:
    for path in (CONFIGURATION, "/access/v1/jwks"):
        first = await send(server, "GET", path)
        assert first.headers["Cache-Control"] == "max-age=300"
        again = await send(server, "GET", path, If_None_Match=f'"x", {first.headers["ETag"]}')
        assert (again.status, again.body) == (304, b"")
        assert (await send(server, "GET", path, If_None_Match='"x"')).status == 200
        head = await send(server, "HEAD", path)
        assert (head.status, head.body, head.headers["ETag"]) == (200, b"", first.headers["ETag"])
