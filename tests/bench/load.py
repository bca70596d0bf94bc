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
GRPC = (("te", "trailers"), ("content-type", "application/grpc"))


@dataclass(frozen=True)
class Load:
    """`body` to `rpc` in `loops` closed loops for `seconds`; each answer is `answer_bytes` long.

    Over HTTP/1.1 (`is_http`) `rpc` is a path, and each loop has a connection.
    """

    address: str
    rpc: str
    body: bytes
    answer_bytes: int
    metadata: tuple[tuple[str, str], ...]
    loops: int
    seconds: float
    is_http: bool = False
    connections: int = CONNECTIONS
    """Of gRPC. Over HTTP each loop has its own."""

    @property
    def framed(self) -> bytes:
        """The body as it is sent."""
        return self.body if self.is_http else b"\0" + len(self.body).to_bytes(4, "big") + self.body

    @property
    def frame_bytes(self) -> int:
        """What an answer is longer than its message."""
        return 0 if self.is_http else 5


@dataclass(frozen=True)
class Rate:
    """Calls a second, and latencies in milliseconds."""

    per_second: float
    p50: float
    p99: float
    calls: int


def measure(load: Load) -> Rate:
    """Run the load, without a warm-up, so that all of its calls are counted."""
    if shutil.which("h2load") is None:
        sys.exit("the benchmark needs h2load (in Debian's package nghttp2-client)")
    with tempfile.TemporaryDirectory() as folder:
        body, log = Path(folder, "body"), Path(folder, "log")
        body.write_bytes(load.framed)
        done = subprocess.run(_command(load, body, log), capture_output=True, text=True, check=True)
        rows = [line.split("\t") for line in log.read_text().splitlines()]
    latencies = [int(row[2]) / 1e6 for row in rows]
    received = int(re.search(r"\((\d+)\) data", done.stdout)[1])  # type: ignore[index]  # h2load's own words
    missing = len(latencies) - received / (load.answer_bytes + load.frame_bytes)
    if not latencies or missing > 0.02 * len(latencies) + load.loops:  # calls that the end cut off have no answer
        sys.exit(
            f"{load.rpc}: {missing:.0f} of {len(latencies)} answers were missing or of another length\n{done.stdout}"
        )
    return rate(latencies, load.seconds)


def rate(latencies: Sequence[float], seconds: float) -> Rate:
    """Latencies in seconds, in any order."""
    ordered = sorted(latencies)
    middle, last = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    return Rate(len(ordered) / seconds, 1000 * middle, 1000 * last, len(ordered))


def _command(load: Load, body: Path, log: Path) -> list[str]:
    connections = load.loops if load.is_http else min(load.connections, load.loops)
    command = ["h2load", f"http://{load.address}{load.rpc}", "-d", str(body), f"--log-file={log}"]
    command += ["-c", str(connections), "-m", str(load.loops // connections), "-t", "1"]
    command += ["-D", f"{load.seconds:.0f}s"]
    headers = [("content-type", "application/json")] if load.is_http else list(GRPC)
    command += ["--h1"] if load.is_http else []
    for name, value in (*headers, *load.metadata):
        command += ["-H", f"{name}: {value}"]
    return command
