"""The measuring half of `tests.bench`, run inside a dev stack."""

import os
import statistics
import sys
from collections import defaultdict
from collections.abc import Mapping
from functools import partial

import grpc
from google.protobuf import json_format

from pdp.canonical import canonical
from pdp.dev import identity
from pdp.environment import Environment
from pdp.v1.decision_pb2 import AuthorizeRequest, BatchAuthorizeRequest
from tests.bench.cpu import Figure, figure, medians
from tests.bench.load import Load, Rate, measure
from tests.bench.references import NOOP, ask_opa, noop, stock_opa

ITEMS = 50
BATCHES_IN_FLIGHT = 8
ALLOW = b"\x10\x01"
AUTHORIZE, BATCH = "/pdp.v1.DecisionService/Authorize", "/pdp.v1.DecisionService/BatchAuthorize"


def question() -> AuthorizeRequest:
    request = {
        "subject": {"type": "agent", "id": "report-bot"},
        "onBehalfOf": [{"type": "user", "id": "alice"}],
        "action": {"name": "read"},
        "resource": {"type": "table", "id": "customers", "properties": {"tags": ["pii"]}},
        "context": {"purpose": "weekly report"},
    }
    return json_format.ParseDict(request, AuthorizeRequest())


def opa_question(items: int) -> bytes:
    item = (
        b'{"caller":{"identity":"agent:report-bot","kind":"workload","groups":[]},"now":1,%b'
        % (canonical(question(), "dev").json[1:])
    )
    return b'{"input":{"batch":{%b},"explain":{}}}' % b",".join(b'"%d":%b' % (index, item) for index in range(items))


class Bench:
    def __init__(self, seconds: float, variables: Mapping[str, str] = os.environ) -> None:
        environment = Environment.read(variables)
        self.seconds, self.address = seconds, environment.address
        self.metadata = (("authorization", f"Bearer {identity.token(environment.state, 'report-bot')}"),)
        self.unary = question().SerializeToString()
        self.batch = BatchAuthorizeRequest(items=[question()] * ITEMS).SerializeToString()
        self.answer = self._ask(AUTHORIZE, self.unary)

    def placet(self, rpc: str, body: bytes, loops: int) -> Rate:
        size = len(self._ask(rpc, body))
        return measure(Load(self.address, rpc, body, size, self.metadata, loops, self.seconds))

    def noop(self, address: str, loops: int) -> Rate:
        return measure(Load(address, NOOP, self.unary, len(self.answer), self.metadata, loops, self.seconds))

    def _ask(self, rpc: str, body: bytes) -> bytes:
        with grpc.insecure_channel(self.address) as channel:
            answer = bytes(channel.unary_unary(rpc)(body, metadata=self.metadata))
        if ALLOW not in answer:
            sys.exit(f"{rpc} does not allow what it should")
        return answer


BARS = {"unary 64": (2.2, 60.0), "batch": (0.45, 25.0)}
"""The most that a decision may take: of the server in no-op calls, and of mongod in microseconds."""


def main(rounds: int, seconds: float) -> int:
    bench, server = Bench(seconds), os.getppid()
    figures: dict[str, list[Figure]] = defaultdict(list)
    with noop(bench.answer) as reference, stock_opa() as opa:
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
            for loops in (1, 64, 256):
                figures[f"no-op {loops}"].append(
                    figure(reference.process, 1, partial(bench.noop, reference.address, loops))
                )
                figures[f"unary {loops}"].append(
                    figure(server, 1, partial(bench.placet, AUTHORIZE, bench.unary, loops))
                )
            for name, items, loops in (("opa 64", 1, 64), ("opa batch", ITEMS, BATCHES_IN_FLIGHT)):
                asked = partial(ask_opa, opa.url, opa_question(items), b"ALLOW", loops, seconds)
                figures[name].append(figure(opa.process, items, asked))
            asked = partial(bench.placet, BATCH, bench.batch, BATCHES_IN_FLIGHT)
            figures["batch"].append(figure(server, ITEMS, asked))
    report(figures)
    return held(figures)


def report(figures: dict[str, list[Figure]]) -> None:
    print(f"{'':24}{'decisions/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'server us':>11}{'opa us':>9}{'mongod us':>11}")
    for name, some in figures.items():
        items = ITEMS if "batch" in name else 1
        per_second = items * statistics.median(one.rate.per_second for one in some)
        p50, p99 = (statistics.median(getattr(one.rate, part) for one in some) for part in ("p50", "p99"))
        cpu = medians(some)
        print(f"{name:24}{per_second:12.0f}{p50:9.2f}{p99:9.2f}{cpu.server:11.1f}{cpu.opa:9.1f}{cpu.mongod:11.1f}")
    print()
    for ours, reference in (
        ("unary 1", "no-op 1"),
        ("unary 64", "no-op 64"),
        ("unary 256", "no-op 256"),
        ("unary 64", "opa 64"),
        ("batch", "opa batch"),
    ):
        pairs = zip(figures[ours], figures[reference], strict=True)
        ratios = [our.rate.per_second / other.rate.per_second for our, other in pairs]
        spread = f"(of {min(ratios):.2f} to {max(ratios):.2f})"
        print(f"{ours:>9} / {reference:9} {statistics.median(ratios):5.2f}  {spread}")
    print("\nWhether a change makes them more is for `python -m tests.bench.versus COMMIT`.")


def held(figures: dict[str, list[Figure]]) -> int:
    """Print whether decisions take no more CPU than they may; an exit status."""
    call, worst = medians(figures["no-op 64"]).server, 0
    for name, (most, most_of_mongod) in BARS.items():
        cpu = medians(figures[name])
        print(f"{name:>9}: {cpu.server / call:.2f} no-op calls of the server (must {most})", end="")
        print(f", {cpu.mongod:.0f} us of mongod (must {most_of_mongod:.0f})")
        worst |= cpu.server / call > most or cpu.mongod > most_of_mongod
    return int(worst)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2])))
