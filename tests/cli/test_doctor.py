"""`pdp doctor` as an operator runs it, beside a server."""

from pathlib import Path

from pdp.process.mongod import MongodProcess
from tests.cli.test_serve import configured, served


async def test_a_line_for_each_thing_and_0_while_a_server_runs(tmp_path: Path, mongod: MongodProcess) -> None:
    terminal = configured(tmp_path, mongod)
    file = tmp_path / "placet.toml"
    async with served(terminal) as (_, address):
        file.write_text(file.read_text().replace("127.0.0.1:0", address))
        done = await terminal("doctor")
    assert done.status == 0, done.said
    assert all(set(line) == {"what", "level", "sentence"} for line in done.json)
    levels = [line["level"] for line in done.json]
    assert set(levels) <= {"ok", "warning"}
    warnings = levels.count("warning")
    assert done.err == f"0 wrong, {warnings} to watch, {len(levels) - warnings} ok\n"
    sentences = {line["what"]: line["sentence"] for line in done.json}
    assert sentences["port of listen"] == f"a server of this configuration listens on {address}"
    assert sentences["indexes"] == "all are there"


async def test_1_where_something_is_wrong_and_never_a_password(tmp_path: Path, mongod: MongodProcess) -> None:
    terminal = configured(tmp_path, mongod)
    file = tmp_path / "placet.toml"
    uri = "mongodb://placet:hunter2@127.0.0.1:1/?replicaSet=rs0&serverSelectionTimeoutMS=100&nonsense=1"
    file.write_text(file.read_text().replace(mongod.uri, uri))
    done = await terminal("doctor", "-o", "table")
    assert (done.status, "hunter2" in done.said) == (1, False)
    assert [line.split()[1] for line in done.out.splitlines() if line.startswith("wrong")] == ["MongoDB"]
    assert done.err.startswith("1 wrong, ")
    missing = await terminal("doctor", "--config", "none.toml")
    assert (missing.status, missing.json[0]["level"]) == (1, "wrong")
