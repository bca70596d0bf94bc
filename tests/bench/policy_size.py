"""What the size of a policy costs: 500 files, and 50 MB of people, beside neither; unary with 64 in flight, in turn.

    python -m tests.bench.policy_size [--rounds N] [--seconds S]

Bars: with 500 files at least 0.8 of the rate, with 50 MB at least 0.5; `pdp policy check` of 500 files takes at most
2 s of CPU time, beside which stands a bare `opa check` of the same folder.
"""

import argparse
import asyncio
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.load import Load, measure
from tests.bench.people import FEW, OPA, company, servers
from tests.parts import Placet, asking

AUTHORIZE = "/pdp.v1.DecisionService/Authorize"
FILES, CHECK_SECONDS = 500, 2.0
PEOPLE = 700_000
"""So many identities, with their groups, are 50 MB of data."""
LOOPS = 64
BARS = {"files": 0.8, "data": 0.5}
RULE = """package policy

allow contains {{"rule": "team{0}.read", "reason": "may read of team {0}"}} if {{
	input.action.name == "read-{0}"
	input.resource.type == "table"
}}

deny contains {{"rule": "team{0}.late", "reason": "is closed to {0}"}} if {{
	input.action.name == "drop-{0}"
	input.subject.id == "agent{0}"
}}
"""


def many_files(folder: Path) -> Path:
    """The reference policy with so many files of rules more."""
    company(folder, FEW)
    for number in range(FILES):
        (folder / "policy" / f"team{number}.rego").write_text(RULE.format(number))
    return folder


def cpu(command: Sequence[str | Path]) -> float:
    """Seconds of CPU that a command takes, with the processes that it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def checked(policy: Path, rounds: int) -> float:
    """Print what the check of a policy costs, beside a bare `opa check` in turn. Returns the seconds of CPU."""
    commands = ([sys.executable, "-m", "pdp", "policy", "check", policy], [OPA, "check", policy])
    ours, bare = (statistics.median(each) for each in zip(*(map(cpu, commands) for _ in range(rounds)), strict=True))
    beside = f"{ours / bare:.1f} x a bare `opa check`"
    print(f"check of {FILES} files {ours:.1f} s of CPU, {beside}; at most {CHECK_SECONDS:.0f} s")
    return ours


async def rate(server: Placet, seconds: float) -> float:
    """Decisions a second."""
    request, metadata = asking(), server.metadata("report-bot")
    size = len((await server.authorize(request)).SerializeToString())
    load = Load(server.address, AUTHORIZE, request.SerializeToString(), size, tuple(metadata), LOOPS, seconds)
    return (await asyncio.to_thread(measure, load)).per_second


async def main(rounds: int, seconds: float) -> int:
    """Print the ratios. The exit status is 1 if one misses its bar."""
    with tempfile.TemporaryDirectory() as name:
        folder, missed = Path(name), False
        policies = {"few": company(folder / "few", FEW), "files": many_files(folder / "files")}
        took = checked(policies["files"], rounds)
        policies["data"] = company(folder / "data", PEOPLE)
        size = (policies["data"] / "data.json").stat().st_size
        async with servers(folder, policies) as found:
            figures = [{each: await rate(server, seconds) for each, server in found.items()} for _ in range(rounds)]
    for each, bar in BARS.items():
        ratio = statistics.median(figure[each] / figure["few"] for figure in figures)
        what = f"{FILES} files" if each == "files" else f"{size / 1e6:.0f} MB of data"
        print(f"{what}: {ratio:.2f} of the rate, at least {bar}{'  MISSED' if ratio < bar else ''}")
        missed |= ratio < bar
    return int(missed or took > CHECK_SECONDS)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    arguments = parser.parse_args()
    sys.exit(asyncio.run(main(arguments.rounds, arguments.seconds)))
