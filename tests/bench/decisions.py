"""The measuring half of `tests.bench`, run inside a dev stack."""

import os
import statistics
import sys
from collections import defaultdict
from collections.abc import Mapping

import grpc
from google.protobuf import json_format

from pdp.canonical import canonical
from pdp.dev import identity
from pdp.environment import Environment
from pdp.v1.decision_pb2 import AuthorizeRequest, BatchAuthorizeRequest
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


def main(rounds: int, seconds: float) -> None:
    bench = Bench(seconds)
    figures: dict[str, list[Rate]] = defaultdict(list)
    with noop(bench.answer) as reference, stock_opa() as opa:
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
            for loops in (1, 64, 256):
                figures[f"no-op {loops}"].append(bench.noop(reference.address, loops))
                figures[f"unary {loops}"].append(bench.placet(AUTHORIZE, bench.unary, loops))
            figures["opa 64"].append(ask_opa(opa, opa_question(1), b"ALLOW", 64, seconds))
            figures["opa batch"].append(ask_opa(opa, opa_question(ITEMS), b"ALLOW", BATCHES_IN_FLIGHT, seconds))
            figures["batch"].append(bench.placet(BATCH, bench.batch, BATCHES_IN_FLIGHT))
    report(figures)


def report(figures: dict[str, list[Rate]]) -> None:
    print(f"{'':24}{'decisions/s':>12}{'p50 ms':>9}{'p99 ms':>9}")
    for name, rates in figures.items():
        items = ITEMS if "batch" in name else 1
        per_second = items * statistics.median(rate.per_second for rate in rates)
        p50, p99 = statistics.median(rate.p50 for rate in rates), statistics.median(rate.p99 for rate in rates)
        print(f"{name:24}{per_second:12.0f}{p50:9.2f}{p99:9.2f}")
    print()
    for ours, reference, must in (
        ("unary 1", "no-op 1", None),
        ("unary 64", "no-op 64", 0.30),
        ("unary 256", "no-op 256", None),
        ("unary 64", "opa 64", None),
        ("batch", "opa batch", 0.45),
    ):
        pairs = zip(figures[ours], figures[reference], strict=True)
        ratios = [our.per_second / other.per_second for our, other in pairs]
        floor = f"  must be at least {must}" if must else ""
        spread = f"(of {min(ratios):.2f} to {max(ratios):.2f})"
        print(f"{ours:>9} / {reference:9} {statistics.median(ratios):5.2f}  {spread}{floor}")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
