"""What the tests of the mask service share: a server that masks, tables as IPC, streams by hand."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa

from pdp.arrow import table
from pdp.masking.keys import demo_keys
from pdp.v1 import mask_pb2
from pdp.v1.request_pb2 import Subject
from tests.parts import Placet, is_serving, placet

CUSTOMERS = "crm.customers"


@asynccontextmanager
async def masking(state: Path, mongodb_uri: str, **changes: Any) -> AsyncIterator[Placet]:
    """A server that masks."""
    keys = demo_keys(state / "keys" / "mask.json")
    async with placet(state, mongodb_uri, **{"mask_keys": keys, **changes}) as running:
        await _serving(running)
        yield running


async def _serving(server: Placet) -> None:
    """Compiling the kernels is once a process."""
    async with asyncio.timeout(110):
        while not await is_serving(server, "masker"):
            await asyncio.sleep(0.05)


def scope(name: str = CUSTOMERS, **members: Any) -> mask_pb2.MaskScope:
    """`report-bot`, on behalf of alice. The same message again is the same attempt again."""
    members = {"on_behalf_of": [Subject(type="user", id="alice")], "attempt_id": uuid4().hex, **members}
    return mask_pb2.MaskScope(subject=Subject(type="agent", id="report-bot"), table=name, **members)


def arrow(columns: Mapping[str, Any] | pa.Table | pa.RecordBatch) -> mask_pb2.MaskData:
    """Columns as an IPC stream."""
    batch = columns if isinstance(columns, pa.RecordBatch) else _batch(columns)
    return mask_pb2.MaskData(arrow_stream=table.written(batch, batch.schema))


def _batch(columns: Mapping[str, Any] | pa.Table) -> pa.RecordBatch:
    if isinstance(columns, pa.Table):
        return columns.combine_chunks().to_batches()[0]
    return pa.record_batch({name: pa.array(values) for name, values in columns.items()})


def records(*texts: str) -> mask_pb2.MaskData:
    """JSON records."""
    return mask_pb2.MaskData(records=mask_pb2.JsonRecords(records=texts))


def columns(data: mask_pb2.MaskData) -> dict[str, list[Any]]:
    """The columns of an answer."""
    return pa.ipc.open_stream(data.arrow_stream).read_all().to_pydict()


class Streamed:
    """All that a stream answered."""

    def __init__(self) -> None:
        self.opened = mask_pb2.StreamOpened()
        self.batches: list[pa.RecordBatch] = []
        self.end: mask_pb2.StreamEnd | None = None

    @property
    def table(self) -> pa.Table:
        return pa.Table.from_batches(self.batches)


async def stream(
    server: Placet,
    batches: Sequence[pa.RecordBatch],
    start: mask_pb2.StreamStart | None = None,
    by: str = "report-bot",
    rpc: str = "MaskStream",
) -> Streamed:
    """Send all batches, take all that comes back."""
    call = getattr(server.masks, rpc)(_requests(batches, start, rpc), metadata=server.metadata(by))
    return await taken(call)


async def taken(call: AsyncIterable[Any]) -> Streamed:
    """All that a stream answers."""
    answer, reader = Streamed(), None
    async for response in call:
        match response.WhichOneof("message"):
            case "opened":
                answer.opened = response.opened
                if response.opened.HasField("plan"):
                    reader = table.Reader("test", table.schema(response.opened.plan.output_schema, "test"))
            case "arrow_message":
                assert reader is not None
                batch = reader.take(response.arrow_message)
                answer.batches += [batch] if batch is not None else []
            case "end":
                answer.end = response.end
    return answer


def shape(schema: pa.Schema) -> mask_pb2.MaskShape:
    return mask_pb2.MaskShape(arrow_schema=table.schema_bytes(schema))


def request_class(rpc: str) -> Any:
    return mask_pb2.MaskStreamRequest if rpc == "MaskStream" else mask_pb2.RewrapRequest


def _requests(batches: Sequence[pa.RecordBatch], start: mask_pb2.StreamStart | None, rpc: str) -> Iterable[Any]:
    request = request_class(rpc)
    yield request(start=start or mask_pb2.StreamStart(scope=scope(), shape=shape(batches[0].schema)))
    writer = table.Writer(batches[0].schema)
    for batch in batches:
        for message in writer.messages(batch):
            yield request(arrow_message=bytes(message))
