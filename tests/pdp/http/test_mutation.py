"""Damaged bytes over HTTP: whatever comes, the answer is one of the contract's, in a second, and no error of ours."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.parts import Placet
from tests.pdp.server.test_edge_mutation import edited, edits
from tests.web import question
from tests.wire import Heard, connected, heard, request

ONE, MANY = "/access/v1/evaluation", "/access/v1/evaluations"
BODY = orjson.dumps(
    question(
        context={"n": 1.5, "list": [None, True, {"é": "b"}], "supported_obligations": ["custom"]},
        options={"request_id": "call-1", "explain": True, "justification": "because"},
        x={"y": [1, 2]},
    )
)
MANY_BODY = orjson.dumps(
    {**orjson.loads(BODY), "options": {}, "evaluations": [{}, {"context": {"approval": {"id": "x"}}}]}
)
REFUSALS = {400, 401, 403, 404, 405, 409, 413, 415, 417, 431, 501, 505}
ENDED = 0
"""What ends before it is whole gets no answer."""
QUICK = 1.0
SLOW = 300
mutation = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def sound(answer: Heard, *further: int) -> None:
    assert answer.status in {200, *REFUSALS, *further}, answer
    assert answer.seconds < QUICK
    assert answer.status == 200 or b'"decision"' not in answer.body


@mutation
@given(changes=edits)
async def test_damaged_body_never_is_an_error_of_the_servers_own(server: Placet, changes: Any) -> None:
    sent = [request(server, edited(BODY, changes)), request(server, edited(MANY_BODY, changes), MANY)]
    for answer in await asyncio.gather(*(heard(server, one) for one in sent)):
        sound(answer)


@mutation
@given(changes=edits)
async def test_damaged_head_never_is_an_error_of_the_servers_own(server: Placet, changes: Any) -> None:
    whole = request(server, BODY, ONE, "X-Request-ID: a", "X-Request-Timeout: 1.5", "Accept: text/plain, */*")
    head, _, body = whole.partition(b"\r\n\r\n")
    sound(await heard(server, edited(head, changes) + b"\r\n\r\n" + body, ends=True), ENDED)


@mutation
@given(value=st.binary(min_size=1, max_size=40), name=st.sampled_from(["Authorization", "Host", "Accept", "Expect"]))
async def test_any_bytes_of_a_header_are_answered(server: Placet, value: bytes, name: str) -> None:
    head, _, body = request(server, BODY).partition(b"\r\n\r\n")
    kept = b"\r\n".join(line for line in head.split(b"\r\n") if not line.startswith(f"{name}:".encode()))
    line = f"{name}: ".encode() + value
    sound(await heard(server, kept + b"\r\n" + line + b"\r\n\r\n" + body, ends=True), ENDED)


async def test_slow_senders_cost_a_connection_each_and_nobody_an_answer(server: Placet) -> None:
    whole = request(server, orjson.dumps(question()))
    parts = [whole[:10], whole[:200], whole[:-1], b""]

    async with AsyncExitStack() as opened:
        for number in range(SLOW):
            _, writer = await opened.enter_async_context(connected(server))
            writer.write(parts[number % len(parts)])
        for _ in range(20):
            answer = await heard(server, whole)
            assert answer.status == 200, answer
            assert answer.seconds < QUICK
