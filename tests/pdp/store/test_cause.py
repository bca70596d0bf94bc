"""A MongoDB that cannot be used says why, in a sentence of its own for each reason. Real ones, with users and TLS."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.errors import ServerSelectionTimeoutError

from pdp.errors import PdpError, SetupError, StoreUnavailable
from pdp.process import toolcache
from pdp.process.child import Child
from pdp.process.mongod import _free_port
from pdp.store import cause, replica_set
from pdp.store.database import Database
from tests.certificates import Authority

RIGHTS = ["find", "insert", "update", "remove", "createIndex"]


class Mongod(Child):
    """A mongod as an operator starts it."""

    name = "MongoDB"

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = _free_port()
        folder.mkdir()
        command = [f"{toolcache.mongod()}", "--dbpath", f"{folder}", "--port", f"{self.port}", "--nounixsocket"]
        command += ["--bind_ip", "127.0.0.1", "--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64", *options]
        super().__init__(command, say=print, variables={})

    async def healthy(self) -> None:
        await replica_set._listening(f"127.0.0.1:{self.port}")

    def uri(self, user: str = "", options: str = "replicaSet=rs0") -> str:
        login = f"{user}:{user}@" if user else ""
        return f"mongodb://{login}localhost:{self.port}/placet?serverMonitoringMode=poll&{options}"


@asynccontextmanager
async def started(folder: Path, *options: str) -> AsyncIterator[Mongod]:
    mongod = Mongod(folder, "--replSet", "rs0", *options)
    async with mongod:
        yield mongod


LEAVES_SOCKETS = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed")
"""The driver does not close the socket of a handshake that failed."""


async def told(uri: str) -> str:
    """What the server says at its start; empty where it can use this MongoDB."""
    try:
        await (await Database.open(uri, "placet")).close()
    except PdpError as error:
        return error.sentence
    return ""


async def users(mongod: Mongod) -> None:
    """The first user by the exception for localhost, then some with fewer rights."""
    async with AsyncMongoClient(
        f"mongodb://localhost:{mongod.port}/?directConnection=true&serverMonitoringMode=poll"
    ) as first:
        await first.admin.command("createUser", "root", pwd="root", roles=["root"])  # noqa: S106
    async with AsyncMongoClient(mongod.uri("root", "authSource=admin")) as root:
        database = root.get_database("placet")
        privilege = {"resource": {"db": "placet", "collection": ""}, "actions": RIGHTS}
        await database.command("createRole", "few", privileges=[privilege], roles=[])
        for name, role in (("reader", "read"), ("writer", "readWrite"), ("few", "few")):
            await database.command("createUser", name, pwd=name, roles=[role])


@LEAVES_SOCKETS
@pytest.mark.timeout(180)
async def test_each_reason_is_a_sentence_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("akeyofthisset" * 4)
    (tmp_path / "key").chmod(0o600)
    async with started(tmp_path / "data", "--keyFile", f"{tmp_path / 'key'}") as mongod:
        assert await told(mongod.uri()) == await told(mongod.uri("", "directConnection=true")) == cause.NOT_INITIATED
        assert await replica_set.initiate(f"localhost:{mongod.port}", mongod.uri("", "appname=init"))
        assert not await replica_set.initiate(f"localhost:{mongod.port}", mongod.uri("", "appname=init"))
        await users(mongod)
        said = {
            "password": await told(mongod.uri().replace("//", "//writer:wrong@")),
            "nobody": await told(mongod.uri()),
            "reader": await told(mongod.uri("reader")),
            "few": await told(mongod.uri("few")),
            "name": await told(mongod.uri("writer", "replicaSet=rs1")),
            "tls": await told(mongod.uri("writer", "replicaSet=rs0&tls=true")),
            "nothing": await told("mongodb://localhost:1/?replicaSet=rs0&serverMonitoringMode=poll"),
            "file": await told(mongod.uri("", "tls=true&tlsCAFile=/none")),
        }
        assert await told(mongod.uri("writer")) == ""
    wanted = {
        "password": "refuses the user or the password",
        "nobody": "without a user",
        "reader": "lacks insert, update, remove, createIndex on the database placet",
        "few": "lacks changeStream on the database placet",
        "name": "`replicaSet` must be what mongod has as --replSet",
        "tls": "TLS with MongoDB failed",
        "nothing": "no MongoDB answers",
        "file": "tlsCAFile",
    }
    assert {name: wanted[name] for name in said if wanted[name] in said[name]} == wanted
    assert len(set(said.values())) == len(said)
    gc.collect()


@LEAVES_SOCKETS
async def test_tls_that_fails_is_said_and_the_command_initiates_over_tls(tmp_path: Path) -> None:
    pair = Authority(tmp_path).server()
    (tmp_path / "both.pem").write_bytes(pair.key.read_bytes() + pair.certificate.read_bytes())
    tls = [
        "--tlsMode",
        "requireTLS",
        "--tlsCertificateKeyFile",
        f"{tmp_path / 'both.pem'}",
        "--tlsCAFile",
        f"{pair.ca}",
    ]
    async with started(tmp_path / "data", *tls, "--tlsAllowConnectionsWithoutCertificates") as mongod:
        trusted = f"tls=true&tlsCAFile={pair.ca}"
        assert "add tls=true" in await told(mongod.uri("", "directConnection=true"))
        assert "TLS with MongoDB failed" in await told(mongod.uri("", "replicaSet=rs0&tls=true"))
        assert await told(mongod.uri("", f"replicaSet=rs0&{trusted}")) == cause.NOT_INITIATED
        assert await replica_set.initiate(f"localhost:{mongod.port}", mongod.uri("", trusted))
        assert await told(mongod.uri("", f"replicaSet=rs0&{trusted}")) == ""
    gc.collect()


@pytest.mark.parametrize(
    ("actions", "resource", "missing"),
    [
        (["anyAction"], {"anyResource": True}, []),
        (cause.NEEDED, {"db": "", "collection": ""}, []),
        (cause.NEEDED, {"db": "placet", "collection": "approvals"}, []),
        (cause.NEEDED, {"db": "other", "collection": ""}, list(cause.NEEDED)),
        (cause.NEEDED, {"cluster": True}, list(cause.NEEDED)),
    ],
)
def test_rights_on_another_database_do_not_count(
    actions: list[str], resource: dict[str, object], missing: list[str]
) -> None:
    assert cause.missing_rights([{"resource": resource, "actions": actions}], "placet") == missing


@pytest.mark.parametrize(
    "said",
    [
        "h:1: connection closed (configured timeouts: socketTimeoutMS: 1000.0ms)",
        "h:1: connection is already closed (configured timeouts: socketTimeoutMS: 1000.0ms)",
        "h:1: [Errno 104] Connection reset by peer",
        "h:1: [Errno 32] Broken pipe",
    ],
)
def test_each_way_of_the_driver_to_say_that_mongodb_hung_up_leads_to_tls(said: str) -> None:
    assert "add tls=true" in cause.sentence(ServerSelectionTimeoutError(said))


HELLO = {"helloOk": True, "maxBsonObjectSize": 16777216, "maxWireVersion": 25, "minWireVersion": 0, "ok": 1.0}
"""The common part of what MongoDB 8.0 answers to `hello`."""


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({"isWritablePrimary": True, "msg": "isdbgrid", "topologyVersion": {"counter": 0}}, cause.ROUTER),
        ({"isWritablePrimary": True, "readOnly": False}, cause.STANDALONE),
        ({"isWritablePrimary": False, "isreplicaset": True}, cause.NOT_INITIATED),
        ({"setName": "rs0", "hosts": ["a:1"], "isWritablePrimary": True, "secondary": False}, ""),
    ],
)
def test_kind_that_does_not_fit_is_named(more: dict[str, Any], wanted: str) -> None:
    assert cause.unfit({**HELLO, **more}) == wanted


def test_what_is_not_there_may_come_and_what_is_wrong_is_mended() -> None:
    later = (cause._SILENT, cause._CLOSED, cause.NOT_INITIATED, cause.NO_MAJORITY, cause.NO_PRIMARY)
    wrong = (cause.STANDALONE, cause.ROUTER, *cause._BY_CODE.values(), cause.rights_sentence(["find"], "placet"))
    assert {type(cause.told_as(told)) for told in later} == {StoreUnavailable}
    assert {type(cause.told_as(told)) for told in wrong} == {SetupError}
    assert len({*later, *wrong}) == len(later) + len(wrong)
