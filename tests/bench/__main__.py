"""Decisions with durable audit, and masks, a second, each beside what this machine can do without us, in the same run.

    python -m tests.bench [--rounds N] [--seconds S] [--only NAME]

References of decisions: a no-op `grpc.aio` server (what gRPC in Python costs), and a stock OPA's own REST answers to
the same questions; load comes from other processes. HTTP is held against gRPC of the same server. The steps of
approvals are held against themselves among fewer. So are what a large company's people cost, an attack on a policy, and
what is decided where more is asked than can be. Lineage is held against networkx, and against a server without it;
its bars decide the exit status, as do those of the inbox, which also says what Authorize costs beside it. Those of the
masks are in `bench_mask` and `mask_*`. Compare the ratios: the machine is shared by all of it, and noisy.
"""

import argparse
import subprocess
import sys

PARTS = [
    "decisions",
    "streams",
    "http",
    "overload",
    "fairness",
    "approvals",
    "queue",
    "people",
    "reload",
    "attack",
    "text",
]
PARTS += ["text", "inbox", "lineage", "masks", "stream", "parquet"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--only", choices=PARTS)
    arguments = parser.parse_args()
    dev = [sys.executable, "-m", "pdp", "dev", "--", sys.executable, "-m"]
    parts = {
        "decisions": [*dev, "tests.bench.decisions", str(arguments.rounds), str(arguments.seconds)],
        "streams": [*dev, "tests.bench.stream", str(arguments.rounds), str(arguments.seconds)],
        "http": [*dev, "tests.bench.http", str(arguments.rounds), str(arguments.seconds)],
        "overload": [*dev, "tests.bench.overload"],
        "fairness": [sys.executable, "-m", "tests.bench.fairness"],
        "approvals": [sys.executable, "-m", "tests.bench.approvals"],
        "queue": [sys.executable, "-m", "tests.bench.queue"],
        "inbox": [sys.executable, "-m", "tests.bench.inbox"],
        "people": [sys.executable, "-m", "tests.bench.people"],
        "reload": [sys.executable, "-m", "tests.bench.reload"],
        "attack": [sys.executable, "-m", "tests.bench.attack"],
        "text": [sys.executable, "-m", "tests.bench.json_text"],
        "lineage": [sys.executable, "-m", "tests.bench.lineage", "--rounds", str(arguments.rounds)],
        "masks": [sys.executable, "-m", "tests.bench.bench_mask"],
        "stream": [*dev, "tests.bench.mask_stream"],
        "parquet": [*dev, "tests.bench.mask_parquet"],
    }
    chosen = [arguments.only] if arguments.only else list(parts)
    return max(subprocess.run(parts[part], check=False).returncode for part in chosen)


if __name__ == "__main__":
    sys.exit(main())
