"""Opens the chunks of an unmasking, each only where and as its entry says."""

from itertools import accumulate

from pdp.arrow import chunks, table, token_tree
from pdp.arrow.table import Batch
from pdp.errors import InvalidRequest
from pdp.masking.job import Progress
from pdp.masking.threads import Run
from pdp.v1.mask_pb2 import UnmaskChunk, UnmaskStreamStart


class Opening:
    """Opens chunk after chunk. Nothing of one is kept for the next."""

    def __init__(self, start: UnmaskStreamStart, progress: Progress, run: Run) -> None:
        self._start, self._progress, self._run = start, progress, run
        self._first_rows = list(accumulate((chunk.rows for chunk in start.chunks), initial=0))
        self.rows = self._first_rows[-1]

    def require_next(self, chunk: UnmaskChunk, wanted: int) -> None:
        """Raise `ChunkRefused` unless a chunk is the next one."""
        if chunk.index != wanted:
            raise token_tree.ChunkRefused(f"chunk {chunk.index} is not the next one, which is {wanted}")

    async def opened(self, chunk: UnmaskChunk) -> UnmaskChunk:
        """The chunk as it was before it was masked.

        Raises `ChunkRefused` and `InvalidRequest` before anything is opened, and `ValueRefused`.
        """
        batch = await self._run(lambda: self._read(chunk), chunk.ByteSize())
        made = await self._progress.opened(batch, self._first_rows[chunk.index])
        described = self._progress.job.plan.output_schema
        messages = await self._run(lambda: chunks.messages(made, described), made.nbytes)
        return UnmaskChunk(index=chunk.index, arrow_messages=messages)

    def _read(self, chunk: UnmaskChunk) -> Batch:
        """The chunk's one batch, which is what its entry says."""
        reader = table.Reader("chunk.arrow_messages", self._progress.job.shape.schema)
        batch: Batch = None
        for message in chunk.arrow_messages:
            if batch is not None:
                raise InvalidRequest.field("chunk.arrow_messages", "has messages behind its record batch")
            batch = reader.take(message)
        if batch is None:
            raise InvalidRequest.field("chunk.arrow_messages", "has no record batch at its end")
        token_tree.require_entry(self._start, chunk.index, batch)
        return batch
