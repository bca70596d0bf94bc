"""`pdp mongo init` as an operator runs it."""

from pathlib import Path

from tests.cli.terminal import Terminal
from tests.pdp.store.test_cause import Mongod, started


async def test_a_mongod_becomes_a_replica_set_without_a_shell(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    async with started(tmp_path / "data") as mongod:
        uri = f"mongodb://127.0.0.1:{mongod.port}"
        first = await terminal("mongo", "init", "--uri", uri)
        second = await terminal("mongo", "init", "--uri", uri)
        other = await terminal("mongo", "init", "--uri", uri, "--host", "mongo.example")
        again = await terminal("mongo", "init", "--uri", uri, "--host", f"127.0.0.1:{mongod.port}")
    assert (first.status, first.out, first.err) == (
        0,
        "",
        f"the replica set's first member is 127.0.0.1:{mongod.port}\n",
    )
    assert (second.status, second.err) == (again.status, again.err) == (0, "it is a replica set already\n")
    assert other.status == 1
    assert f"whose members are 127.0.0.1:{mongod.port}, without mongo.example:27017; nothing was changed" in other.err


async def test_what_cannot_be_a_set_is_said(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    async with Mongod(tmp_path / "alone") as mongod:
        alone = await terminal("mongo", "init", "--uri", f"mongodb://127.0.0.1:{mongod.port}")
    assert (alone.status, alone.err) == (
        1,
        "this mongod was started without --replSet; start it with --replSet rs0 first\n",
    )
    nothing = await terminal("mongo", "init", "--uri", "mongodb://127.0.0.1:1")
    assert (nothing.status, nothing.err.partition(";")[0]) == (69, "no MongoDB answers at the given URI")
    unreadable = await terminal("mongo", "init", "--uri", "http://127.0.0.1")
    assert (unreadable.status, unreadable.err.partition(";")[0]) == (1, "the URI must name one mongod")


async def test_the_least_rights_are_two_commands_for_a_database(tmp_path: Path) -> None:
    done = await Terminal(tmp_path)("mongo", "roles", "--database", "pdp", "--user", "servers")
    role, user = done.json
    for name in ("", "a.b"):
        refused = await Terminal(tmp_path)("mongo", "roles", "--database", name)
        assert (refused.status, refused.out) == (2, "")
        assert refused.err.startswith("MongoDB has no database named "), name
    assert (done.status, role["privileges"][0]["resource"]) == (0, {"db": "pdp", "collection": ""})
    assert user == {"createUser": "servers", "roles": [{"role": role["createRole"], "db": "pdp"}]}
