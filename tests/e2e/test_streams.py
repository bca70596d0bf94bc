"""Every decision of a stream is in the audit log, once, and the log verifies, also where the stream's worker is killed.

A question that fails, as where MongoDB is too slow, may have been recorded all the same; it is asked again.
"""

import asyncio
import os
import signal
from functools import partial
from pathlib import Path

from pdp import identifier
from pdp.client import Client
from pdp.dev import identity
from pdp.process.mongod import MongodProcess
from tests.faults import Served, served, verified_log
from tests.parts import placet
from tests.worker_processes import connections, workers

IN_FLIGHT = 400


async def test_every_decision_of_a_stream_is_in_the_log_also_when_its_worker_is_killed(
    tmp_path: Path, state: Path, mongod: MongodProcess, rounds: int
) -> None:
    """Ten thousand in the suite, and a million in a soak of fifty rounds."""
    number = 10_000 if rounds <= 2 else 20_000 * rounds
    async with served(tmp_path, state, mongod.uri, workers=2, seconds=60 + number / 100) as server:
        decided, failed = await asked(server, number)
    assert len(decided) == number
    assert set(failed) <= {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}
    async with placet(state, mongod.uri, database=server.database) as after:
        found = await verified_log(after)
    recorded = {name for name, record in found.records.items() if record["kind"] == "decision"}
    assert decided <= recorded
    assert len(recorded) - number <= len(failed)


async def asked(server: Served, number: int) -> tuple[set[str], list[str]]:
    """The records of so many decisions, and with which codes questions failed. After a third their worker is killed."""
    left, decided, failed, killed = iter(range(number)), set[str](), list[str](), list[int]()
    source = partial(identity.token, server.state, "report-bot")
    async with Client(server.address, source, timeout=60) as pdp, pdp.stream() as ask:

        async def asks() -> None:
            for one in left:
                about = {"on_behalf_of": ["user:alice"], "context": {"number": one}}
                while not (answer := await ask("agent:report-bot", "read", "table:customers", **about)).allowed:
                    assert answer.error is not None, answer.why
                    failed.append(answer.error.code)
                decided.add(identifier.record_id(answer.response.decision_id))
                if len(decided) > number / 3 and not killed:
                    killed.append(killed_worker(server))

        await asyncio.gather(*(asks() for _ in range(IN_FLIGHT)))
    assert killed
    return decided, failed


def killed_worker(server: Served) -> int:
    """The worker that has the stream."""
    port = int(server.address.rpartition(":")[2])
    victim = max(workers(server), key=lambda pid: connections(pid, port))
    assert connections(victim, port)
    os.kill(victim, signal.SIGKILL)
    return victim
