"""`pdp mask run --keys` on a large Parquet file beside reading, masking and writing it in one plain process.

pdp dev -- python -m tests.bench.mask_parquet [rows]
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from pyarrow import parquet

import masker
from masker.arrow.sources import BATCH_ROWS
from pdp.client import Client
from pdp.client.masks import shape
from pdp.dev import identity
from pdp.environment import Environment
from pdp.v1.mask_pb2 import GetMaskPlanRequest, MaskScope
from pdp.v1.request_pb2 import Subject
from tests.bench import febrl

ROWS = int(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdigit() else 10_000_000
REPEATS = 3
CODEC = "zstd"
TABLE = "crm.customers"
GIB = 1 << 30


def main() -> None:
    """Print both rates, of CPU time, with their peak memory."""
    environment = Environment.read()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, keys = folder / "plain.parquet", environment.state / "keys" / "mask.json"
        schema = written(source)
        (folder / "plan.json").write_text(asyncio.run(planned(environment, schema)))
        bare = [sys.executable, "-m", "tests.bench.mask_parquet", "--bare", folder / "plan.json", keys, source]
        ours = [sys.executable, "-m", "pdp", "mask", "run", source, "--table", TABLE, "--keys", keys, "--as", "alice"]
        reference = Runs("read, mask, write", [*bare, folder / "bare.parquet"])
        command = Runs("pdp mask run --keys", [*ours, "--to", folder / "ours.parquet"])
        for _ in range(REPEATS):
            reference.once()
            command.once()
        print(f"{ROWS:,} rows of {source.stat().st_size / ROWS:.0f} bytes, {CODEC}")
        print(reference)
        share, peak = reference.seconds / command.seconds, max(command.peaks)
        missed = "  MISSED" if share < 0.8 or peak >= GIB else ""
        print(f"{command}  {share:.0%} of that, must 80 %, under 1 GiB{missed}")


class Runs:
    """A command run again and again: CPU time and peak memory of the process."""

    def __init__(self, name: str, command: list[str | Path]) -> None:
        self.name, self.command = name, [str(part) for part in command]
        self.times: list[float] = []
        self.peaks: list[int] = []

    @property
    def seconds(self) -> float:
        return statistics.median(self.times)

    def once(self) -> None:
        with subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            assert process.stderr is not None
            told = process.stderr.read().decode()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, told
        self.times.append(usage.ru_utime + usage.ru_stime)
        self.peaks.append(usage.ru_maxrss * 1024)

    def __str__(self) -> str:
        each = ", ".join(f"{seconds:.1f}" for seconds in self.times)
        rate = ROWS / self.seconds / 1e6
        return f"{self.name:20} {rate:6.2f} M rows/s of CPU ({each} s)  {max(self.peaks) / (1 << 20):.0f} MiB"


def written(path: Path) -> object:
    """Write the table, a million rows at a time."""
    part = febrl.table(min(ROWS, 1_000_000))
    with parquet.ParquetWriter(path, part.schema, compression=CODEC) as writer:
        for low in range(0, ROWS, len(part)):
            writer.write_table(part.slice(0, min(len(part), ROWS - low)))
    return part.schema


async def planned(environment: Environment, schema: object) -> str:
    """The server's plan, which the command asks for by itself."""
    scope = MaskScope(subject=Subject(type="user", id="alice"), table=TABLE)
    async with Client(environment.address, identity.token(environment.state, "alice"), timeout=60) as client:
        request = GetMaskPlanRequest(scope=scope, shape=shape(schema))
        answer = await client.masks.GetMaskPlan(request, metadata=client.metadata, timeout=60)
    assert json.loads(answer.plan_json)
    return str(answer.plan_json)


def bare(plan: str, keys: str, source: str, target: str) -> None:
    """Nothing but the library and pyarrow."""
    ready = masker.Masker(masker.MaskPlan.from_json(Path(plan).read_text()), masker.Keyring.load(Path(keys)))
    opened = parquet.ParquetFile(source)
    with parquet.ParquetWriter(target, ready.plan.output_schema, compression=CODEC) as writer:
        for batch in opened.iter_batches(BATCH_ROWS):
            writer.write_batch(ready.batch(batch))


if __name__ == "__main__":
    bare(*sys.argv[2:]) if "--bare" in sys.argv else main()
