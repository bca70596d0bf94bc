"""Parts as executors stream them, without Spark: a real server, and batches by hand."""

import threading
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

import grpc
import pyarrow as pa
import pytest

from masker.errors import MaskRefused
from pdp.client.masks import MaskCall
from pdp.spark import part
from pdp.spark.part import PartStream, Way
from pdp.v1.mask_job_pb2 import MaskJobState
from tests.mask_jobs import rows
from tests.spark.placed import Placed

ATTEMPTS = count(1)


def begun(stack: Placed) -> Any:
    return stack.run(stack.stage.start())


def stream(stack: Placed, ticket: str, number: int = 0, address: str = "", **more: Any) -> PartStream:
    way = Way(address or stack.stage.server.address, b"", ticket)
    return PartStream(way, "people", number, next(ATTEMPTS), **more)


def masked(parts: PartStream, batches: Iterable[pa.RecordBatch]) -> list[Any]:
    return [value for batch in parts.masked(batches) for value in batch["id"].to_pylist()]


def test_a_part_comes_back_masked_and_its_end_is_kept(stack: Placed) -> None:
    job = begun(stack)
    parts = stream(stack, job.ticket)
    found = masked(parts, iter([rows("a", None), rows("a")]))
    assert found[0] == found[2]
    assert found[0].startswith("tok_")
    assert found[1] is None
    ended = stack.run(stack.stage.finish(job.job_id, [(0, parts.attempt, 3)]))
    assert (ended.rows, ended.other_attempts) == (3, 0)


def test_an_empty_part_needs_no_stream(stack: Placed) -> None:
    job = begun(stack)
    assert masked(stream(stack, job.ticket), iter(())) == []
    assert stack.get(job.job_id).other_attempts == 0


def test_a_part_that_spark_gives_late_goes_on_in_another_piece(stack: Placed) -> None:
    news = threading.Event()

    def slow() -> Iterator[pa.RecordBatch]:
        yield rows("a")
        news.wait(60)
        yield rows("b")

    job = begun(stack)
    parts = stream(stack, job.ticket, late_seconds=0.2)
    coming = parts.masked(slow())
    first = next(coming)
    while stack.get(job.job_id).parts == 0:  # until the first piece has come to its end
        pass
    news.set()
    assert [first.num_rows, *(batch.num_rows for batch in coming)] == [1, 1]
    finished = stack.run(stack.stage.finish(job.job_id, [(0, parts.attempt, 2)]))
    assert (finished.parts, finished.rows) == (1, 2)


def test_a_part_that_is_longer_than_a_stream_may_be_goes_on_in_other_pieces(
    stack: Placed, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, over = MaskCall.open, count()

    async def open_shortly(self: MaskCall, batches: Any) -> Any:
        answer = await opened(self, batches)
        if next(over) == 0:
            self._until = 0.0  # the time of the first stream is over
        return answer

    monkeypatch.setattr(MaskCall, "open", open_shortly)
    job = begun(stack)
    parts = stream(stack, job.ticket)
    assert len(masked(parts, iter([rows("a"), rows("b")]))) == 2
    assert next(over) == 2
    assert stack.run(stack.stage.finish(job.job_id, [(0, parts.attempt, 2)])).rows == 2


def test_a_schema_that_is_not_the_jobs_names_the_column(stack: Placed) -> None:
    job = begun(stack)
    with pytest.raises(MaskRefused, match=r"^table people, part 0: .*column note is int64 here and string in the job"):
        masked(stream(stack, job.ticket), iter([pa.record_batch({"id": ["a"], "note": [1]})]))
    assert stack.get(job.job_id).state == MaskJobState.MASK_JOB_STATE_RUNNING


def test_parts_of_one_task_are_pieces_of_one_attempt(stack: Placed) -> None:
    job = begun(stack)
    parts = stream(stack, job.ticket)
    assert len(masked(parts, iter([rows("a")]))) == 1
    part._PIECES.clear()  # as in another Python worker
    assert len(masked(parts, iter([rows("b", "c")]))) == 2
    assert len(masked(parts, iter([rows("d")]))) == 1
    ended = stack.run(stack.stage.finish(job.job_id, [(0, parts.attempt, 4)]))
    assert (ended.rows, ended.other_attempts) == (4, 0)


def test_a_stopped_job_takes_no_part_and_says_why(stack: Placed) -> None:
    job = begun(stack)
    stack.run(stack.stage.cancel(job.job_id, reason="the wrong table"))
    with pytest.raises(MaskRefused, match="the wrong table"):
        masked(stream(stack, job.ticket), iter([rows("a")]))


def test_a_ticket_of_another_job_or_none_is_refused_without_another_try(stack: Placed) -> None:
    with pytest.raises(MaskRefused):
        masked(stream(stack, "no.ticket.atall"), iter([rows("a")]))


def test_spark_that_stops_early_leaves_the_rows_that_were_sent(stack: Placed) -> None:
    job = begun(stack)
    coming = stream(stack, job.ticket).masked(rows(f"{number}") for number in range(1000))
    next(coming)
    coming.close()  # type: ignore[attr-defined]
    while not (kept := stack.get(job.job_id)).other_rows:
        pass
    assert kept.other_attempts == 1
    assert stack.run(stack.stage.finish(job.job_id)).parts == 0


def test_a_server_without_room_is_asked_again(stack: Placed, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first two tries find no server; the third one does."""
    job, opened, tries = begun(stack), MaskCall.open, count()

    async def open_later(self: MaskCall, batches: Any) -> Any:
        if next(tries) < 2:
            metadata = grpc.aio.Metadata()
            raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, metadata, metadata, "away")
        return await opened(self, batches)

    monkeypatch.setattr(MaskCall, "open", open_later)
    assert len(masked(stream(stack, job.ticket), iter([rows("a")]))) == 1
    assert next(tries) == 3


def test_a_name_of_several_servers_is_an_address(stack: Placed) -> None:
    parts = stream(stack, begun(stack).ticket, address=f"dns:///{stack.stage.server.address}")
    assert len(masked(parts, iter([rows("a")]))) == 1


def test_a_server_that_stays_away_ends_the_attempt(stack: Placed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "PATIENCE_SECONDS", 0.3)
    with pytest.raises(MaskRefused, match=r"^table people, part 0: "):
        masked(stream(stack, begun(stack).ticket, address="127.0.0.1:1"), iter([rows("a")]))


def test_parts_of_a_worker_share_one_client(stack: Placed) -> None:
    job = begun(stack)
    masked(stream(stack, job.ticket, 0), iter([rows("a")]))
    [first] = part._WORKERS
    masked(stream(stack, job.ticket, 1), iter([rows("a")]))
    assert [first] == part._WORKERS
    masked(stream(stack, begun(stack).ticket), iter([rows("a")]))
    [other] = part._WORKERS
    assert (other.loop, other.client) != (first.loop, first.client)
    assert other.loop is first.loop
