"""A file through the server: one stream, and where a stream may not take so long, several one after the other."""

import asyncio
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from pdp.cli import exit_code
from pdp.cli.decisions import status
from pdp.cli.mask_files import progress, refuse, shape_of, summary
from pdp.cli.scope import Scope
from pdp.say import say

if TYPE_CHECKING:
    from masker.arrow.sources import Source
    from pdp.client import Client
    from pdp.client.masks import MaskCall
    from pdp.v1.decision_pb2 import AuthorizeResponse
    from pdp.v1.mask_pb2 import MaskPlan, MaskScope, StreamOpened, StreamStart

_PART = "-part-"
"""What is added to a request id, with a number, for each further stream."""


async def streamed(
    client: "Client",
    scope: Scope,
    message: "MaskScope",
    path: str,
    target: str,
    *,
    from_row: int = 0,
    rewrap: bool = False,
) -> None:
    """Mask one file, or move it to the active key version. Where it cannot go on, exit and say from which row."""
    from masker import file
    from pdp.process import malloc
    from pdp.v1.mask_pb2 import StreamStart

    malloc.keep_freed()
    shape, source = await asyncio.to_thread(shape_of, path, scope)
    with source:
        streams = _Streams(client, file.from_row(source, from_row), path, target, scope, rewrap=rewrap)
        ended = await streams.run(StreamStart(scope=message, shape=shape))
    summary(streams.plan, streams.rows, ", ".join(streams.records), target)
    if ended is not None:
        _say_where(ended, from_row + streams.rows)


class _Streams:
    """The streams of one file, into one output."""

    def __init__(
        self, client: "Client", source: "Source", path: str, target: str, scope: Scope, *, rewrap: bool
    ) -> None:
        self._client, self._source, self._path, self._target = client, source, path, target
        self._layout, self._rewrap = scope.layout, rewrap
        self.rows, self.records = 0, list[str]()
        self.plan: MaskPlan

    async def run(self, start: "StreamStart") -> "AuthorizeResponse | None":
        """None when all is masked; else the decision with which it cannot go on. What was masked before is whole."""
        from masker import file
        from pdp.client.masks import MaskCall

        batches, output = self._source.batches(), None
        with ExitStack() as files:
            while True:
                call = MaskCall(self._client, start, self._source.schema, rewrap=self._rewrap, stop=self._source.stop)
                async with call:
                    opened = await call.open(batches)
                    if output is None:
                        output = self._outputs(opened, files)
                    elif opened.plan.output_schema != self.plan.output_schema:
                        return opened.decision
                    await self._write(call, *output)
                file.require_rows(self.rows, output[0].rows)
                if call.rest is None:
                    return None
                if opened.decision.HasField("approval"):
                    return opened.decision
                batches, start = call.rest, _another(start, len(self.records) + 1)
                say(f"another stream goes on from row {self.rows:,}; in its errors that is row 0")

    def _outputs(self, opened: "StreamOpened", files: ExitStack) -> tuple[Any, Any]:
        from masker import file
        from pdp.arrow import table

        if not opened.HasField("plan"):
            refuse(opened.decision)
        self.plan = opened.plan
        described = table.schema(opened.plan.output_schema, "output_schema")
        sink = files.enter_context(file.sink_of(self._source, self._target, described, self._layout))
        return sink, files.enter_context(progress(self._path, self._source.rows))

    async def _write(self, call: "MaskCall", sink: Any, advance: Any) -> None:
        async for batch in call.batches():
            await asyncio.to_thread(sink.write, batch)
            advance(batch.num_rows)
        assert call.end is not None  # noqa: S101  # else `batches` raised
        self.rows += call.end.rows
        self.records.append(call.end.record_id)


def _another(start: "StreamStart", number: int) -> "StreamStart":
    """The start of a further stream, whose decision has a request id of its own."""
    from pdp.v1.mask_pb2 import StreamStart

    another = StreamStart()
    another.CopyFrom(start)
    if asked := start.scope.request_id:
        another.scope.request_id = f"{asked.rpartition(_PART)[0] or asked}{_PART}{number}"
    return another


def _say_where(decision: "AuthorizeResponse", row: int) -> None:
    from pdp.cli import display

    say(display.decision(decision))
    exit_code.fail(
        f"the output ends before row {row:,} (rows count from 0): a stream has its time, and what follows needs a "
        f"decision of its own; mask the rest with --from-row {row}, into another file",
        status(decision) or exit_code.NEEDS_APPROVAL,
    )
