from collections.abc import Callable
from pathlib import Path

from pdp.process.mongod import MongodProcess
from tests.cli.terminal import Terminal
from tests.examples.visit import Visit


async def test_the_readme_runs(visit: Callable[[str], Visit], state: Path, mongod: MongodProcess) -> None:
    shell = visit("shell")
    start, deploy = shell.blocks
    async with shell.served(start, state, mongod.uri):
        await shell.type(deploy)
        terminal = Terminal(shell.folder, shell.reader.variables)
        (shell.folder / "release.sh").write_text("#!/bin/sh\nexit 3\n")
        failed = await terminal("staging", "1.5.0", command=["./deploy.sh"])
        assert (failed.status, failed.err) == (3, "the release failed with status 3\n")
        nobody = await terminal("staging", "1.5.0", command=["./deploy.sh"], PDP_TOKEN="")
        assert nobody.status == 77
    released = {file.name: file.read_text() for file in shell.folder.glob("released-*")}
    assert released == {"released-staging.txt": "1.4.0\n", "released-production.txt": "1.4.0\n"}


async def test_without_a_decision_point_nothing_is_deployed(visit: Callable[[str], Visit]) -> None:
    shell = visit("shell")
    terminal = Terminal(shell.folder, shell.reader.variables)
    done = await terminal("staging", "1.4.0", command=["./deploy.sh"])
    assert done.status == 69
    assert done.err.endswith("not deployed: no decision point answers\n")
    usage = await terminal("staging", command=["./deploy.sh"])
    assert (usage.status, usage.err) == (2, "usage: ./deploy.sh ENVIRONMENT VERSION [APPROVAL]\n")
    assert not list(shell.folder.glob("released-*"))
