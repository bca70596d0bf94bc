"""OpenLineage's two paths: every producer's event arrives, and what cannot be taken is refused with a reason."""

import gzip
import json
from typing import Any
from uuid import uuid4

import pytest

from pdp.errors import InvalidRequest, Overloaded, StoreUnavailable
from pdp.http.lineage import BATCH, PATH, summary
from pdp.http.route import LARGE_BYTES
from tests.parts import Placet
from tests.web import Response, send


def event(**members: Any) -> dict[str, Any]:
    """A run that wrote a table from another one."""
    return {
        "eventType": "COMPLETE",
        "eventTime": "2026-11-30T12:00:00Z",
        "run": {"runId": str(uuid4())},
        "job": {"namespace": "airflow", "name": "daily"},
        "inputs": [{"namespace": "postgres://crm:5432", "name": "crm.public.patrons"}],
        "outputs": [{"namespace": "s3://lake", "name": "patrons"}],
        "producer": "https://github.com/OpenLineage/OpenLineage",
        **members,
    }


async def post(server: Placet, body: Any, path: str = PATH, by: str = "etl", **headers: str) -> Response:
    return await send(server, "POST", path, by, body, **headers)


async def test_event_is_answered_with_its_revision_and_a_resend_with_the_same(server: Placet) -> None:
    sent = event()
    first = await post(server, sent)
    assert first.status == 201
    assert set(first.json) == {"revision"}
    assert (await post(server, event())).json["revision"] > first.json["revision"]
    assert (await post(server, sent)).json == first.json


async def test_event_may_be_compressed(server: Placet) -> None:
    sent = event()
    plain = await post(server, sent)
    assert (await post(server, gzip.compress(json.dumps(sent).encode()), Content_Encoding="gzip")).json == plain.json


@pytest.mark.parametrize("path", [PATH, BATCH])
async def test_bomb_stops_at_the_limit(server: Placet, path: str) -> None:
    bomb = gzip.compress(b" " * (1 << 30))
    assert len(bomb) < LARGE_BYTES
    assert (await post(server, bomb, path, Content_Encoding="gzip")).status == 413


@pytest.mark.parametrize(
    "body",
    [b"", b"x", gzip.compress(b"{}")[:-4], gzip.compress(b"{}") + b"x", gzip.compress(b"{}") + gzip.compress(b"{}")],
    ids=["nothing", "no gzip", "cut", "more behind it", "two members"],
)
async def test_gzip_that_is_not_one_whole_member_is_refused(server: Placet, body: bytes) -> None:
    response = await post(server, body, Content_Encoding="gzip")
    assert response.status == 400
    assert "gzip" in response.json["detail"]


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip"])
async def test_other_encoding_is_refused(server: Placet, encoding: str) -> None:
    response = await post(server, gzip.compress(b"{}"), Content_Encoding=encoding)
    assert response.status == 415
    assert response.headers["Accept-Encoding"] == "gzip, identity"


async def test_no_other_path_takes_gzip(server: Placet) -> None:
    body = gzip.compress(b"{}")
    assert (await post(server, body, "/access/v1/evaluation", "report-bot", Content_Encoding="gzip")).status == 415


@pytest.mark.parametrize(
    ("by", "status", "reason"),
    [
        ("", 401, "UNAUTHENTICATED"),
        ("report-bot", 403, "ROLE_REQUIRED"),
        ("bob", 403, "ROLE_REQUIRED"),
        ("dana", 403, "ROLE_REQUIRED"),
    ],
)
@pytest.mark.parametrize("path", [PATH, BATCH])
async def test_only_a_writer_writes(server: Placet, path: str, by: str, status: int, reason: str) -> None:
    response = await post(server, event(), path, by)
    assert (response.status, response.json["reason"]) == (status, reason)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"run":1,"run":2}', b"\xff", b"[" * 100, b"null"])
async def test_what_can_never_be_read_is_refused(server: Placet, body: bytes) -> None:
    response = await post(server, body)
    assert (response.status, response.json["reason"]) == (400, "INVALID_REQUEST")


async def test_body_has_a_most(server: Placet) -> None:
    assert (await post(server, b" " * (LARGE_BYTES + 1))).status == 413


async def test_batch_is_answered_by_its_summary(server: Placet) -> None:
    response = await post(server, [event(), {}, event(), 7], BATCH)
    assert response.status == 200
    found = response.json
    assert found["status"] == "partial_success"
    assert found["summary"] == {"received": 4, "successful": 2, "failed": 2, "retriable": 0, "non_retriable": 2}
    assert [(one["index"], one["retriable"]) for one in found["failed_events"]] == [(1, False), (3, False)]
    assert all(one["reason"] for one in found["failed_events"])
    assert found["revision"] > 0
    assert (await post(server, [], BATCH)).json["status"] == "success"
    assert (await post(server, [{}], BATCH)).json["status"] == "failure"


@pytest.mark.parametrize("body", [b"", b"{}", b"[1", b"[\xff]", b"7"])
async def test_batch_that_is_no_array_is_refused(server: Placet, body: bytes) -> None:
    response = await post(server, body, BATCH)
    assert (response.status, response.json["reason"]) == (400, "INVALID_REQUEST")


def test_what_may_be_sent_again_is_retriable() -> None:
    found = summary([Overloaded("x"), StoreUnavailable("y"), InvalidRequest("z")])
    assert [one["retriable"] for one in found["failed_events"]] == [True, True, False]
    assert found["summary"]["retriable"] == 2
