"""Every decision of a stream is in the audit log, once, and the log verifies.

A question that fails, as where MongoDB is too slow, may have been recorded all the same; it is asked again.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from pdp import identifier
from pdp.client import Client
from pdp.dev import identity
from pdp.process.mongod import MongodProcess
from tests.faults import verified_log
from tests.parts import Placet, placet

IN_FLIGHT = 400


@pytest.fixture(scope="module")
async def streamed(tmp_path_factory: pytest.TempPathFactory, mongod: MongodProcess) -> AsyncIterator[Placet]:
    folder: Path = tmp_path_factory.mktemp("streamed")
    async with placet(folder, mongod.uri) as running:
        yield running


async def test_every_decision_of_a_stream_is_in_the_log(streamed: Placet, rounds: int) -> None:
    """Ten thousand in the suite, and a million in a soak of fifty rounds."""
    number = 10_000 if rounds <= 2 else 20_000 * rounds
    left, decided, failed = iter(range(number)), set[str](), list[str]()
    source = partial(identity.token, streamed.state, "report-bot")
    async with Client(streamed.address, source, timeout=60) as pdp, pdp.stream() as ask:

        async def asks() -> None:
            for one in left:
                about = {"on_behalf_of": ["user:alice"], "context": {"number": one}}
                while not (answer := await ask("agent:report-bot", "read", "table:customers", **about)).allowed:
                    assert answer.error is not None, answer.why
                    failed.append(answer.error.code)
                decided.add(identifier.record_id(answer.response.decision_id))

        await asyncio.gather(*(asks() for _ in range(IN_FLIGHT)))
    assert len(decided) == number
    assert set(failed) <= {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}
    found = await verified_log(streamed)
    recorded = {name for name, record in found.records.items() if record["kind"] == "decision"}
    assert decided <= recorded
    assert len(recorded) - number <= len(failed)
