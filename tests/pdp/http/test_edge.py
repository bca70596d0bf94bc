"""The edge: who calls is known before a body is read, times and headers have limits, errors become problems."""

import asyncio
import json
from pathlib import Path

import pytest

from pdp.dev import identity
from pdp.process.mongod import MongodProcess
from pdp.say import Printable
from tests.parts import Placet, placet
from tests.tokens import claims, signed
from tests.web import Response, evaluate, question, send


async def raw(server: Placet, head: str, body: bytes = b"", *, until_closed: bool = False) -> Response:
    """A request as bytes, line ends added. The answer's headers are lower case."""
    reader, writer = await asyncio.open_connection(*server.http.removeprefix("http://").split(":"))
    writer.write(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
    async with asyncio.timeout(15):
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        content = await reader.readexactly(int(headers.get("content-length", 0)))
        if until_closed:
            assert await reader.read() == b""
    writer.close()
    return Response(int(lines[0].split()[1]), headers, content)


def head(server: Placet, *further: str, by: str = "report-bot", length: int = 0) -> str:
    token = identity.token(server.state, by)
    return "\n".join(
        [
            "POST /access/v1/evaluation HTTP/1.1",
            "Host: a",
            f"Authorization: Bearer {token}",
            "Content-Type: application/json",
            f"Content-Length: {length}",
            *further,
        ]
    )


async def test_body_of_a_stranger_is_never_waited_for(server: Placet) -> None:
    response = await raw(
        server, "POST /access/v1/evaluation HTTP/1.1\nHost: a\nContent-Length: 60000\nExpect: 100-continue"
    )
    assert response.status == 401
    assert response.headers["connection"] == "close"


async def test_body_is_asked_for_once_its_sender_is_known(server: Placet) -> None:
    reader, writer = await asyncio.open_connection(*server.http.removeprefix("http://").split(":"))
    body = json.dumps(question()).encode()
    writer.write(head(server, "Expect: 100-continue", length=len(body)).replace("\n", "\r\n").encode() + b"\r\n\r\n")
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(body)
    assert b"200" in await reader.readline()
    writer.close()


async def test_other_expectation_is_refused(server: Placet) -> None:
    assert (await raw(server, head(server, "Expect: a miracle", length=2), b"{}")).status == 417


async def test_two_credentials_are_none(server: Placet) -> None:
    token = identity.token(server.state, "report-bot")
    response = await raw(server, head(server, f"Authorization: Bearer {token}"))
    assert response.status == 401
    assert response.headers["www-authenticate"] == "bearer"


@pytest.mark.parametrize("sent", ["Bearer", "Bearer x", "Basic eDp5", "x"])
async def test_no_hint_says_which_part_of_a_credential_failed(server: Placet, sent: str) -> None:
    response = await send(server, "POST", "/access/v1/evaluation", body={}, Authorization=sent)
    assert response.status == 401
    assert set(response.json) == {"type", "title", "status", "detail", "reason", "request_id"}


@pytest.mark.parametrize("sent", ["a", "bfe9eb29-ab87-4ca3-be83-a1d5d8305716", "~!" * 64])
async def test_request_id_comes_back_byte_for_byte(server: Placet, sent: str) -> None:
    for body in (question(), {}):
        response = await evaluate(server, body, X_Request_ID=sent)
        assert response.headers["X-Request-ID"] == sent
    assert response.json["request_id"] == sent


async def test_lines_of_the_log_have_the_id_of_their_request(
    state: Path, mongod: MongodProcess, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.setFormatter(Printable("%(message)s"))
    async with placet(state, mongod.uri) as own:
        for sent in ("first", "second"):
            unknown = f"Bearer {signed(state, claims('user:alice', iss=f'the {sent}'))}"
            await evaluate(own, question(), by="", Authorization=unknown, X_Request_ID=f"{sent}-id")
    for sent in ("first", "second"):
        [line] = [line for line in caplog.text.splitlines() if f"issuer 'the {sent}'" in line]
        assert line.endswith(f" [request {sent}-id]")


@pytest.mark.parametrize("sent", ["x" * 129, "a b", "", "é"])
async def test_request_id_that_is_none_is_replaced_by_ours(server: Placet, sent: str) -> None:
    made = (await evaluate(server, question(), X_Request_ID=sent)).headers["X-Request-ID"]
    assert made.startswith("req_")


@pytest.mark.parametrize(("sent", "status"), [("0", 504), ("0.0", 504), ("1.5", 200), ("60", 200)])
async def test_time_is_what_the_client_says(server: Placet, sent: str, status: int) -> None:
    response = await evaluate(server, question(), X_Request_Timeout=sent)
    assert response.status == status
    assert ("Retry-After" in response.headers) == (status == 504)


@pytest.mark.parametrize("sent", ["soon", "-1", "1e3", "", "inf", "1 s"])
async def test_time_is_in_seconds(server: Placet, sent: str) -> None:
    assert (await evaluate(server, question(), X_Request_Timeout=sent)).status == 400


async def test_headers_have_a_limit_together(server: Placet) -> None:
    several = [f"X-{number}: {'x' * 1000}" for number in range(8)]
    response = await raw(server, head(server, *several))
    assert response.status == 431
    assert json.loads(response.body)["status"] == 431


async def test_header_has_a_limit_alone(server: Placet) -> None:
    assert (await raw(server, head(server, f"X: {'x' * 9000}"), until_closed=True)).status == 400


@pytest.mark.parametrize(("accept", "is_text"), [("text/plain", True), ("text/plain;q=1, */*", True), ("*/*", False)])
async def test_error_is_a_sentence_for_who_wants_one(server: Placet, accept: str, *, is_text: bool) -> None:
    response = await evaluate(server, {}, Accept=accept)
    assert response.status == 400
    sentence = (
        'subject: is required, such as {"type": "user", "id": "alice"}; action: is required, such as {"name": "read"}; '
        'resource: is required, such as {"type": "table", "id": "customers"}'
    )
    assert (response.body.decode() if is_text else response.json["detail"]) == sentence


async def test_page_of_another_origin_is_no_caller(server: Placet) -> None:
    asked = {"Origin": "https://page.example", "Access_Control_Request_Method": "POST"}
    response = await send(server, "OPTIONS", "/access/v1/evaluation", **asked)
    assert response.status == 405
    assert not [name for name in response.headers if name.lower().startswith("access-control")]


async def test_role_is_needed(server: Placet) -> None:
    response = await evaluate(server, question(), by="dana")
    assert (response.status, response.json["reason"]) == (403, "ROLE_REQUIRED")


@pytest.mark.parametrize("garbage", ["GET", "\x16\x03\x01", "POST /access/v1/evaluation HTTP/9.9\nHost: a", "x" * 9000])
async def test_what_is_no_http_is_refused_and_ends_its_connection(server: Placet, garbage: str) -> None:
    response = await raw(server, garbage, until_closed=True)
    assert response.status == 400
    assert json.loads(response.body)["reason"] == "INVALID_REQUEST"


async def test_connection_ends_with_a_body_whose_coding_nobody_knows(server: Placet) -> None:
    coded = head(server).replace("Content-Length: 0", "Transfer-Encoding: gzip, chunked")
    response = await raw(server, coded, b"0\r\n\r\n", until_closed=True)
    assert response.status == 501
    assert response.headers["connection"] == "close"
