"""A running `pdp dev` is found from any folder, and a second one is told of it."""

import re
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.cli.test_dev import NOTHING, in_foreground, left


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    return Terminal(tmp_path, {"TMPDIR": str(temporary), "XDG_RUNTIME_DIR": ""})


async def test_as_finds_the_stack_from_any_folder_and_a_second_is_told_where_it_is(terminal: Terminal) -> None:
    elsewhere = Terminal(terminal.folder / "elsewhere", terminal.variables)
    elsewhere.folder.mkdir()
    async with in_foreground(terminal, "--listen", "127.0.0.1:0") as (dev, said):
        ((address, state),) = re.findall(r"export PDP_ADDRESS=(\S+) PDP_STATE=(\S+)", said())
        assert state == str(terminal.folder / ".placet")
        found = await elsewhere("whoami", "--as", "bob")
        assert (found.status, found.json["caller"]["identity"]) == (0, "user:bob"), found.err
        token = await elsewhere("token", "--as", "bob")
        by_token = await elsewhere("whoami", PDP_TOKEN=token.out.strip(), PDP_ADDRESS=address)
        assert by_token.json["caller"]["identity"] == "user:bob"

        second = await terminal("dev", "--listen", "127.0.0.1:0")
        assert second.status == 1
        assert second.err == (
            f"a `pdp dev` runs on {state} already, process {dev.pid}, on {address}; use it with --as, end it with "
            "Ctrl-C in its terminal, or start another with --state DIR\n"
        )
        same = await elsewhere("dev", "--listen", address)
        assert (same.status, same.err.partition(";")[0]) == (
            1,
            f"the `pdp dev` of {state}, process {dev.pid}, listens on {address}",
        )
        dev.terminate()
        await dev.wait()
    assert left(terminal) == NOTHING
    ended = await elsewhere("whoami", "--as", "bob", PDP_STATE=state)
    assert (ended.status, ended.err.partition(",")[0]) == (69, f"no `pdp dev` runs on {state}")
    here = await terminal("whoami", "--as", "bob")
    assert (here.status, here.err.partition(";")[0]) == (69, "no `pdp dev` runs on .placet"), "and no other is asked"
    gone = await elsewhere("whoami", "--as", "bob")
    assert gone.err == ".placet holds no dev key; start `pdp dev`, or name its folder with PDP_STATE\n"


@pytest.mark.parametrize("holds", ["nothing", "data"])
async def test_a_folder_without_a_policy_does_not_start(terminal: Terminal, holds: str) -> None:
    folder = terminal.folder / "empty"
    folder.mkdir()
    if holds == "data":
        (folder / "data.json").write_text("{}")
    done = await terminal("dev", "--policy", folder, "--", "true")
    assert (done.status, str(folder) in done.err) == (1, True)
    assert left(terminal) == NOTHING
