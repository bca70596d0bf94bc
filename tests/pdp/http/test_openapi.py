"""The description of the face is one that tools take, and it says what the tables say."""

from pathlib import Path

from openapi_spec_validator import OpenAPIV31SpecValidator

from pdp.config import Http
from pdp.http.openapi import OPERATIONS, REFUSALS, document
from pdp.http.problem import STATUSES
from pdp.http.route import OpenRoute, Route
from pdp.process.mongod import MongodProcess
from tests.parts import Placet, placet
from tests.web import send


async def test_document_is_openapi(server: Placet) -> None:
    found = (await send(server, "GET", "/openapi.json")).json
    assert list(OpenAPIV31SpecValidator(found).iter_errors()) == []
    assert found["openapi"] == "3.1.0"
    assert found["servers"] == [{"url": server.http}]


async def test_every_route_is_described_with_its_limits_and_nothing_else_is(server: Placet) -> None:
    paths = (await send(server, "GET", "/openapi.json")).json["paths"]
    assert {(method.upper(), path) for path, one in paths.items() for method in one} == {
        (route.method, route.path) for route in server.api
    }
    for route in server.api:
        told = paths[route.path][route.method.lower()]
        assert (route.method, route.path) in OPERATIONS
        if isinstance(route, OpenRoute):
            assert told["security"] == []
            continue
        assert "security" not in told
        assert f"`{route.rpc}`" in told["description"]
        assert ("may_search" in told["description"]) is route.searches
        assert route.method == "GET" or f"{route.most_bytes:,} bytes" in told["description"]


async def test_operations_have_names_for_people(server: Placet) -> None:
    paths = (await send(server, "GET", "/openapi.json")).json["paths"]
    names = [told["operationId"] for methods in paths.values() for told in methods.values()]
    assert len(set(names)) == len(names)
    assert {
        "evaluate", "evaluateMany", "searchSubjects", "searchResources", "searchActions", "requestAccess",
        "getAccessRequest", "cancelAccessRequest", "getConfiguration", "getGrantKeys", "getDescription",
    } <= {*names}  # fmt: skip


async def test_every_status_of_the_table_of_errors_is_described(server: Placet) -> None:
    paths = (await send(server, "GET", "/openapi.json")).json["paths"]
    assert set(STATUSES.values()) <= set(REFUSALS)
    for methods in paths.values():
        for told in methods.values():
            assert {str(int(status)) for status in REFUSALS} <= told["responses"].keys()


async def test_address_is_the_public_one(state: Path, mongod: MongodProcess) -> None:
    public = Http(listen="127.0.0.1:0", public_url="https://pdp.example/placet")
    async with placet(state, mongod.uri, http=public) as server:
        routes = [route for route in server.routes if isinstance(route, Route)]
        assert document(server.http, routes)["servers"] == [{"url": "https://pdp.example/placet"}]
