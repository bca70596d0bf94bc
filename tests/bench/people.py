"""What a large company's people cost: a million identities, ten thousand groups, one of a hundred thousand.

    python -m tests.bench.people [--many N] [--steps N]

1. The steps of an approval, beside those with 10 people: two servers in turn, at most 1.5 times the time.
2. The start, the bundle's build and OPA's load, beside a plain `opa build` of the same data and its load: at most twice
   the time. OPA's memory of both.
"""

import argparse
import asyncio
import json
import random
import resource
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pdp.dev.stack import configuration
from pdp.environment import Environment
from pdp.opa.process import OpaProcess
from pdp.policy.bundle import build
from pdp.policy.sources import core, rego
from pdp.policy.stock import output
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import GetApprovalRequest
from tests.parts import Placet, exporting, placet

OPA = toolcache.opa(Environment.read().tool_cache)
FEW, GROUP_SIZE, WARM = 10, 20, 5
T = TypeVar("T")
Times = dict[str, list[float]]


def company(folder: Path, identities: int) -> Path:
    """The reference policy for so many people: two fifths are in a chat, too, others own agents; a tenth reviews."""
    shutil.copytree(rego(), folder, ignore=shutil.ignore_patterns("*_test.rego", "pdp"))
    data = json.loads((folder / "data.json").read_text())
    draw = random.Random(1)
    users = [f"user:person{number}" for number in range(identities)]
    chat = identities * 2 // 5
    linked = {f"slack:T1/U{number}": {"same_as": [users[number]]} for number in range(chat)}
    agents = {f"agent:bot{number}": {"owners": [draw.choice(users)]} for number in range(chat, identities)}
    teams = {f"team-{number}": draw.choices(users, k=GROUP_SIZE) for number in range(identities // 100)}
    data["identities"] |= {**linked, **agents}
    data["groups"] |= {**teams, "data-stewards": ["user:bob", "user:carol", *users[: identities // 10]]}
    (folder / "data.json").write_text(json.dumps(data))
    return folder


@asynccontextmanager
async def servers(folder: Path, policies: dict[str, Path]) -> AsyncIterator[dict[str, Placet]]:
    """A server for each policy. The tokens of its people name no groups, so the people of the data are counted."""
    async with AsyncExitStack() as stack:
        mongod = await stack.enter_async_context(MongodProcess(toolcache.mongod(), folder / "mongodb", say=print))
        found = {}
        for name, policy in policies.items():
            state = folder / f"state-{name}"
            known = configuration(state=state, listen="", policy=[policy], mongodb_uri=mongod.uri).issuers
            issuers = tuple(issuer.model_copy(update={"groups_claim": ""}) for issuer in known)
            running = placet(state, mongod.uri, policy=[policy], issuers=issuers)
            found[name] = await stack.enter_async_context(running)
        yield found


async def steps(running: Placet, times: Times) -> None:
    """One approval from its opening to its use; the seconds of each step join `times`."""

    async def timed(step: str, call: Awaitable[T]) -> T:
        began = time.perf_counter()
        answer = await call
        times[step].append(time.perf_counter() - began)
        return answer

    request = exporting()
    held = (await timed("open", running.authorize(request))).approval
    shown = GetApprovalRequest(approval_id=held.approval_id)
    await timed("show", running.approvals.GetApproval(shown, metadata=running.metadata("bob")))
    await timed("review", running.review(held, "bob"))
    await running.review(held, "carol")
    request.approval_id = held.approval_id
    await timed("use", running.authorize(request))


async def approvals(folder: Path, policies: dict[str, Path], rounds: int) -> None:
    async with servers(folder, policies) as found:
        times: dict[str, Times] = {name: defaultdict(list) for name in found}
        for number in range(-WARM, rounds):
            for name, running in found.items():
                await steps(running, times[name] if number >= 0 else defaultdict(list))
    few, many = ({step: statistics.median(took) for step, took in each.items()} for each in times.values())
    for step, base in few.items():
        print(f"{step:<7} {many[step] / base:5.2f} times  ({base * 1000:.1f} ms -> {many[step] * 1000:.1f} ms)")


@dataclass(frozen=True)
class Start:
    """Seconds of building a bundle and of OPA's load, as time and as CPU time; and OPA's memory in MB."""

    build: float
    load: float
    cpu: float
    memory: float


async def started(kind: str, policy: Path, folder: Path) -> Start:
    """What it takes until OPA answers, by our build or by a plain one of the same files."""
    bundle = folder / kind / "bundle.tar.gz"
    bundle.parent.mkdir()
    began, busy = time.perf_counter(), _cpu()
    if kind == "ours":
        await asyncio.to_thread(build, OPA, [policy], bundle)
    else:
        await asyncio.to_thread(output, OPA, "build", "--revision", "x", "-o", bundle, core(), policy)
    built = time.perf_counter()
    async with OpaProcess(OPA, bundle, folder / "opa.sock", say=print) as process:
        ready, memory = time.perf_counter(), _memory(process)
    return Start(built - began, ready - built, _cpu() - busy, memory)


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _memory(process: Any) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))


async def main(many: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        policies = {"few": company(folder / "few", FEW), "many": company(folder / "many", many)}
        plain, ours = [await started(kind, policies["many"], folder) for kind in ("plain", "ours")]
        ratio = (ours.build + ours.load) / (plain.build + plain.load)
        print(f"start   {ratio:5.2f} times, CPU {ours.cpu / plain.cpu:.2f} times")
        for kind, one in (("plain", plain), ("ours", ours)):
            print(f"  {kind:<6} build {one.build:.1f} s, load {one.load:.1f} s, OPA {one.memory:.0f} MB")
        await approvals(folder, policies, rounds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--steps", type=int, default=100)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.many, arguments.steps))
