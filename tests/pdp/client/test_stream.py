"""Many questions over one stream: packed together, asked again only where that is safe, and refused otherwise."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from pdp.client import Client
from pdp.client.decision import Decision
from pdp.client.stream import MOST_MESSAGES
from pdp.dev import identity
from pdp.service import question_stream
from pdp.v1.decision_pb2 import (
    AuthorizeResponse,
    BatchAuthorizeResult,
    ItemError,
    StreamAuthorizeRequest,
    StreamAuthorizeResponse,
)
from pdp.v1.info_pb2 import GetServerInfoResponse
from tests.parts import Placet, asking

ASKED = "agent:report-bot", "read", "table:customers"
CHAIN = {"on_behalf_of": ["user:alice"]}
Answer = Callable[[StreamAuthorizeRequest, Any], Any]


def client(server: Placet, **options: Any) -> Client:
    return Client(server.address, identity.token(server.state, "report-bot"), **options)


async def test_many_questions_at_once_ride_in_few_messages_and_get_their_own_answers(
    server: Placet, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = list[int]()
    take_up = question_stream.QuestionStream._take_up

    def counted(stream: Any, request: StreamAuthorizeRequest, size: int) -> None:
        sizes.append(len(request.items))
        take_up(stream, request, size)

    monkeypatch.setattr(question_stream.QuestionStream, "_take_up", counted)
    async with client(server) as pdp, pdp.stream() as ask:
        actions = ["read", "nonsense"] * 100
        decisions = await asyncio.gather(*(ask(ASKED[0], action, ASKED[2], **CHAIN) for action in actions))
    assert [decision.allowed for decision in decisions] == [True, False] * 100
    assert len({decision.response.decision_id for decision in decisions}) == 200
    assert sum(sizes) == 200
    assert len(sizes) <= 8


async def test_bad_question_fails_alone(server: Placet) -> None:
    async with client(server) as pdp, pdp.stream() as ask:
        good, bad = await asyncio.gather(ask(*ASKED, **CHAIN), ask("agent:report-bot", "read", "table:", **CHAIN))
    assert good.allowed
    assert bad.error is not None
    assert bad.error.reason == "INVALID_REQUEST"
    assert not bad.allowed


async def test_ready_message_is_asked_too_and_a_dry_run_allows_nothing(server: Placet) -> None:
    async with client(server) as pdp, pdp.stream() as ask:
        assert (await ask.decide(asking())).allowed
        assert not (await ask(*ASKED, dry_run=True, **CHAIN)).allowed


async def test_closed_stream_is_said(server: Placet) -> None:
    async with client(server) as pdp:
        async with pdp.stream() as ask:
            pass
        with pytest.raises(RuntimeError, match="closed"):
            await ask(*ASKED)


class Scripted:
    """A server whose streams do what a test says, as a real one seldom does."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.opened = answer, 0
        self.seen = list[StreamAuthorizeRequest]()

    async def stream(self, context: Any) -> None:
        self.opened += 1
        while (message := await context.read()) is not grpc.aio.EOF:
            self.seen.append(message)
            if not await self.answer(message, context):
                return

    async def info(self, *_: Any) -> GetServerInfoResponse:
        return GetServerInfoResponse()


@asynccontextmanager
async def scripted(answer: Answer, **options: Any) -> AsyncIterator[tuple[Scripted, Client]]:
    script, server = Scripted(answer), grpc.aio.server()

    async def stream(_: Any, context: Any) -> None:
        await script.stream(context)

    handlers = {
        "pdp.v1.DecisionService": {
            "StreamAuthorize": grpc.stream_stream_rpc_method_handler(
                stream,
                StreamAuthorizeRequest.FromString,
                StreamAuthorizeResponse.SerializeToString,
            )
        },
        "pdp.v1.InfoService": {
            "GetServerInfo": grpc.unary_unary_rpc_method_handler(
                script.info, None, GetServerInfoResponse.SerializeToString
            )
        },
    }
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(name, methods) for name, methods in handlers.items()]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with Client(f"127.0.0.1:{port}", "token", **options) as pdp:
            yield script, pdp
    finally:
        await server.stop(None)


def allowed(message: StreamAuthorizeRequest) -> StreamAuthorizeResponse:
    result = BatchAuthorizeResult(decision=AuthorizeResponse(effect=1, decision_id="dec_1"))
    return StreamAuthorizeResponse(id=message.id, results=[result] * len(message.items))


async def asks(pdp: Client, **said: Any) -> Decision:
    async with pdp.stream() as ask:
        return await ask(*ASKED, **said)


@pytest.mark.parametrize("status", [None, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED])
async def test_only_what_has_a_request_id_is_asked_again(status: grpc.StatusCode | None) -> None:
    """The first stream ends without an answer."""

    async def answer(message: StreamAuthorizeRequest, context: Any) -> bool:
        if script.opened == 1:
            if status is not None:
                await context.abort(status, "away")
            return False
        await context.write(allowed(message))
        return True

    async with scripted(answer) as (script, pdp), pdp.stream() as ask:
        named, unnamed = await asyncio.gather(ask(*ASKED, request_id="call-1"), ask(*ASKED))
    assert named.allowed
    assert not unnamed.allowed
    assert unnamed.error is not None
    assert unnamed.error.reason == "STREAM_ENDED"
    first, second = script.seen
    assert [item.request_id for item in second.items] == ["call-1"]
    assert second.items[0].attempt_id == next(one.attempt_id for one in first.items if one.request_id)


async def test_what_was_not_sent_yet_goes_over_the_next_stream() -> None:
    """A stream takes eight messages without an answer; a question behind them was not sent, so it is safe."""

    waits = asyncio.Event()

    async def answer(message: StreamAuthorizeRequest, context: Any) -> bool:
        if script.opened == 1:
            return len(script.seen) < MOST_MESSAGES or not await waits.wait()
        await context.write(allowed(message))
        return True

    async with scripted(answer) as (script, pdp), pdp.stream() as ask:
        lost = list[asyncio.Task[Decision]]()
        for number in range(MOST_MESSAGES):
            lost.append(asyncio.create_task(ask(*ASKED)))
            while len(script.seen) <= number:
                await asyncio.sleep(0.001)
        waiting = asyncio.create_task(ask(*ASKED))
        await asyncio.sleep(0.05)
        waits.set()
        assert (await waiting).allowed
        assert not any([(await task).allowed for task in lost])


async def test_error_of_a_message_is_that_of_its_questions() -> None:
    async def answer(message: StreamAuthorizeRequest, context: Any) -> bool:
        error = ItemError(code="RESOURCE_EXHAUSTED", reason="OVERLOADED", message="later")
        await context.write(StreamAuthorizeResponse(id=message.id, error=error))
        return True

    async with scripted(answer) as (_, pdp):
        decision = await asks(pdp)
    assert decision.error is not None
    assert (decision.error.code, decision.error.reason) == ("RESOURCE_EXHAUSTED", "OVERLOADED")


async def test_result_that_is_missing_allows_nothing() -> None:
    async def answer(message: StreamAuthorizeRequest, context: Any) -> bool:
        await context.write(StreamAuthorizeResponse(id="another", results=allowed(message).results))
        await context.write(StreamAuthorizeResponse(id=message.id))
        return True

    async with scripted(answer) as (_, pdp):
        assert not (await asks(pdp)).allowed


async def test_answer_that_never_comes_is_waited_for_no_longer_than_the_timeout() -> None:
    async def answer(*_: Any) -> bool:
        return True

    async with scripted(answer, timeout=0.3) as (_, pdp):
        decision = await asks(pdp)
    assert decision.error is not None
    assert decision.error.code == "DEADLINE_EXCEEDED"


async def test_error_that_does_not_pass_is_told_at_once() -> None:
    async def answer(_: StreamAuthorizeRequest, context: Any) -> bool:
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, "not you")
        return False

    async with scripted(answer, timeout=60) as (script, pdp):
        decision = await asks(pdp, request_id="call-1")
    assert decision.error is not None
    assert decision.error.code == "PERMISSION_DENIED"
    assert script.opened == 1


async def test_server_that_is_away_is_said_when_the_time_is_over() -> None:
    async with Client("127.0.0.1:9", "token", timeout=0.5) as pdp:
        decision = await asks(pdp)
    assert decision.error is not None
    assert decision.error.code in {"UNAVAILABLE", "DEADLINE_EXCEEDED"}
    assert not decision.allowed


async def test_questions_of_a_stream_that_closes_fail() -> None:
    async def answer(*_: Any) -> bool:
        return True

    async with scripted(answer) as (script, pdp):
        async with pdp.stream() as ask:
            asked = asyncio.create_task(ask(*ASKED))
            while not script.seen:
                await asyncio.sleep(0.001)
        decision = await asked
    assert decision.error is not None
    assert decision.error.reason == "STREAM_CLOSED"
