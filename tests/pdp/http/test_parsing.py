"""Large bodies are parsed by turns, and one caller's do not follow each other at once."""

import asyncio
from contextlib import nullcontext
from hashlib import sha256

import pytest

from pdp.caller import Caller
from pdp.errors import InvalidRequest
from pdp.http.parsing import AT_ONCE_BYTES, Parsing
from pdp.http.route import Call
from pdp.turns import Turns

LARGE = bytes(AT_ONCE_BYTES + 1)
WORK = bytes(8 * 1024 * 1024)


def call(name: str, body: bytes = LARGE) -> Call:
    return Call(Caller(f"agent:{name}", "agent", frozenset(), (), b""), body, {}, {}, {}, lambda _: nullcontext())


async def parsed(parsing: Parsing, name: str, did: list[str]) -> None:
    def parse(body: bytes) -> None:
        assert body == LARGE
        sha256(WORK).digest()
        did.append(name)

    await parsing.parsed(call(name), parse)


async def test_others_have_many_rounds_of_the_loop_between_two_bodies_of_a_caller() -> None:
    parsing, did, rounds = Parsing(Turns()), list[str](), [0, 0, 0]
    calls = [asyncio.create_task(parsed(parsing, "noisy", did)) for _ in range(2)]
    while not all(one.done() for one in calls):
        rounds[len(did)] += 1
        await asyncio.sleep(0)
    await asyncio.gather(*calls)
    assert rounds[1] > 50


async def test_stranger_waits_for_one_body_of_any_number() -> None:
    parsing, did = Parsing(Turns()), list[str]()
    calls = [asyncio.create_task(parsed(parsing, "noisy", did)) for _ in range(5)]
    await asyncio.sleep(0)
    await parsed(parsing, "stranger", did)
    assert did.count("noisy") <= 1
    await asyncio.gather(*calls)


async def test_body_that_is_refused_or_given_up_keeps_no_other_back() -> None:
    parsing, did = Parsing(Turns()), list[str]()

    def refuse(_: bytes) -> None:
        raise InvalidRequest.field("body", "is bad")

    with pytest.raises(InvalidRequest):
        await parsing.parsed(call("a"), refuse)
    given_up = [asyncio.create_task(parsed(parsing, "a", did)) for _ in range(2)]
    await asyncio.sleep(0)
    for one in given_up:
        one.cancel()
    await asyncio.wait(given_up)
    await parsed(parsing, "a", did)
    assert did == ["a"]


async def test_small_body_is_parsed_at_once() -> None:
    parsing = Parsing(Turns())
    busy = asyncio.create_task(parsed(parsing, "a", []))
    assert await parsing.parsed(call("a", b"{}"), bytes.decode) == "{}"
    await busy
