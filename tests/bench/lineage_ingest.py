"""Recorded events over HTTP: how many a second a server on one core takes, beside what it takes to parse them.

python -m tests.bench.lineage_ingest [--seconds S]
"""

import argparse
import asyncio
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import uvloop

from tests.bench.lineage_row import Row, shown
from tests.bench.lineage_stage import Http1, Stage, cpu_seconds, fresh, stage
from tests.faults import Served

CASES = Path("tests/cases/openlineage")
LEAST = 1000.0
"""Events a second."""
ROUNDS = 3
SECONDS = 2.0
"""Worth of events of one round, at the least rate."""
BATCH = 100
"""Events of one call to the batch path."""
ONE, MANY = "/api/v1/lineage", "/api/v1/lineage/batch"
CONNECTIONS = {ONE: 64, MANY: 8}


def recorded() -> list[dict[str, Any]]:
    """Events that were recorded elsewhere and that are taken here."""
    rows = [json.loads(line) for line in (CASES / "table.jsonl").read_text().splitlines()]
    found = []
    for row in rows:
        if "as" not in row and "taken" in row:
            read = json.loads((CASES / row["file"]).read_text())
            found.append(read[row["number"]] if "number" in row else read)
    return found


def unlike(events: Sequence[dict[str, Any]]) -> Iterator[bytes]:
    """These again and again, each time with another run, so that none of them is a resend."""
    for event in itertools.cycle(events):
        run = event.get("run")
        changed = {"run": {**run, "runId": str(uuid4())}} if isinstance(run, dict) else {"_sent": str(uuid4())}
        yield orjson.dumps({**event, **changed})


async def sent(server: Served, path: str, token: str, bodies: Sequence[bytes]) -> float:
    """Seconds in which all bodies are taken, over several connections."""
    connections = [Http1(server.http, path, token) for _ in range(CONNECTIONS[path])]
    left = iter(bodies)

    async def send(connection: Http1) -> None:
        await connection.open()
        for body in left:
            status, answer = await connection.post(body)
            if status not in {200, 201} or b'"failed_events":[{' in answer:
                sys.exit(f"{path}: {status} {answer[:300]!r}")
        connection.close()

    began = time.perf_counter()
    await asyncio.gather(*map(send, connections))
    return time.perf_counter() - began


async def measured(on: Stage, seconds: float) -> Sequence[Row]:
    """Events a second, one a call and many a call, beside what one core parses of them."""
    server, token, source = await on.server(fresh(), core=0), on.token("etl"), unlike(recorded())
    count = int(seconds * LEAST)
    rates: dict[str, list[float]] = {ONE: [], MANY: []}
    cpu: dict[str, list[float]] = {ONE: [], MANY: []}
    parsed = list[float]()
    await sent(server, ONE, token, list(itertools.islice(source, 200)))
    for _ in range(ROUNDS):
        for path, rate in rates.items():
            texts = list(itertools.islice(source, count))
            bodies = texts if path == ONE else [b"[%b]" % b",".join(some) for some in _pieces(texts)]
            parsed.append(count / _parsing(texts))
            used = cpu_seconds(server)
            rate.append(count / await sent(server, path, token, bodies))
            cpu[path].append((cpu_seconds(server) - used) / count * 1e3)
    return [
        Row(
            f"recorded events a second, {what} a call",
            statistics.median(rates[path]),
            f"orjson parses {statistics.median(parsed):,.0f}; {statistics.median(cpu[path]):.2f} ms of CPU each",
            least=LEAST,
        )
        for path, what in ((ONE, "1"), (MANY, str(BATCH)))
    ]


def _parsing(texts: Sequence[bytes]) -> float:
    began = time.perf_counter()
    for text in texts:
        orjson.loads(text)
    return time.perf_counter() - began


def _pieces(texts: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    return (texts[start : start + BATCH] for start in range(0, len(texts), BATCH))


async def main(seconds: float = SECONDS) -> bool:
    """Print the rows. Returns whether all are within their bars."""
    with tempfile.TemporaryDirectory() as name:
        async with stage(Path(name)) as on:
            return shown(await measured(on, seconds))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    sys.exit(0 if uvloop.run(main(parser.parse_args().seconds)) else 1)
