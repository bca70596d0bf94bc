"""Whatever is done to a message: it is refused, or what is read lies in the message and nowhere else."""

import random
import tracemalloc
from collections import deque
from typing import Any

import pyarrow as pa
import pytest

import masker
from masker.arrow.schema import walk
from masker.path import render
from pdp.arrow import table
from pdp.arrow.documents import reversed_values
from pdp.arrow.table import MAX_MESSAGE_BYTES, Reader
from pdp.arrow.tokens import columns_digest
from pdp.errors import InvalidRequest, PdpError
from pdp.masking.count import counted_values
from pdp.masking.refusals import refusals
from tests import hostile
from tests.hostile import TYPES

DOMAINS = {"d": {"mask": "token"}}


def plan(schema: pa.Schema) -> masker.MaskPlan | None:
    """Tokens for texts, and all else in clear; None where the masker does not take the type."""
    leaves = [(render(path), field) for path, field in walk(schema)]
    rules = [
        {"column": name, "rule": "r", "mask": "clear"} for name, field in leaves if not pa.types.is_nested(field.type)
    ]
    try:
        return masker.plan(schema, rules, DOMAINS)
    except masker.PlanRefused:
        return None


def seen(sent: list[bytes], schema: pa.Schema, made: masker.MaskPlan | None) -> Any:
    """Everything that the server looks at in a batch; None where it is refused."""
    names = [render(path) for path, field in walk(schema) if not pa.types.is_nested(field.type)]
    reader, found = Reader("rows", schema), []
    try:
        for message in sent:
            if (taken := reader.take(memoryview(message))) is not None:
                masked = None
                if made is not None:
                    with refusals():
                        masked = masker.Masker(made).sound_batch(taken)
                texts = [name for name in names if hostile_text(schema, name)]
                found.append(
                    (
                        (reversed_values(taken, texts), columns_digest(taken, texts)),
                        0 if made is None else counted_values(made, taken).values,
                        masked,
                    )
                )
    except InvalidRequest as error:
        assert [path for path, _ in error.violations] == ["rows"]  # noqa: PT017  # one of two ends
        assert hostile.LONG not in error.sentence  # noqa: PT017
        return None
    except PdpError as error:
        assert error.reason == "VALUE_REFUSED"  # noqa: PT017
        return None
    return found


def hostile_text(schema: pa.Schema, name: str) -> bool:
    types = {render(path): str(field.type) for path, field in walk(schema)}
    return "string" in types[name] or "binary" in types[name]


@pytest.mark.parametrize("name", TYPES)
def test_every_word_may_be_anything(name: str, rounds: int) -> None:
    made = hostile.batch(name)
    planned, whole = plan(made.schema), hostile.messages(made)
    assert seen(whole, made.schema, planned)
    for number, message in enumerate(whole):
        for broken in hostile.broken(message, max(1, 8 // rounds)):
            sent = [*whole[:number], broken, *whole[number + 1 :]]
            first = seen(sent, made.schema, planned)
            waste = [bytes([65 + at % 7]) * 997 for at in range(64)]  # what lay beside it lies elsewhere now
            assert seen(sent, made.schema, planned) == first
            del waste


@pytest.mark.parametrize("name", TYPES)
def test_random_changes_are_refused_or_read(name: str, rounds: int) -> None:
    made, chance = hostile.batch(name), random.Random(name)
    planned, whole = plan(made.schema), hostile.messages(made)
    for _ in range(120 * rounds):
        sent = [hostile.mutated(message, chance) for message in whole]
        assert seen(sent, made.schema, planned) == seen(sent, made.schema, planned)


@pytest.mark.parametrize("name", TYPES)
def test_schema_may_be_anything(name: str, rounds: int) -> None:
    chance, described = random.Random(name), table.schema_bytes(hostile.batch(name).schema)
    for broken in [
        *hostile.broken(described, max(1, 8 // rounds)),
        *(hostile.mutated(described, chance) for _ in "x" * 20),
    ]:
        try:
            found = table.schema(broken, "rows")
        except InvalidRequest:
            continue
        assert plan(found) is None or table.schema_digest(found)


def from_buffers(kind: pa.DataType, count: int, *buffers: bytes) -> pa.RecordBatch:
    """A column of buffers that pyarrow does not check."""
    return pa.record_batch({"s": pa.Array.from_buffers(kind, count, [None, *map(pa.py_buffer, buffers)])})


def packed(*numbers: int, size: int = 4) -> bytes:
    return b"".join(number.to_bytes(size, "little", signed=True) for number in numbers)


def view(length: int, start: bytes, buffer: int = 0, offset: int = 0) -> bytes:
    return packed(length) + start[:4] + packed(buffer, offset)


UNSOUND = {
    "offsets that fall": from_buffers(pa.string(), 2, packed(2, 1, 3), b"abc"),
    "no UTF-8": from_buffers(pa.string(), 1, packed(0, 1), b"\xff"),
    "a view beyond its buffer": from_buffers(pa.string_view(), 1, view(99, b"abcd"), b"abcd" * 4),
    "a view into no buffer": from_buffers(pa.string_view(), 1, view(16, b"abcd", 7), b"abcd" * 4),
    "an index beyond the dictionary": pa.record_batch(
        {"s": pa.DictionaryArray.from_arrays(pa.array([9], pa.int8()), pa.array(["a"]), safe=False)}
    ),
    "lists whose offsets fall": pa.record_batch(
        {
            "s": pa.Array.from_buffers(
                pa.list_(pa.int8()), 2, [None, pa.py_buffer(packed(0, 9, 1))], children=[pa.array([1], pa.int8())]
            )
        }
    ),
}


@pytest.mark.parametrize("name", UNSOUND)
def test_batch_is_validated_in_full_where_it_is_read(name: str) -> None:
    made = UNSOUND[name]
    stream = table.schema_bytes(made.schema) + b"".join(hostile.messages(made))
    with pytest.raises(InvalidRequest, match=r"column 0") as error:
        table.read(stream, "rows")
    assert "validate(full=True)" in error.value.sentence


@pytest.mark.parametrize(("kind", "size"), [(pa.string(), 4), (pa.large_string(), 8), (pa.large_binary(), 8)], ids=str)
def test_text_does_not_reach_beyond_its_message(kind: pa.DataType, size: int) -> None:
    sent = stream(pa.record_batch({"s": pa.array(["abc"], kind)}))
    before, _, text = sent.rpartition(packed(0, 3, size=size))
    assert text.startswith(b"abc")
    with pytest.raises(InvalidRequest, match="is not valid Arrow data"):
        table.read(before + packed(0, 64, size=size) + text, "rows")


@pytest.mark.parametrize("name", UNSOUND)
def test_embedded_masker_validates_at_its_door(name: str) -> None:
    made = UNSOUND[name]
    ready = masker.Masker(
        masker.plan(
            made.schema, [{"column": path, "rule": "r", "mask": "clear"} for path in ["s[]" if "list" in name else "s"]]
        )
    )
    for refused in (lambda: ready.batch(made), lambda: ready.table(pa.Table.from_batches([made]))):
        with pytest.raises(masker.ValueRefused, match="not valid Arrow data"):
            refused()


TEXT = "x" * 120_000
MANY = 4000
VIEWS = from_buffers(pa.string_view(), MANY, view(len(TEXT), b"xxxx") * MANY, TEXT.encode())
EXPANDING = {
    "a dictionary": pa.record_batch(
        {"s": pa.DictionaryArray.from_arrays(pa.array([0] * MANY, pa.int8()), pa.array([TEXT]))}
    ),
    "views": VIEWS,
    "a dictionary of views": pa.record_batch(
        {"s": pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), VIEWS.column(0))}
    ),
    "a list of views": pa.record_batch(
        {"s": pa.ListArray.from_arrays(pa.array([0, MANY], pa.int32()), VIEWS.column(0))}
    ),
    "list views": pa.record_batch(
        {
            "s": pa.ListViewArray.from_arrays(
                pa.array([0] * MANY, pa.int32()), pa.array([1] * MANY, pa.int32()), pa.array([TEXT])
            )
        }
    ),
    "lists in a dictionary": pa.record_batch(
        {"s": pa.DictionaryArray.from_arrays(pa.array([0] * MANY, pa.int8()), pa.array([[TEXT]]))}
    ),
    "structs in a dictionary": pa.record_batch(
        {"s": pa.DictionaryArray.from_arrays(pa.array([0] * MANY, pa.int8()), pa.array([{"a": TEXT}]))}
    ),
}


def stream(made: pa.RecordBatch, times: int = 1) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, made.schema) as writer:
        for _ in range(times):
            writer.write_batch(made)
    return bytes(sink.getvalue())


@pytest.mark.parametrize("name", EXPANDING)
def test_small_message_does_not_become_gigabytes(name: str) -> None:
    sent = stream(EXPANDING[name])
    assert len(sent) < 300_000
    tracemalloc.start()
    with pytest.raises(InvalidRequest, match="64 MiB"):
        table.read(sent, "rows")
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_batches_of_inline_data_are_bounded_together() -> None:
    made = pa.record_batch({"s": pa.DictionaryArray.from_arrays(pa.array([0] * 256, pa.int8()), pa.array([TEXT]))})
    assert table.read(stream(made), "rows")[1].num_rows == 256
    with pytest.raises(InvalidRequest, match="64 MiB"):
        table.read(stream(made, 3), "rows")


def test_what_is_not_sent_counts_nothing_and_writers_cut_what_does_not_fit() -> None:
    made = pa.record_batch({"s": pa.DictionaryArray.from_arrays(pa.array([0] * 1500, pa.int16()), pa.array([TEXT]))})
    reader = Reader("rows", made.schema)
    taken = [found for found in map(reader.take, hostile.messages(made)) if found is not None]
    assert len(taken) == 4
    assert table.whole(taken, made.schema).num_rows == 1500


def test_dictionaries_do_not_pile_up_before_a_batch() -> None:
    made = pa.record_batch({"s": pa.array(["x" * (MAX_MESSAGE_BYTES // 2)]).dictionary_encode()})
    first, reader = hostile.messages(made)[0], Reader("rows", made.schema)
    with pytest.raises(InvalidRequest, match="too many dictionaries"):
        deque(map(reader.take, [first] * 40), 0)


def test_piece_of_a_dictionary_of_views_is_refused() -> None:
    sink = pa.BufferOutputStream()
    parts = [pa.array(texts, pa.string_view()) for texts in (["a"], ["a", "b"])]
    schema = pa.schema([("s", pa.dictionary(pa.int8(), pa.string_view()))])
    with pa.ipc.new_stream(sink, schema, options=pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)) as writer:
        for part in parts:
            writer.write_batch(
                pa.record_batch([pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), part)], schema=schema)
            )
    with pytest.raises(InvalidRequest, match="send dictionaries whole"):
        table.read(bytes(sink.getvalue()), "rows")
