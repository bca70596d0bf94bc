"""Load from another process: closed loops over several connections.

By h2load, which takes a tenth of what a Python client would of the two cores that everything shares. It counts a gRPC
error as a success, so the bytes of the answers are counted: every answer must be as long as the first.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 4


@dataclass(frozen=True)
class Load:
    """`body` to `rpc` in `loops` closed loops for `seconds`; each answer is `answer_bytes` long."""

    address: str
    rpc: str
    body: bytes
    answer_bytes: int
    metadata: tuple[tuple[str, str], ...]
    loops: int
    seconds: float


@dataclass(frozen=True)
class Rate:
    """Calls a second, and latencies in milliseconds."""

    per_second: float
    p50: float
    p99: float


def measure(load: Load) -> Rate:
    """Run the load after a second of warm-up."""
    if shutil.which("h2load") is None:
        sys.exit("the benchmark needs h2load (in Debian's package nghttp2-client)")
    with tempfile.TemporaryDirectory() as folder:
        body, log = Path(folder, "body"), Path(folder, "log")
        body.write_bytes(b"\0" + len(load.body).to_bytes(4, "big") + load.body)
        done = subprocess.run(_command(load, body, log), capture_output=True, text=True, check=True)
        rows = [line.split("\t") for line in log.read_text().splitlines()]
    latencies = [int(row[2]) / 1e6 for row in rows]
    received = int(re.search(r"\((\d+)\) data", done.stdout)[1])  # type: ignore[index]  # h2load's own words
    missing = len(latencies) - received / (load.answer_bytes + 5)
    if not latencies or missing > 0.02 * len(latencies) + load.loops:  # calls that the end cut off have no answer
        sys.exit(
            f"{load.rpc}: {missing:.0f} of {len(latencies)} answers were missing or of another length\n{done.stdout}"
        )
    return rate(latencies, load.seconds)


def rate(latencies: Sequence[float], seconds: float) -> Rate:
    """Latencies in seconds, in any order."""
    ordered = sorted(latencies)
    middle, last = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    return Rate(len(ordered) / seconds, 1000 * middle, 1000 * last)


def _command(load: Load, body: Path, log: Path) -> list[str]:
    connections = min(CONNECTIONS, load.loops)
    command = ["h2load", f"http://{load.address}{load.rpc}", "-d", str(body), f"--log-file={log}"]
    command += ["-c", str(connections), "-m", str(load.loops // connections), "-t", "1"]
    command += ["-D", f"{load.seconds:.0f}s", "--warm-up-time=1s"]
    for name, value in (("te", "trailers"), ("content-type", "application/grpc"), *load.metadata):
        command += ["-H", f"{name}: {value}"]
    return command
