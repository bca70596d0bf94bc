"""Decisions a second with durable audit, each beside what this machine can do without us, in the same run.

    python -m tests.bench [--rounds N] [--seconds S]

References: a no-op `grpc.aio` server (what gRPC in Python costs), and a stock OPA's own REST answers to the same
questions. Load comes from other processes. Compare the ratios: the machine is shared by all of it, and noisy.
"""

import argparse
import subprocess
import sys


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    arguments = parser.parse_args()
    inner = [sys.executable, "-m", "tests.bench.decisions", str(arguments.rounds), str(arguments.seconds)]
    return subprocess.run([sys.executable, "-m", "pdp", "dev", "--", *inner], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
