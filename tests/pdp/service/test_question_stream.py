"""StreamAuthorize over the wire: a message is a batch, what is bad fails alone, and nothing is dropped."""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pdp import identifier
from pdp.authn.bearer import LEEWAY_SECONDS
from pdp.process.mongod import MongodProcess
from pdp.server import edge, incoming
from pdp.service import question_stream
from pdp.service.question_stream import WINDOW_ITEMS, WINDOW_MESSAGES, QuestionStream
from pdp.v1.decision_pb2 import (
    AuthorizeRequest,
    BatchAuthorizeRequest,
    BatchSemantics,
    StreamAuthorizeRequest,
    StreamAuthorizeResponse,
)
from pdp.v1.decision_pb2_grpc import DecisionServiceStub
from pdp.v1.request_pb2 import Effect
from tests.parts import Placet, asking, log, placet, refusal
from tests.pdp.server.test_edge_mutation import edited, edits
from tests.tokens import bearer, claims, signed

SMALL_WINDOW = [("grpc.http2.lookahead_bytes", 16 * 1024), ("grpc.http2.bdp_probe", 0)]
"""What a client's gRPC takes of answers that its program does not read."""
RPC = "/pdp.v1.DecisionService/StreamAuthorize"


def message(name: str, items: int = 1, **members: Any) -> StreamAuthorizeRequest:
    return StreamAuthorizeRequest(id=name, items=[asking()] * items, **members)


async def answers(
    server: Placet, messages: Sequence[StreamAuthorizeRequest], by: str = "report-bot"
) -> list[StreamAuthorizeResponse]:
    call = server.decisions.StreamAuthorize(iter(messages), metadata=server.metadata(by))
    return [answer async for answer in call]


async def ended(call: Any) -> tuple[list[StreamAuthorizeResponse], grpc.aio.AioRpcError]:
    """The answers of a stream, and the error that it ends with."""
    found = list[StreamAuthorizeResponse]()
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await read_all(call, found)
    return found, error.value


async def test_message_is_a_batch_and_what_is_bad_fails_alone(server: Placet) -> None:
    first = BatchSemantics.BATCH_SEMANTICS_PERMIT_ON_FIRST_PERMIT
    found = await answers(
        server,
        [
            message("good", 2),
            StreamAuthorizeRequest(id="items", items=[asking(), AuthorizeRequest(), asking("nonsense")]),
            StreamAuthorizeRequest(id="defaults", defaults=asking(), items=[AuthorizeRequest()]),
            message("first", 2, semantics=first),
            StreamAuthorizeRequest(id="empty"),
            message("semantics", semantics=9),
            message("time", timeout=Duration(seconds=-1)),
            message("many", 1001),
        ],
    )
    by_id = {answer.id: answer for answer in found}
    assert len(by_id) == 8
    effects = {
        name: [Effect.Name(result.decision.effect).removeprefix("EFFECT_") for result in answer.results]
        for name, answer in by_id.items()
    }
    assert effects["good"] == ["ALLOW", "ALLOW"]
    assert effects["items"] == ["ALLOW", "UNSPECIFIED", "DENY"]
    assert by_id["items"].results[1].error.reason == "INVALID_REQUEST"
    assert effects["defaults"] == ["ALLOW"]
    assert effects["first"] == ["ALLOW", "UNSPECIFIED"]
    bad = {name: answer.error for name, answer in by_id.items() if answer.HasField("error")}
    assert {name: error.field_violations[0].field for name, error in bad.items()} == {
        "empty": "items",
        "semantics": "semantics",
        "time": "timeout",
        "many": "items",
    }
    assert {error.reason for error in bad.values()} == {"INVALID_REQUEST"}


async def test_each_decision_is_recorded(server: Placet) -> None:
    found = await answers(server, [message(str(number), 3) for number in range(20)])
    ids = {result.decision.decision_id for answer in found for result in answer.results}
    assert len(ids) == 60
    assert {identifier.record_id(one) for one in ids} <= {record["id"] for record, _ in await log(server, "decision")}


async def test_repeated_id_in_flight_fails_its_message_alone(server: Placet) -> None:
    found = await answers(server, [message("same"), message("same"), message("other")])
    assert sorted(answer.id for answer in found) == ["other", "same", "same"]
    [refused] = [answer for answer in found if answer.HasField("error")]
    assert (refused.id, refused.error.code, refused.error.reason) == ("same", "ALREADY_EXISTS", "MESSAGE_IN_FLIGHT")


async def test_id_is_free_again_behind_its_answer(server: Placet) -> None:
    call = server.decisions.StreamAuthorize(metadata=server.metadata("report-bot"))
    for _ in range(3):
        await call.write(message("same"))
        assert not (await call.read()).HasField("error")
    call.cancel()


@pytest.mark.parametrize("bad", ["", "x" * 65, "line\n"])
async def test_bad_envelope_ends_the_stream_behind_the_answers_of_what_came_before(server: Placet, bad: str) -> None:
    call = server.decisions.StreamAuthorize(
        iter([message("good"), message(bad), message("later")]), metadata=server.metadata("report-bot")
    )
    found, error = await ended(call)
    assert [answer.id for answer in found] == ["good"]
    assert (refusal(error).code, refusal(error).fields) == ("INVALID_ARGUMENT", ("id",))


async def test_message_without_time_fails_and_its_stream_goes_on(server: Placet) -> None:
    short = message("short", timeout=Duration(nanos=1))
    found = {answer.id: answer for answer in await answers(server, [short, message("good")])}
    assert found["short"].error.code == "DEADLINE_EXCEEDED"
    assert found["good"].results[0].decision.effect == Effect.EFFECT_ALLOW


async def test_stream_ends_with_the_token_of_its_caller_and_answers_what_it_has_read(server: Placet) -> None:
    who = claims("agent:report-bot", exp=int(time.time()) - LEEWAY_SECONDS + 3, iat=int(time.time()) - 300)
    call = server.decisions.StreamAuthorize(metadata=bearer(signed(server.state, who)))
    await call.write(message("good"))
    found, error = await ended(call)
    assert [answer.id for answer in found] == ["good"]
    assert refusal(error).code == "UNAUTHENTICATED"


async def test_quiet_stream_ends(server: Placet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "IDLE_SECONDS", 0.3)
    call = server.decisions.StreamAuthorize(metadata=server.metadata("report-bot"))
    await call.write(message("good"))
    found, error = await ended(call)
    assert len(found) == 1
    assert refusal(error).reason == "STREAM_TIMEOUT"


async def test_stream_ends_after_its_time_and_when_the_server_stops_with_its_answers(
    state: Path, mongod: MongodProcess
) -> None:
    async with placet(state, mongod.uri, stream_seconds=5) as server:
        metadata = server.metadata("report-bot")
        late = server.decisions.StreamAuthorize(metadata=metadata)
        await late.write(message("good"))
        found, error = await ended(late)
        assert len(found) == 1
        assert refusal(error).reason == "STREAM_TIMEOUT"
        assert "begin" in refusal(error).message or "continue" in refusal(error).message
        channel = grpc.aio.insecure_channel(server.address)
        decisions = DecisionServiceStub(channel)
        call, quiet = decisions.StreamAuthorize(metadata=metadata), decisions.StreamAuthorize(metadata=metadata)
        await quiet.initial_metadata()
        for number in range(10):
            await call.write(message(str(number), 20))
        first = await call.read()
        rest = asyncio.create_task(read_all(call, []))
        stopped = asyncio.create_task(read_all(quiet, []))
    read = [first, *await rest]
    assert len({answer.id for answer in read}) == len(read)
    assert all(len(answer.results) == 20 for answer in read)
    assert await stopped == []
    assert await call.code() is await quiet.code() is grpc.StatusCode.OK
    await channel.close()


async def read_all(call: Any, found: list[StreamAuthorizeResponse]) -> list[StreamAuthorizeResponse]:
    """Add the answers to `found`, where they stay if an error follows."""
    while (answer := await call.read()) is not grpc.aio.EOF:
        found.append(answer)
    return found


async def test_client_that_reads_no_answers_is_read_no_further_and_loses_none(
    server: Placet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its messages stay in its own memory; the server holds a window of them."""
    most = [0, 0]
    take_up = QuestionStream._take_up

    def counted(stream: QuestionStream, *message: Any) -> None:
        take_up(stream, *message)
        most[:] = max(most[0], len(stream._open)), max(most[1], stream._items)

    monkeypatch.setattr(QuestionStream, "_take_up", counted)
    channel = grpc.aio.insecure_channel(server.address, SMALL_WINDOW)
    call = DecisionServiceStub(channel).StreamAuthorize(metadata=server.metadata("report-bot"))
    sent = list[str]()

    async def send() -> None:
        for number in range(300):
            await call.write(message(str(number), 10))
            sent.append(str(number))
        await call.done_writing()

    sending = asyncio.create_task(send())
    last = -1
    while len(sent) != last:
        last = len(sent)
        await asyncio.sleep(1.0)
    assert len(sent) < 300
    assert most[0] <= WINDOW_MESSAGES
    assert most[1] <= WINDOW_ITEMS
    found = [answer.id async for answer in call]
    await sending
    assert sorted(found) == sorted(sent)
    assert len(found) == 300
    await channel.close()


async def test_client_that_takes_no_answer_is_left(server: Placet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "IDLE_SECONDS", 1.0)
    left, end = asyncio.Event(), QuestionStream._end
    channel = grpc.aio.insecure_channel(server.address, SMALL_WINDOW)

    async def told(stream: QuestionStream, reading: Any) -> None:
        await end(stream, reading)
        assert not stream._open
        left.set()

    monkeypatch.setattr(QuestionStream, "_end", told)
    call = DecisionServiceStub(channel).StreamAuthorize(metadata=server.metadata("report-bot"))

    async def send() -> None:
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            for number in range(300):
                await call.write(message(str(number), 10))

    sending = asyncio.create_task(send())
    await asyncio.wait_for(left.wait(), 60)
    sending.cancel()
    call.cancel()
    await channel.close()


async def test_bytes_of_one_callers_streams_are_bounded_together(
    server: Placet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two streams of four large messages each; the room has space for one at a time. Others do not wait for it."""
    monkeypatch.setattr(question_stream.Room, "enter", watched := Watched(question_stream.Room.enter))
    large = [StreamAuthorizeRequest(id=str(number), items=[big()] * 100) for number in range(4)]
    both = await asyncio.gather(answers(server, large), answers(server, large))
    assert [len(found) for found in both] == [4, 4]
    assert watched.most <= question_stream.OPEN_BYTES


class Watched:
    """The room's `enter`, and the most that it saw held by more than one message."""

    def __init__(self, enter: Any) -> None:
        self._enter, self.most = enter, 0

    def __get__(self, room: Any, _: type) -> Any:
        async def enter(caller: str, size: int) -> None:
            await self._enter(room, caller, size)
            self.most = max(self.most, room._held[caller])

        return enter


def big() -> AuthorizeRequest:
    return asking(context={"text": "x" * 20_000})


async def test_caller_has_so_many_streams_of_questions(server: Placet) -> None:
    by = server.metadata("report-bot")
    streams = [server.decisions.StreamAuthorize(metadata=by) for _ in range(edge.MAX_DATA_STREAMS)]
    await asyncio.gather(*(call.initial_metadata() for call in streams))
    _, error = await ended(server.decisions.StreamAuthorize(metadata=by))
    assert refusal(error).reason == "OVERLOADED"
    assert "streams of questions" in refusal(error).message
    assert len(await answers(server, [message("other")], "dev")) == 1
    for call in streams:
        call.cancel()


async def test_stream_that_is_cut_off_leaves_nothing_behind(server: Placet) -> None:
    calls = [server.decisions.StreamAuthorize(metadata=server.metadata("report-bot")) for _ in range(5)]
    for call in calls:
        for number in range(20):
            await call.write(message(str(number), 30))
        call.cancel()
    batch = BatchAuthorizeRequest(items=[asking()])
    answer = await server.decisions.BatchAuthorize(batch, metadata=server.metadata("report-bot"), timeout=10)
    assert answer.results[0].decision.effect == Effect.EFFECT_ALLOW


SEED = StreamAuthorizeRequest(
    id="seed",
    defaults=asking("read"),
    items=[asking("read", ["pii"], justification="because")] * 2,
    timeout=Duration(seconds=5),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=edits, others=st.integers(0, 3))
async def test_damaged_message_is_answered_or_ends_its_stream_in_the_contracts_words(
    server: Placet, changes: list[tuple[str, int, bytes]], others: int
) -> None:
    good = [message(f"good-{number}").SerializeToString() for number in range(others)]
    body = [*good, edited(SEED.SerializeToString(), changes)]
    call = server.channel.stream_stream(RPC, None, StreamAuthorizeResponse.FromString)(
        iter(body), metadata=server.metadata("report-bot")
    )
    found = list[StreamAuthorizeResponse]()
    with suppress(grpc.aio.AioRpcError):
        await read_all(call, found)
    ends = await call.code()
    assert (ends is grpc.StatusCode.OK and len(found) == len(body)) or ends is grpc.StatusCode.INVALID_ARGUMENT
    assert {f"good-{number}" for number in range(others)} <= {answer.id for answer in found}
    assert not [answer for answer in found if answer.error.code == "INTERNAL"]


async def test_hostile_clients_leave_the_server_as_it_was(server: Placet) -> None:
    """Streams that send at random, end at random and read at random; beside them a stranger is answered."""
    chance = random.Random(17)  # a test's own

    async def hostile() -> None:
        call = server.decisions.StreamAuthorize(metadata=server.metadata("report-bot"))
        try:
            for number in range(chance.randrange(12)):
                await call.write(message(str(number % 7), chance.choice([0, 1, 5, 40, 1001])))
                if chance.random() < 0.3:
                    await call.read()
        except grpc.aio.AioRpcError:
            pass
        call.cancel()

    async with asyncio.timeout(60):
        streams = [asyncio.create_task(hostile()) for _ in range(8)]
        assert (await answers(server, [message("stranger", timeout=Duration(seconds=10))], "dev"))[0].id == "stranger"
        await asyncio.wait(streams)
        assert len(await answers(server, [message("after", timeout=Duration(seconds=10))])) == 1
