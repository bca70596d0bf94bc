"""What `pdp audit` holds in memory stays bounded, however large the batches of the log are."""

import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from pdp import keys
from pdp.audit.batch import MAX_BYTES
from pdp.dev import identity
from pdp.dev.stack import configuration
from pdp.process.mongod import MongodProcess
from tests.cli.terminal import Terminal
from tests.parts import Placet, placet
from tests.pdp.long_log import PAYLOAD, grow

MOST_MIB = 100.0
"""As the bench of a million records has it."""
WRITERS, BATCHES, RECORDS = 4, 4, 1000
MEASURED = """
import atexit, re, runpy, sys
from pathlib import Path
atexit.register(lambda: print(re.search(r"VmHWM:.*", Path("/proc/self/status").read_text())[0], file=sys.stderr))
runpy.run_module("pdp", run_name="__main__")
"""


@pytest.fixture(scope="module")
async def heavy(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server with a log of batches of more than 3 MB each."""
    config = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri="none")
    key = keys.signing(keys.private_key(config.audit_key))
    padding = "x" * (MAX_BYTES // RECORDS - len(PAYLOAD) - 900)
    payload = orjson.dumps({**orjson.loads(PAYLOAD), "padding": padding})
    async with placet(state, mongod.uri) as server:
        await grow(mongod.uri, server.database, key, WRITERS, BATCHES, RECORDS, payload, at_once=4)
        yield server


@pytest.fixture
def pdp(heavy: Placet, tmp_path: Path) -> Terminal:
    token = identity.token(heavy.state, "dana")
    return Terminal(tmp_path, {"PDP_ADDRESS": heavy.address, "PDP_TOKEN": token, "PDP_STATE": str(tmp_path / "own")})


async def test_largest_batches_are_read_in_less_than_100_mb(pdp: Terminal) -> None:
    for command in (("verify",), ("export", "log.jsonl"), ("verify", "log.jsonl")):
        done = await pdp("audit", *command, command=[sys.executable, "-c", MEASURED])
        assert done.status == 0, done.err
        held = re.search(r"VmHWM:\s+(\d+) kB", done.err)
        assert held is not None
        assert int(held[1]) / 1024 < MOST_MIB, command
