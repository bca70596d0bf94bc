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


def commands(rounds: str, seconds: str) -> dict[str, list[str]]:
    """The command of each part."""
    python = [sys.executable, "-m"]
    dev = [*python, "pdp", "dev", "--", *python]
    return {
        "decisions": [*dev, "tests.bench.decisions", rounds, seconds],
        "streams": [*dev, "tests.bench.stream", rounds, seconds],
        "http": [*dev, "tests.bench.http", rounds, seconds],
        "workers": [*python, "tests.bench.workers", rounds, seconds],
        "watching": [*python, "tests.bench.watching", rounds, seconds],
        "overload": [*python, "tests.bench.overload"],
        "fairness": [*python, "tests.bench.fairness"],
        "approvals": [*python, "tests.bench.approvals"],
        "queue": [*python, "tests.bench.queue"],
        "people": [*python, "tests.bench.people"],
        "size": [*python, "tests.bench.policy_size", "--rounds", rounds],
        "reload": [*python, "tests.bench.reload"],
        "attack": [*python, "tests.bench.attack"],
        "text": [*python, "tests.bench.json_text"],
        "audit": [*python, "tests.bench.audit"],
        "inbox": [*python, "tests.bench.inbox"],
        "lineage": [*python, "tests.bench.lineage", "--rounds", rounds],
        "masks": [*python, "tests.bench.bench_mask"],
        "jsonl": [*python, "tests.bench.mask_json"],
        "stream": [*dev, "tests.bench.mask_stream"],
        "parquet": [*dev, "tests.bench.mask_parquet"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--only", choices=commands("", ""))
    arguments = parser.parse_args()
    parts = commands(str(arguments.rounds), str(arguments.seconds))
    chosen = [arguments.only] if arguments.only else list(parts)
    return max(subprocess.run(parts[part], check=False).returncode for part in chosen)


if __name__ == "__main__":
    sys.exit(main())
