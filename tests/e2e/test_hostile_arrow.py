"""Broken Arrow through every RPC of a server in a process of its own: refused or answered rightly, and it lives on.

An answer that depended on anything but the message would differ when the same message comes again.
"""

import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pyarrow as pa
import pytest

from pdp.arrow import table, token_tree
from pdp.errors import PdpError
from pdp.process.mongod import MongodProcess
from pdp.v1 import mask_pb2
from pdp.v1.request_pb2 import Effect
from tests import hostile
from tests.faults import Served, eventually, served
from tests.hostile import TYPES
from tests.masks import request_class, scope
from tests.parts import is_serving, refusal

REFUSED = {"INVALID_REQUEST", "VALUE_REFUSED", "MASK_PLAN_REFUSED", "CHUNK_REFUSED"}
LOST = "Internal error from Core"
"""What gRPC's client says, instead of the server's refusal, where it was still writing: then the call is made again."""
POLICY = """
package policy

# METADATA
# title: Whoever asks may
allow contains {"rule": "all", "reason": "a table of a test"} if input.resource.type == "table"

mask contains {"rule": "texts", "reason": "texts", "columns": ["s"], "domain": "text"} if input.resource.id == "tokens"

mask contains {"rule": "rest", "reason": "rest", "columns": ["*"], "mask": "clear"}
"""
TABLES = {"Unmask": "tokens", "Rewrap": "tokens"}
"""The table that a call is about. In all others each column is clear."""
DATA = '{"domains": {"text": {"mask": "token", "values": "open"}}}'


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory, state: Path, mongod: MongodProcess) -> AsyncIterator[Served]:
    folder, policy = tmp_path_factory.mktemp("hostile"), tmp_path_factory.mktemp("policy")
    (policy / "policy.rego").write_text(POLICY)
    (policy / "data.json").write_text(DATA)
    async with served(folder, state, mongod.uri, policy=[policy], masks=True) as running:
        await eventually(lambda: is_serving(running, "masker"), seconds=110)
        yield running


async def inline(server: Served, rpc: str, described: bytes, sent: Sequence[bytes]) -> Any:
    """What Mask or Unmask makes of the messages."""
    request = getattr(mask_pb2, f"{rpc}Request")(
        scope=scope(TABLES.get(rpc, "plain")), data=mask_pb2.MaskData(arrow_stream=b"".join([described, *sent]))
    )
    answer = await getattr(server.masks, rpc)(request, metadata=server.metadata("report-bot"))
    assert answer.decision.effect == Effect.EFFECT_ALLOW
    return answer.data.SerializeToString(deterministic=True)


async def streamed(server: Served, rpc: str, described: bytes, sent: Sequence[bytes]) -> Any:
    """What MaskStream or Rewrap makes of the messages."""
    request = request_class(rpc)
    start = mask_pb2.StreamStart(
        scope=scope(TABLES.get(rpc, "plain")), shape=mask_pb2.MaskShape(arrow_schema=described)
    )
    requests: Iterator[Any] = iter([request(start=start), *(request(arrow_message=message) for message in sent)])
    call = getattr(server.masks, rpc)(requests, metadata=server.metadata("report-bot"))
    return [answer.arrow_message async for answer in call if answer.HasField("arrow_message")]


async def planned(server: Served, _rpc: str, described: bytes, _sent: Sequence[bytes]) -> Any:
    """The output schema that GetMaskPlan promises."""
    request = mask_pb2.GetMaskPlanRequest(scope=scope("plain"), shape=mask_pb2.MaskShape(arrow_schema=described))
    answer = await server.masks.GetMaskPlan(request, metadata=server.metadata("report-bot"))
    return answer.plan.output_schema


async def chunked(server: Served, _rpc: str, described: bytes, sent: Sequence[bytes]) -> Any:
    """What UnmaskStream makes of the messages as one chunk, whose entry is right wherever it can be read."""
    start = mask_pb2.UnmaskStreamStart(scope=scope("tokens", request_id=uuid4().hex), columns=["s"], domains=["text"])
    start.shape.arrow_schema = described
    start.chunks.append(entry(described, sent))
    chunk = mask_pb2.UnmaskChunk(arrow_messages=sent)
    requests = iter([mask_pb2.UnmaskStreamRequest(start=start), mask_pb2.UnmaskStreamRequest(chunk=chunk)])
    call = server.masks.UnmaskStream(requests, metadata=server.metadata("report-bot"))
    return [list(answer.chunk.arrow_messages) async for answer in call if answer.HasField("chunk")]


def entry(described: bytes, sent: Sequence[bytes]) -> mask_pb2.UnmaskChunkEntry:
    try:
        reader = table.Reader("sent", table.schema(described, "sent"))
        [made] = [batch for message in sent if (batch := reader.take(message)) is not None]
        return token_tree.entry(made, ["s"], is_records=False)
    except (PdpError, ValueError):
        return mask_pb2.UnmaskChunkEntry(tokens_sha256=bytes(32))


RPCS: dict[str, Callable[..., Any]] = {
    "Mask": inline,
    "Unmask": inline,
    "MaskStream": streamed,
    "Rewrap": streamed,
    "GetMaskPlan": planned,
    "UnmaskStream": chunked,
}


async def outcome(server: Served, rpc: str, described: bytes, sent: Sequence[bytes]) -> Any:
    """The answer, or the reason of a refusal that names no content."""
    for _ in range(9):
        try:
            return await RPCS[rpc](server, rpc, described, sent)
        except grpc.aio.AioRpcError as error:
            refused = refusal(error)
        if refused.message != LOST:
            break
    assert refused.reason in REFUSED, (rpc, refused)
    assert hostile.LONG not in refused.message
    return refused.reason


@pytest.mark.parametrize("rpc", RPCS)
@pytest.mark.parametrize("name", TYPES)
async def test_server_refuses_or_answers_rightly_and_lives(server: Served, name: str, rpc: str, rounds: int) -> None:
    made, chance = hostile.batch(name), random.Random(f"{name} {rpc}")
    described, whole = table.schema_bytes(made.schema), hostile.messages(made)
    first = await outcome(server, rpc, described, whole)
    assert first == await outcome(server, rpc, described, whole)
    if rpc == "Mask" and isinstance(first, bytes):
        answer = mask_pb2.MaskData.FromString(first)
        assert pa.ipc.open_stream(answer.arrow_stream).read_all().to_pylist() == made.to_pylist()
    for sent, schema in changed(described, whole, chance, rounds):
        assert await outcome(server, rpc, schema, sent) == await outcome(server, rpc, schema, sent)
    assert server.process.returncode is None


def changed(
    described: bytes, whole: list[bytes], chance: random.Random, rounds: int
) -> Iterator[tuple[list[bytes], bytes]]:
    """Broken words of each message, and random changes of all of them; now and then of the schema too."""
    for number, message in enumerate(whole):
        words = list(hostile.broken(message))
        for broken in chance.sample(words, min(len(words), rounds)):
            yield [*whole[:number], broken, *whole[number + 1 :]], described
    for place in range(rounds):
        schema = hostile.mutated(described, chance) if place % 2 == 0 else described
        yield [hostile.mutated(message, chance) for message in whole], schema
