"""A mongod becomes a set under the name that it was started with."""

from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from pdp.errors import SetupError
from pdp.store import replica_set
from tests.pdp.store.test_cause import Mongod


@pytest.mark.parametrize(
    ("uri", "wanted"),
    [
        ("mongodb://127.0.0.1", "127.0.0.1:27017"),
        ("mongodb://user:word@db.example:1/?tls=true", "db.example:1"),
        ("mongodb://[::1]:2", "[::1]:2"),
    ],
)
def test_the_address_of_a_member_is_that_of_the_uri(uri: str, wanted: str) -> None:
    assert replica_set.address(uri) == wanted


@pytest.mark.parametrize("uri", ["", "127.0.0.1", "mongodb://a,b", "http://a"])
def test_a_uri_that_names_no_single_mongod_is_refused(uri: str) -> None:
    with pytest.raises(SetupError, match="must name one mongod"):
        replica_set.address(uri)


async def test_the_set_has_the_name_and_the_address_that_were_given(tmp_path: Path) -> None:
    async with Mongod(tmp_path / "data", "--replSet", "mine") as mongod:
        uri, host = f"mongodb://127.0.0.1:{mongod.port}", f"localhost:{mongod.port}"
        assert [await replica_set.initiate(host, uri), await replica_set.initiate(host, uri)] == [True, False]
        async with AsyncMongoClient[dict[str, Any]](uri, directConnection=True, serverMonitoringMode="poll") as client:
            hello = await client.admin.command("hello")
    assert (hello["setName"], hello["primary"], hello["isWritablePrimary"]) == ("mine", host, True)


async def test_a_file_that_the_uri_names_and_that_is_missing_is_said() -> None:
    with pytest.raises(SetupError, match="tlsCAFile"):
        await replica_set.initiate("localhost:1", "mongodb://localhost:1/?tls=true&tlsCAFile=/none")
