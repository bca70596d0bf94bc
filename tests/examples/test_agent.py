"""The agent as a process: killed while people review, started again, and its export runs once."""

import asyncio
import json
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval, GetApprovalRequest, OutcomeState
from tests.documents import Block, commands, shows
from tests.examples.visit import Visit
from tests.parts import Placet, log

SECONDS = 30


class Running:
    """The agent at work, with its output in a pipe."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said = ""

    @classmethod
    async def started(cls, visit: Visit, command: str) -> "Running":
        """Start it by README's command, in a process group of its own."""
        return cls(
            await asyncio.create_subprocess_exec(
                *("bash", "-c", command),
                cwd=visit.folder,
                env=visit.reader.variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        )

    async def until(self, wanted: Callable[[str], bool]) -> None:
        """Read lines until they are as wanted."""
        assert self._process.stdout is not None
        async with asyncio.timeout(SECONDS):
            while not wanted(self.said):
                line = await self._process.stdout.readline()
                assert line, self.said
                self.said += line.decode()

    async def ended(self) -> int:
        """Read the rest; the exit status."""
        async with asyncio.timeout(SECONDS):
            self.said += (await self._process.communicate())[0].decode()
        assert self._process.returncode is not None
        return self._process.returncode

    async def end(self, number: signal.Signals) -> int:
        """Send it a signal; the exit status."""
        os.killpg(self._process.pid, number)
        return await self.ended()

    @property
    def approval_id(self) -> str:
        return re.findall("apr_[0-9a-f]{32}", self.said)[-1]


@pytest.fixture
def agent(visit: Callable[[str], Visit]) -> Visit:
    return visit("agent")


@pytest.fixture
async def server(agent: Visit, state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    async with agent.served(agent.blocks[0], state, mongod.uri) as running:
        yield running


async def waiting(agent: Visit, block: Block) -> Running:
    """The agent, once it shows what README says."""
    (command,) = commands(block)
    running = await Running.started(agent, command.text)
    await running.until(lambda said: shows(command.shown, said))
    return running


async def approval(server: Placet, approval_id: str) -> Approval:
    request = GetApprovalRequest(approval_id=approval_id)
    return (await server.approvals.GetApproval(request, metadata=server.metadata("report-bot"))).approval


async def exports(agent: Visit, server: Placet) -> tuple[int, int]:
    """How often the export ran, and how often an approval was used."""
    exported = agent.folder / "exported.txt"
    lines = exported.read_text().splitlines() if exported.exists() else []
    return len(lines), len(await log(server, "approval.consumed"))


async def test_the_readme_runs_and_a_restart_exports_once(agent: Visit, server: Placet) -> None:
    _, start, approve, again = agent.blocks
    first = await waiting(agent, start)
    assert await first.end(signal.SIGKILL) == -signal.SIGKILL
    second = await Running.started(agent, commands(start)[0].text)
    await second.until(lambda said: said == f"waits for people: {first.approval_id}\n")
    assert await second.end(signal.SIGINT) != 0
    assert second.said.endswith("stopped; start the agent again to go on\n")

    agent.reader.seen["apr"] = first.approval_id
    await agent.type(approve)
    assert await exports(agent, server) == (0, 0)
    await agent.type(again)
    assert await exports(agent, server) == (1, 1)
    assert (await approval(server, first.approval_id)).outcome.state == OutcomeState.OUTCOME_STATE_SUCCEEDED
    assert not (agent.folder / "session.json").exists()


async def test_it_goes_on_by_itself_and_hears_a_no(agent: Visit, server: Placet) -> None:
    _, start, _, again = agent.blocks
    running = await waiting(agent, start)
    await server.review(await approval(server, running.approval_id), "bob", "DENY", "not this week")
    assert await running.ended() == 0
    assert "export: not allowed: DENY" in running.said
    assert running.said.splitlines()[-1] == commands(again)[0].shown[-1] == "done"
    assert await exports(agent, server) == (0, 0)


async def test_a_call_that_had_begun_is_not_begun_again(agent: Visit, server: Placet) -> None:
    session = {"name": "s", "results": ["3 rows of orders"], "begun": "s-1"}
    (agent.folder / "session.json").write_text(json.dumps(session))
    running = await Running.started(agent, commands(agent.blocks[1])[0].text)
    assert await running.ended() == 1
    assert "export had begun when the agent ended" in running.said
    assert await exports(agent, server) == (0, 0)
