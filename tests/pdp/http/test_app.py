"""The table of routes, and the end of the face."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from pdp.caller import ANYONE, ROLES
from pdp.http.app import Routes
from pdp.http.problem import Refusal
from pdp.http.route import Answer, Call, Entrance, OpenRoute, Page, Route
from pdp.process.mongod import MongodProcess
from tests.browser import browser
from tests.parts import Placet, asking, placet
from tests.web import send

OPEN = {"/.well-known/authzen-configuration", "/access/v1/jwks", "/openapi.json"}
"""The paths that need no credential: each further one is a decision."""
ENTRANCES = {"/login", "/login/callback", "/logout/backchannel", "/inbox/style.css"}
"""The pages that need no session, beside those of the provider of `pdp dev`: each further one is a decision."""


async def behave(_: Call) -> Answer:
    return Answer({})


async def behave_openly(_: Mapping[str, str]) -> Answer:
    return Answer({})


ROUTES = Routes(
    [
        Route("POST", "/a", "x", behave),
        Route("GET", "/a", "x", behave),
        Route("GET", "/a/{id}", "x", behave),
        Route("POST", "/a/{id}/b", "x", behave),
        OpenRoute("/o", behave_openly),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "parameters"),
    [
        ("POST", "/a", {}),
        ("GET", "/a", {}),
        ("HEAD", "/o", {}),
        ("GET", "/a/x.y", {"id": "x.y"}),
        ("POST", "/a/x/b", {"id": "x"}),
    ],
)
def test_path_is_one_as_a_whole(method: str, path: str, parameters: dict[str, str]) -> None:
    route, found = ROUTES.find(method, path)
    assert route.method == ("GET" if method == "HEAD" else method)
    assert found == parameters


@pytest.mark.parametrize("path", ["", "/", "/A", "//a", "/a/", "/a//b", "/a/x/b/", "/a/x/c", "/%61", "/b"])
def test_any_other_path_is_none(path: str) -> None:
    with pytest.raises(Refusal) as caught:
        ROUTES.find("POST", path)
    assert caught.value.status == 404
    assert ("; without the slash at its end there is" in str(caught.value)) == (path in {"/a/", "/a/x/b/"})


@pytest.mark.parametrize("method", ["PUT", "DELETE", "post", "OPTIONS", "CONNECT"])
def test_other_method_is_told_which_there_are(method: str) -> None:
    with pytest.raises(Refusal) as caught:
        ROUTES.find(method, "/a")
    assert (caught.value.status, caught.value.headers) == (405, {"Allow": "GET, POST"})


async def test_every_route_takes_a_row_of_the_role_table_or_is_known_to_be_open(server: Placet) -> None:
    routes = server.api
    assert {route.path for route in routes if isinstance(route, OpenRoute)} == OPEN
    assert {route.rpc for route in routes if isinstance(route, Route)} <= set(ROLES)
    for route in routes:
        path = route.path.replace("{id}", "x")
        for by, wanted in (("", 401), ("dana", 403)):
            response = await send(server, route.method, path, by, b"{" if route.method == "POST" else None)
            if isinstance(route, OpenRoute):
                assert response.status == 200
            else:
                assert response.status == wanted, f"{route.path}: the body must not be looked at before"
                assert response.headers.get("WWW-Authenticate") == ("Bearer" if wanted == 401 else None)


async def test_every_page_takes_a_row_of_the_role_table_or_is_known_to_be_an_entrance(server: Placet) -> None:
    entrances = {route.path for route in server.routes if isinstance(route, Entrance)}
    assert {path for path in entrances if not path.startswith(("/dev/idp/", "/inbox/static/"))} == ENTRANCES
    pages = [route for route in server.routes if isinstance(route, Page)]
    assert {route.rpc for route in pages} <= set(ROLES)
    record = "rec_" + (await server.authorize(asking())).decision_id[4:]
    async with browser(server.http) as stranger, browser(server.http) as dana, browser(server.http) as bob:
        assert (await dana.log_in("dana")).status == (await bob.log_in("bob")).status == 200
        for page in pages:
            path = page.path.replace("records/{id}", f"records/{record}").replace("{id}", "x")
            may = page.rpc in ANYONE or "auditor" in ROLES[page.rpc]
            if page.method == "GET":
                assert (await stranger.get(path)).location.startswith("/login?to=%2Finbox")
                assert ((await dana.get(path)).status != 403) == may, path
                assert not page.hides or (await bob.get(path)).status == 404, f"{path}: for others it is not there"
            else:
                assert (await stranger.post(path, {})).status == 401, path
                assert (await dana.post(path, {})).status == 403, f"{path}: no form without its token"


async def test_target_with_a_host_is_its_path(server: Placet) -> None:
    reader, writer = await asyncio.open_connection(*server.http.removeprefix("http://").split(":"))
    writer.write(b"GET http://elsewhere.example/access/v1/jwks HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b"200" in await reader.readline()
    writer.close()


async def test_kept_connection_is_closed_with_the_answer_when_the_server_stops(
    state: Path, mongod: MongodProcess
) -> None:
    async with placet(state, mongod.uri) as server:
        idle_reader, idle = await asyncio.open_connection(*server.http.removeprefix("http://").split(":"))
        idle.write(b"GET /access/v1/jwks HTTP/1.1\r\nHost: a\r\n\r\n")
        head = await idle_reader.readuntil(b"\r\n\r\n")
        assert b"connection: close" not in head.lower()
    await idle_reader.read()
    assert idle_reader.at_eof()
    idle.close()
