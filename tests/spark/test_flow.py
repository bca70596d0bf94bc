"""What flows through a part, without Spark and without a server."""

import threading
from collections.abc import Iterator

import pyarrow as pa
import pytest

from pdp.spark.flow import ROOM, Flow


def batch(number: int) -> pa.RecordBatch:
    return pa.record_batch({"n": [number]})


BATCHES = [batch(number) for number in range(ROOM + 3)]


def test_a_piece_has_all_batches_that_come_in_time() -> None:
    flow = Flow(iter(BATCHES[:3]))
    assert flow.has_more()
    assert flow.first == BATCHES[0]
    piece = flow.piece()
    flow.open()
    assert list(piece) == BATCHES[:3]
    assert not flow.has_more()


def test_no_batch_leaves_before_the_server_has_let_the_stream_in() -> None:
    flow = Flow(iter(BATCHES[:2]))
    assert flow.has_more()
    piece, taken = flow.piece(), list[pa.RecordBatch]()
    taking = threading.Thread(target=lambda: taken.extend(piece))
    taking.start()
    taking.join(0.1)
    assert taken == []
    flow.stop()
    taking.join()
    assert taken == []
    again = flow.piece()
    flow.open()
    assert list(again) == BATCHES[:2]


def test_a_piece_ends_where_spark_gives_nothing_for_a_while_and_another_one_goes_on() -> None:
    news = threading.Event()

    def slow() -> Iterator[pa.RecordBatch]:
        yield BATCHES[0]
        news.wait(30)
        yield BATCHES[1]

    flow = Flow(slow(), late_seconds=0.05)
    assert flow.has_more()
    piece = flow.piece()
    flow.open()
    assert list(piece) == BATCHES[:1]
    news.set()
    assert flow.has_more()
    piece = flow.piece()
    flow.open()
    assert list(piece) == BATCHES[1:2]


def test_a_piece_ends_where_spark_takes_nothing_for_a_while() -> None:
    flow = Flow(iter(BATCHES), late_seconds=0.05)
    assert flow.has_more()
    piece = flow.piece()
    flow.open()
    sent = list[pa.RecordBatch]()
    for one in piece:
        sent.append(one)
        flow.give(one)
    assert len(sent) == ROOM
    flow.end()
    assert list(flow.taken()) == sent
    assert flow.first == BATCHES[ROOM]


def test_what_a_stream_had_no_time_for_comes_next() -> None:
    flow = Flow(iter(BATCHES[:2]))
    assert flow.has_more()
    piece = flow.piece()
    flow.open()
    flow.give_back(next(piece))
    again = flow.piece()
    flow.open()
    assert list(again) == BATCHES[:2]


def test_the_error_of_reading_comes_to_who_waits_for_a_batch() -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield BATCHES[0]
        raise OSError("gone")

    flow = Flow(broken())
    assert flow.has_more()
    piece = flow.piece()
    flow.open()
    assert list(piece) == BATCHES[:1]
    with pytest.raises(OSError, match="gone"):
        flow.has_more()


def test_the_failure_of_a_stream_comes_after_what_it_masked() -> None:
    flow = Flow(iter(()))
    flow.give(BATCHES[0])
    flow.end(ValueError("later"))
    taken = flow.taken()
    assert next(taken) == BATCHES[0]
    with pytest.raises(ValueError, match="later"):
        next(taken)
