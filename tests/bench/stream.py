"""Decisions over streams, beside single calls and batches of the same server; run inside a dev stack.

h2load opens a stream, sends all its messages, and begins again when all are answered. CPU time is that of the server
and of its OPA and mongod.
"""

import os
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import grpc
from google.protobuf.message import Message

from pdp.v1.decision_pb2 import StreamAuthorizeRequest
from tests.bench.cpu import Spent, spent
from tests.bench.decisions import AUTHORIZE, BATCH, BATCHES_IN_FLIGHT, ITEMS, Bench, question
from tests.bench.load import Load, Rate, measure

STREAM = "/pdp.v1.DecisionService/StreamAuthorize"
STREAMS, ITEMS_A_STREAM = {8: 4, 32: BATCHES_IN_FLIGHT}, 96
"""Streams at one time, by the items of a message, and the items that each stream sends. h2load stops where a body is
larger than the server's flow-control window, which is 16 KiB."""
RATIOS = (("stream of 8", "unary 64", 3.0, 5.0), ("stream of 32", f"batch {ITEMS}", 0.95, 1.2))
"""Which row is held against which, how many times as many a second it must decide, and how many it aims at."""


@dataclass(frozen=True)
class Figure:
    """Decisions a second, and the microseconds of CPU that each took."""

    per_second: float
    cpu: Spent


class Streams(Load):
    """Whole streams: `body` is one message after the other, framed already."""

    @property
    def framed(self) -> bytes:
        """As it is."""
        return self.body

    @property
    def frame_bytes(self) -> int:
        """The answers' frames are counted already."""
        return 0


class StreamBench(Bench):
    def stream(self, items: int) -> Rate:
        sent = [
            StreamAuthorizeRequest(id=f"{number:03}", items=[question()] * items) for number in range(_messages(items))
        ]
        with grpc.insecure_channel(self.address) as channel:
            first, *_ = channel.stream_stream(STREAM)(iter([sent[0].SerializeToString()]), metadata=self.metadata)
        size = len(sent) * (len(first) + 5)
        body = b"".join(map(_frame, sent))
        return measure(Streams(self.address, STREAM, body, size, self.metadata, STREAMS[items], self.seconds))

    def figure(self, run: Callable[[], Rate], items: int) -> Figure:
        before = spent(os.getppid())
        per_second = items * run().per_second
        return Figure(per_second, spent(os.getppid()).each(before, per_second * self.seconds))


def _messages(items: int) -> int:
    return ITEMS_A_STREAM // items


def _frame(message: Message) -> bytes:
    body = message.SerializeToString()
    return b"\0" + len(body).to_bytes(4, "big") + body


def main(rounds: int, seconds: float) -> None:
    bench = StreamBench(seconds)
    figures: dict[str, list[Figure]] = defaultdict(list)
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        figures["unary 64"].append(bench.figure(lambda: bench.placet(AUTHORIZE, bench.unary, 64), 1))
        batch = bench.figure(lambda: bench.placet(BATCH, bench.batch, BATCHES_IN_FLIGHT), ITEMS)
        figures[f"batch {ITEMS}"].append(batch)
        for items in (8, 32):
            figures[f"stream of {items}"].append(bench.figure(lambda items=items: bench.stream(items), ITEMS_A_STREAM))
    report(figures)


def report(figures: dict[str, list[Figure]]) -> None:
    print(f"{'':16}{'decisions/s':>12}{'server us':>11}{'opa us':>9}{'mongod us':>11}")
    for name, some in figures.items():
        cpu = "".join(
            f"{statistics.median(getattr(one.cpu, part) for one in some):{width}.1f}"
            for part, width in (("server", 11), ("opa", 9), ("mongod", 11))
        )
        print(f"{name:16}{statistics.median(one.per_second for one in some):12.0f}{cpu}")
    print()
    for ours, reference, must, aim in RATIOS:
        pairs = [*zip(figures[ours], figures[reference], strict=True)]
        ratios = [our.per_second / other.per_second for our, other in pairs]
        cpu = statistics.median(other.cpu.server / our.cpu.server for our, other in pairs)
        spread = f"(of {min(ratios):.2f} to {max(ratios):.2f}; by the server's CPU {cpu:.2f})"
        print(f"{ours:>12} / {reference:9} {statistics.median(ratios):5.2f}  {spread}  must be {must}, aim {aim}")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
