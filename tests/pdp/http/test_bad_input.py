"""Bad input of every kind, as data: each is refused in a second, and nobody is told a decision beside the refusal.

`tests/cases/authzen/README.md` says how the rows are read.
"""

import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.parts import Placet
from tests.web import question
from tests.wire import Heard, heard, request, rest, token

CASES = Path(__file__).parents[2] / "cases" / "authzen"
MISSING = object()
SECONDS = 1.0
ONE, MANY = "/access/v1/evaluation", "/access/v1/evaluations"
NEXT = b"GET /access/v1/jwks HTTP/1.1\r\nHost: a\r\nX-Request-ID: next-one\r\n\r\n"
PLAIN = (
    '{"subject":{"type":"agent","id":"report-bot"},"action":{"name":"read"},'
    '"resource":{"type":"table","id":"customers"},"context":{"a":1}}'
)


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CASES / name).read_text().splitlines()]


def members() -> Iterator[tuple[str, Any]]:
    """Each member and each wrong value of it; required ones are missing, too."""
    table = json.loads((CASES / "bad_members.json").read_text())
    for path in table["required"]:
        yield path, MISSING
    for path, kind in table["members"].items():
        for value in table["wrong"][kind]:
            yield path, value


def asked(path: str, value: Any) -> dict[str, Any]:
    """A good question but for this member."""
    whole: dict[str, Any] = json.loads(json.dumps(question(context={})))
    *outer, last = path.split(".")
    place = whole
    for name in outer:
        place = place[name]
    if value is MISSING:
        del place[last]
    else:
        place[last] = value
    return whole


def filled(row: dict[str, Any], text: str) -> str:
    """Text of a row with what it repeats."""
    mark, part, times = row.get("repeat", ["@@", "", 0])
    return text.replace(mark, part * times)


BAD_MEMBERS = [pytest.param(path, value, id=f"{path}-{index}") for index, (path, value) in enumerate(members())]
BAD_BODIES = [pytest.param(row, id=row["name"].replace(" ", "-")) for row in rows("bad_bodies.jsonl")]
BAD_REQUESTS = [pytest.param(row, id=row["name"].replace(" ", "-")) for row in rows("bad_requests.jsonl")]
FRAMES = [one for one in BAD_REQUESTS if str(one.id).startswith(("length", "chunks", "transfer", "chunks-and"))]


def refused(answer: Heard, *statuses: int) -> None:
    assert answer.status in statuses, answer
    assert answer.seconds < SECONDS
    if answer.status != 200:
        assert "decision" not in answer.members
        assert b'"decision"' not in answer.body


def test_there_are_many_rows() -> None:
    assert len(BAD_MEMBERS) + len(BAD_BODIES) + len(BAD_REQUESTS) >= 200
    assert len(BAD_MEMBERS) > 100


@pytest.mark.parametrize(("path", "value"), BAD_MEMBERS)
async def test_bad_member_is_refused_with_its_path(server: Placet, path: str, value: Any) -> None:
    body = asked(path, value)
    answer = await heard(server, request(server, orjson.dumps(body)))
    refused(answer, 400)
    violations: Any = answer.members["violations"]
    assert any(one["field"].startswith(path) for one in violations), violations


@pytest.mark.parametrize(("path", "value"), BAD_MEMBERS)
async def test_bad_member_of_one_question_fails_alone(server: Placet, path: str, value: Any) -> None:
    good = question()
    answer = await heard(server, request(server, orjson.dumps({"evaluations": [asked(path, value), good]}), MANY))
    assert answer.status == 200
    evaluations: Any = answer.members["evaluations"]
    first, second = evaluations
    assert first["decision"] is False
    assert first["context"]["error"]["status"] == 400
    assert second["decision"] is True


@pytest.mark.parametrize("row", BAD_BODIES)
async def test_bad_body_is_refused(server: Placet, row: dict[str, Any]) -> None:
    text = row["body"] if "body" in row else PLAIN.replace(row["old"], row["new"], 1)
    assert "body" in row or row["old"] in PLAIN
    body = filled(row, text).encode("latin-1")
    for path in [row["path"]] if "path" in row else [ONE, MANY]:
        answer = await heard(server, request(server, body, path))
        refused(answer, row.get("status", 400))
        if row["field"] is not None:
            violations: Any = answer.members["violations"]
            assert any(one["field"].startswith(row["field"]) for one in violations), violations


@pytest.mark.parametrize("row", BAD_BODIES)
async def test_bad_body_is_refused_by_every_other_route(server: Placet, row: dict[str, Any]) -> None:
    text = row["body"] if "body" in row else PLAIN.replace(row["old"], row["new"], 1)
    others = [route.path for route in server.routes if route.method == "POST" and route.path not in {ONE, MANY}]
    assert others
    for path in others:
        answer = await heard(server, request(server, filled(row, text).encode("latin-1"), path.replace("{id}", "x")))
        if answer.status == HTTPStatus.OK:  # a search has no use for it, and says so
            context: Any = answer.members["context"]
            assert "/search/" in path
            assert {"evaluations", row["field"]} & set(context["ignored"])
            continue
        assert 400 <= answer.status < 500, answer
        refused(answer, answer.status)


@pytest.mark.parametrize("row", BAD_REQUESTS)
async def test_bad_request_is_refused(server: Placet, row: dict[str, Any]) -> None:
    answer = await heard(server, wire(server, row), ends=row.get("ends", False))
    refused(answer, *row["status"])
    assert (answer.members.get("decision") is True) == (answer.status == 200)


@pytest.mark.parametrize("row", FRAMES)
async def test_what_follows_a_request_whose_end_is_in_doubt_is_not_answered(
    server: Placet, row: dict[str, Any]
) -> None:
    if row.get("ends") or row["status"] == [200]:
        return
    seen = await rest(server, wire(server, row) + NEXT)
    if b"HTTP/1.1 200" not in seen[:12]:
        assert b"next-one" not in seen


def wire(server: Placet, row: dict[str, Any]) -> bytes:
    body = filled(row, row["body"].replace("{token}", token(server)))
    head = filled(row, "\r\n".join(row["head"]))
    head = head.replace("{token}", token(server)).replace("{length}", str(len(body)))
    return (head + "\r\n\r\n" + body).encode("latin-1")
