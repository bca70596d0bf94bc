"""Streams that are broken, hostile or large, and errors that say where and never what."""

import asyncio
import json
import logging
import resource
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pyarrow as pa
import pytest

from pdp.arrow import table
from pdp.authn.bearer import LEEWAY_SECONDS
from pdp.process.mongod import MongodProcess
from pdp.server import edge, incoming
from pdp.v1 import mask_pb2
from pdp.v1.request_pb2 import Effect, Subject
from tests.masks import arrow, masking, records, scope, shape, stream
from tests.parts import Placet, asking, log, placet, refusal
from tests.tokens import claims, signed

CANARY = "CANARY-9f27c1e04b"
SCHEMA = pa.schema([("rec_id", pa.string()), ("suburb", pa.string())])
ROW = pa.record_batch({"rec_id": ["r1", "r2"], "suburb": ["Ryde", None]}, schema=SCHEMA)


@pytest.fixture(scope="module")
async def server(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    async with masking(state, mongod.uri) as running:
        yield running


def opening(schema: pa.Schema = SCHEMA) -> mask_pb2.MaskStreamRequest:
    return mask_pb2.MaskStreamRequest(start=mask_pb2.StreamStart(scope=scope(), shape=shape(schema)))


def message(batch: pa.RecordBatch) -> bytes:
    return bytes(batch.serialize())


async def sent(server: Placet, *requests: mask_pb2.MaskStreamRequest) -> list[mask_pb2.MaskStreamResponse]:
    call = server.masks.MaskStream(iter(requests), metadata=server.metadata("report-bot"))
    return [response async for response in call]


async def phases(server: Placet, wanted: str) -> dict[str, Any]:
    """The newest record of this phase, once it is there."""
    async with asyncio.timeout(10):
        while True:
            found = [held["details"] for _, held in await log(server, "mask") if held["details"]["phase"] == wanted]
            if found:
                return dict(found[-1])
            await asyncio.sleep(0.05)


async def test_an_abandoned_stream_is_recorded_with_what_it_sent(state: Path, mongod: MongodProcess) -> None:
    async with masking(state, mongod.uri) as server:
        call = server.masks.MaskStream(metadata=server.metadata("report-bot"))
        await call.write(opening())
        await call.write(mask_pb2.MaskStreamRequest(arrow_message=message(ROW)))
        assert (await call.read()).HasField("opened")
        assert (await call.read()).arrow_message
        assert (await phases(server, "started"))["rows"] == 0
        call.cancel()
        broken = await phases(server, "broken")
        assert broken["rows"] == 2
        assert broken["batches"] == 1


async def test_a_stream_needs_its_start_first_and_once(server: Placet) -> None:
    data = mask_pb2.MaskStreamRequest(arrow_message=message(ROW))
    for requests in ([], [data], [opening(), opening()], [opening(), mask_pb2.MaskStreamRequest()]):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await sent(server, *requests)
        assert refusal(refused.value).code == "INVALID_ARGUMENT"


def compressed() -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SCHEMA, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_batch(ROW)
    return list(table._messages(bytes(sink.getvalue()), "x"))[1]


def wrong_offsets() -> bytes:
    offsets = pa.py_buffer(bytes.fromhex("00000000ff00000002000000"))
    column = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"ab")])
    return message(pa.RecordBatch.from_arrays([column, column], schema=SCHEMA))


def wrong_text() -> bytes:
    offsets = pa.py_buffer(bytes.fromhex("000000000100000002000000"))
    column = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"\xff\xfe")])
    return message(pa.RecordBatch.from_arrays([column, column], schema=SCHEMA))


HOSTILE = {
    "nothing": b"",
    "rubbish": b"\xff\xff\xff\xff\x10\x00\x00\x00" + b"\x07" * 64,
    "huge length": b"\xff\xff\xff\xff\xff\xff\xff\x7f",
    "no prefix": b"ARROW1",
    "two at once": message(ROW) * 2,
    "half of one": message(ROW)[:-8],
    "a schema": table.schema_bytes(SCHEMA),
    "another schema": message(pa.record_batch({"a": [1]})),
    "compressed": compressed(),
    "wrong offsets": wrong_offsets(),
    "no UTF-8": wrong_text(),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_message_that_is_no_batch_is_refused(server: Placet, name: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await sent(server, opening(), mask_pb2.MaskStreamRequest(arrow_message=HOSTILE[name]))
    assert refusal(refused.value).code == "INVALID_ARGUMENT"


async def raw(server: Placet, *bodies: bytes) -> list[mask_pb2.MaskStreamResponse]:
    """Bytes as no client library would write them."""
    call = server.channel.stream_stream("/pdp.v1.MaskService/MaskStream")(
        iter([opening().SerializeToString(), *bodies]), metadata=server.metadata("report-bot")
    )
    return [mask_pb2.MaskStreamResponse.FromString(body) async for body in call]


async def test_an_envelope_in_another_form_is_read_as_protobuf_reads_it(server: Placet) -> None:
    arrow_message = message(ROW)
    body = mask_pb2.MaskStreamRequest(arrow_message=arrow_message).SerializeToString()
    length = len(arrow_message)
    longer = bytes([0x12, length & 0x7F | 0x80, length >> 7 & 0x7F | 0x80, 0]) + arrow_message
    answers = await raw(server, body, longer, body + body)
    assert answers[-1].end.rows == 6
    masked = [answer.arrow_message for answer in answers if answer.HasField("arrow_message")]
    assert len(masked) == 3
    assert len(set(masked)) == 1


@pytest.mark.parametrize("tail", [b"\x7a\x01x", b"\x0a\x00", b"x"])
async def test_an_envelope_with_more_in_it_is_refused(server: Placet, tail: bytes) -> None:
    body = mask_pb2.MaskStreamRequest(arrow_message=message(ROW)).SerializeToString()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await raw(server, body + tail)
    assert refusal(refused.value).code == "INVALID_ARGUMENT"


async def test_rows_in_errors_count_from_the_start_of_the_stream(server: Placet) -> None:
    schema = pa.schema([("email", pa.string())])
    good = pa.record_batch({"email": ["a@b.example"] * 5}, schema=schema)
    bad = pa.record_batch({"email": ["a@b.example", "nobody"]}, schema=schema)
    parts = [mask_pb2.MaskStreamRequest(arrow_message=message(batch)) for batch in (good, good, good, bad, good, good)]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await sent(server, opening(schema), *parts)
    assert refusal(refused.value).reason == "VALUE_REFUSED"
    assert refusal(refused.value).metadata["row"] == "16"
    assert (await phases(server, "broken"))["rows"] <= 15


async def test_few_bytes_do_not_become_many_rows(server: Placet) -> None:
    schema = pa.schema([("rec_id", pa.null())])
    many = pa.RecordBatch.from_arrays([pa.nulls(1 << 30)], schema=schema)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await sent(server, opening(schema), mask_pb2.MaskStreamRequest(arrow_message=message(many)))
    assert "rows" in refusal(refused.value).message


async def test_dictionaries_stay_and_change_between_batches(server: Placet) -> None:
    schema = pa.schema([("surname", pa.dictionary(pa.int32(), pa.string()))])
    batches = [
        pa.RecordBatch.from_arrays([pa.array(values).dictionary_encode()], schema=schema)
        for values in (["Smith", "Jones", "Smith"], ["Brown", None])
    ]
    answer = await stream(server, batches)
    assert answer.end is not None
    assert answer.table.schema.field(0).type == schema.field(0).type
    made = answer.table.column(0).to_pylist()
    assert made[0] == made[2] != made[1]
    assert made[4] is None


async def test_a_subject_that_the_policy_denies_gets_a_decision_and_no_data(server: Placet) -> None:
    start = mask_pb2.StreamStart(scope=scope(), shape=shape(SCHEMA))
    start.scope.on_behalf_of[0].id = "eve"
    answer = await stream(server, [ROW], start)
    assert answer.opened.decision.effect == Effect.EFFECT_DENY
    assert not answer.opened.HasField("plan")
    assert not answer.batches
    uncovered = mask_pb2.StreamStart(scope=start.scope, shape=shape(pa.schema([("salary", pa.int64())])))
    assert (await stream(server, [ROW], uncovered)).opened.decision.effect == Effect.EFFECT_DENY


async def test_nobody_masks_as_another_subject(server: Placet) -> None:
    request = mask_pb2.MaskRequest(scope=scope(), data=arrow({"rec_id": ["r"]}))
    request.scope.subject.CopyFrom(Subject(type="user", id="bob"))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await server.masks.Mask(request, metadata=server.metadata("report-bot"))
    assert refusal(refused.value).reason == "SUBJECT_NOT_ALLOWED"


def _planted(server: Placet) -> dict[str, Callable[[], Any]]:
    """Every way of going wrong, with the canary in the value that goes wrong."""
    everything = ["rec_id", "given_name", "surname", "email", "phone", "street_number", "address_1", "address_2"]
    everything += ["suburb", "postcode", "state", "date_of_birth", "soc_sec_id"]
    metadata = server.metadata("report-bot")

    def mask(data: mask_pb2.MaskData) -> Any:
        return server.masks.Mask(mask_pb2.MaskRequest(scope=scope(), data=data), metadata=metadata)

    def unmask(data: mask_pb2.MaskData) -> Any:
        return server.masks.Unmask(mask_pb2.UnmaskRequest(scope=scope(), data=data), metadata=metadata)

    paths: dict[str, Callable[[], Any]] = {
        name: lambda name=name: mask(arrow({name: [CANARY, "5", None]})) for name in everything
    }
    paths |= {f"record {name}": lambda name=name: mask(records(json.dumps({name: CANARY}))) for name in everything}
    paths["uncovered"] = lambda: mask(arrow({"salary": [CANARY]}))
    paths["uncovered record"] = lambda: mask(records(json.dumps({"salary": CANARY})))
    paths["no JSON"] = lambda: mask(records('{"surname": "' + CANARY))
    paths["duplicate keys"] = lambda: mask(records(f'{{"surname": "{CANARY}", "surname": "{CANARY}"}}'))
    paths["no token"] = lambda: unmask(arrow({"soc_sec_id": [CANARY]}))
    paths["bad IPC"] = lambda: mask(mask_pb2.MaskData(arrow_stream=CANARY.encode()))
    paths["bad schema"] = lambda: sent(
        server,
        mask_pb2.MaskStreamRequest(
            start=mask_pb2.StreamStart(scope=scope(), shape=mask_pb2.MaskShape(arrow_schema=CANARY.encode()))
        ),
    )
    paths["metadata"] = lambda: sent(
        server,
        opening(SCHEMA.with_metadata({"pandas": CANARY})),
        mask_pb2.MaskStreamRequest(arrow_message=CANARY.encode()),
    )
    return paths


async def test_a_planted_value_shows_up_nowhere(
    state: Path, mongod: MongodProcess, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "pdp")
    caplog.set_level(logging.DEBUG, "masker")
    async with masking(state, mongod.uri) as server:
        refused, answered = [], 0
        for name, path in _planted(server).items():
            try:
                answer = await path()
            except grpc.aio.AioRpcError as error:
                refused.append(name)
                seen = f"{error.details()} {error.trailing_metadata()} {error.debug_error_string()}"
            else:
                seen, answered = str(answer), answered + 1
            assert CANARY not in seen, name
        assert {"email", "postcode", "uncovered", "no JSON", "bad IPC", "bad schema", "metadata"} <= set(refused)
        assert answered > 10
        assert CANARY not in str(await log(server))
        assert CANARY not in caplog.text
        assert CANARY not in " ".join(server.said)


async def test_decisions_go_on_while_a_stream_is_masked(server: Placet) -> None:
    rows = 1 << 16
    schema = pa.schema([(name, pa.string()) for name in ("rec_id", "surname", "soc_sec_id")])
    names = pa.array([f"person {number}" for number in range(rows)])
    batch = pa.RecordBatch.from_arrays([names, names, names], schema=schema)
    running = asyncio.ensure_future(stream(server, [batch] * 6))
    waits = []
    while not running.done():
        began = time.perf_counter()
        assert (await server.authorize(asking("read"))).effect == Effect.EFFECT_ALLOW
        waits.append(time.perf_counter() - began)
    assert (await running).end.rows == 6 * rows  # type: ignore[union-attr]
    assert len(waits) > 3
    assert sorted(waits)[len(waits) // 2] < 0.5


async def test_memory_does_not_grow_with_the_stream(server: Placet) -> None:
    schema = pa.schema([("suburb", pa.string()), ("postcode", pa.string())])
    batch = pa.RecordBatch.from_arrays([pa.array(["x" * 40] * 30_000), pa.array(["2011"] * 30_000)], schema=schema)
    writer = table.Writer(schema)
    parts = [bytes(message) for message in writer.messages(batch)]

    async def pushed(times: int) -> None:
        requests = [mask_pb2.MaskStreamRequest(arrow_message=part) for part in parts]
        call = server.masks.MaskStream(
            (request for at in range(times + 1) for request in (requests if at else [opening(schema)])),
            metadata=server.metadata("report-bot"),
        )
        rows = 0
        async for response in call:
            rows = response.end.rows or rows
        assert rows == times * 30_000

    await pushed(10)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await pushed(150)  # 230 MB
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


async def test_a_server_without_keys_says_so(state: Path, mongod: MongodProcess) -> None:
    async with placet(state, mongod.uri) as server:
        metadata = server.metadata("report-bot")
        calls = [
            server.masks.Mask(mask_pb2.MaskRequest(), metadata=metadata),
            server.masks.Unmask(mask_pb2.UnmaskRequest(), metadata=metadata),
            server.masks.GetMaskPlan(mask_pb2.GetMaskPlanRequest(), metadata=metadata),
            sent(server, opening()),
        ]
        for call in calls:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call
            assert refusal(refused.value).reason == "MASKING_OFF"


async def test_a_stream_ends_when_nothing_comes(server: Placet, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = server.metadata("report-bot")
    monkeypatch.setattr(incoming, "IDLE_SECONDS", 0.2)

    async def begun() -> AsyncIterator[mask_pb2.MaskStreamRequest]:
        yield opening()
        await asyncio.sleep(5)

    idle = server.masks.MaskStream(begun(), metadata=metadata)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await anext(each async for each in idle if not each.HasField("opened"))
    assert refusal(refused.value).code == "DEADLINE_EXCEEDED"
    assert refusal(refused.value).reason == "STREAM_TIMEOUT"


async def test_a_stream_ends_with_the_token_of_its_caller(server: Placet) -> None:
    who = claims("agent:report-bot", exp=int(time.time()) - LEEWAY_SECONDS + 2, iat=int(time.time()) - 300)
    metadata = (("authorization", f"Bearer {signed(server.state, who)}"),)

    async def begun() -> AsyncIterator[mask_pb2.MaskStreamRequest]:
        yield opening()
        await asyncio.sleep(20)

    call = server.masks.MaskStream(begun(), metadata=metadata)
    with pytest.raises(grpc.aio.AioRpcError, match="the token expired during the call") as refused:
        [each async for each in call]
    assert refusal(refused.value).code == "UNAUTHENTICATED"
    assert float(dict(await call.initial_metadata())["stream-seconds"]) < 3


async def test_a_stream_ends_when_all_takes_too_long(state: Path, mongod: MongodProcess) -> None:
    async def forever() -> AsyncIterator[mask_pb2.MaskStreamRequest]:
        yield opening()
        while True:
            yield mask_pb2.MaskStreamRequest(arrow_message=message(ROW))
            await asyncio.sleep(0.05)

    async with masking(state, mongod.uri, stream_seconds=0.5) as server:
        call = server.masks.MaskStream(forever(), metadata=server.metadata("report-bot"))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            [each async for each in call]
        assert dict(await call.initial_metadata())["stream-seconds"] == "0.5"
        assert refusal(refused.value).reason == "STREAM_TIMEOUT"
        assert (await phases(server, "broken"))["rows"] > 0


async def test_caller_has_so_many_streams_and_others_have_their_own(server: Placet) -> None:
    by, other = server.metadata("report-bot"), server.metadata("dev")
    streams = [server.masks.MaskStream(metadata=by) for _ in range(edge.MAX_DATA_STREAMS)]
    await asyncio.gather(*(call.initial_metadata() for call in streams))
    with pytest.raises(grpc.aio.AioRpcError, match="this caller has 64 streams of data here") as refused:
        await server.masks.MaskStream(metadata=by).read()
    assert refusal(refused.value).reason == "OVERLOADED"
    free = server.masks.MaskStream(metadata=other)
    await free.initial_metadata()
    for call in (*streams, free):
        assert not call.done()
        call.cancel()
