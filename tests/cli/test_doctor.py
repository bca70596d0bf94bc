"""`pdp doctor` as an operator runs it, beside a server."""

import asyncio
import json
import re
from pathlib import Path

from pdp.process.mongod import MongodProcess
from tests.cli.terminal import Terminal
from tests.cli.test_approvals import on_terminal
from tests.cli.test_serve import configured, served
from tests.replica import free_ports


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


async def test_from_another_folder_on_a_terminal_and_twice_at_once_it_finds_the_same(
    tmp_path: Path, mongod: MongodProcess
) -> None:
    configured(tmp_path, mongod)
    file = tmp_path / "placet.toml"
    file.write_text(file.read_text().replace("127.0.0.1:0", f"127.0.0.1:{free_ports(1)[0]}"))
    (tmp_path / "elsewhere").mkdir()
    elsewhere = Terminal(tmp_path / "elsewhere", {"PDP_STATE": str(tmp_path), "PDP_CONFIG": "../placet.toml"})
    (shown, status), done, again = await asyncio.gather(
        on_terminal(elsewhere, b"", "doctor"), elsewhere("doctor"), elsewhere("doctor", "-o", "jsonl")
    )
    assert (status, done.status, again.status) == (0, 0, 0), done.said
    lines = {line["what"]: line["level"] for line in done.json}
    assert lines == {line["what"]: line["level"] for line in map(json.loads, again.out.splitlines())}
    assert re.split(r" +", shown.splitlines()[0].strip()) == ["LEVEL", "WHAT", "FOUND"]
    assert all(what in shown for what in lines)
    assert shown.splitlines()[-1] == done.err.strip()
    assert not list(elsewhere.folder.iterdir())
