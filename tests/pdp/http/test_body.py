"""Bodies: JSON and nothing else, of a size, and of a caller that is known."""

import asyncio

import orjson
import pytest

from pdp.http.route import LARGE_BYTES, SMALL_BYTES
from tests.parts import Placet
from tests.pdp.http.test_edge import head, raw
from tests.web import evaluate, evaluate_all, question


@pytest.mark.parametrize("media", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
async def test_json_comes_as_json(server: Placet, media: str) -> None:
    assert (await evaluate(server, question(), Content_Type=media)).status == 200


@pytest.mark.parametrize("media", ["text/plain", "application/jsonp", "application/x-www-form-urlencoded", ""])
async def test_other_types_are_refused(server: Placet, media: str) -> None:
    assert (await evaluate(server, question(), Content_Type=media)).status == 400


@pytest.mark.parametrize(("encoding", "status"), [("gzip", 415), ("identity", 200), ("deflate", 415), ("br", 415)])
async def test_body_is_sent_as_it_is(server: Placet, encoding: str, status: int) -> None:
    response = await evaluate(server, question(), Content_Encoding=encoding)
    assert response.status == status
    assert response.headers.get("Accept-Encoding") == ("identity" if status == 415 else None)


async def test_body_has_a_limit(server: Placet) -> None:
    assert (await evaluate(server, b" " * (SMALL_BYTES + 1))).status == 413
    assert (await evaluate(server, b" " * SMALL_BYTES)).status == 400
    assert (await evaluate_all(server, b" " * (LARGE_BYTES + 1))).status == 413
    assert (await evaluate_all(server, b" " * LARGE_BYTES)).status == 400


async def test_length_that_is_too_large_is_refused_before_it_arrives(server: Placet) -> None:
    assert (await raw(server, head(server, length=SMALL_BYTES + 1))).status == 413


async def test_chunks_are_counted(server: Placet) -> None:
    chunked = head(server).replace("Content-Length: 0", "Transfer-Encoding: chunked")
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    response = await raw(server, chunked, chunk * 3)
    assert response.status == 413


async def test_caller_has_a_few_large_bodies_at_a_time(server: Placet) -> None:
    body = question(evaluations=[{}] * 300)
    body["context"] = {"text": "x" * 4000}
    padded = b" " * (LARGE_BYTES // 2)
    both = await asyncio.gather(*(evaluate_all(server, orjson.dumps(body) + padded) for _ in range(4)))
    assert {response.status for response in both} == {200, 429}
    refused = next(response for response in both if response.status == 429)
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.json["reason"] == "OVERLOADED"
