"""A search's body becomes a question about each candidate."""

import json
from typing import Any

import pytest

from pdp.authzen import Envelope
from pdp.authzen_search import MAX_CANDIDATES, Search, read_candidates, result
from pdp.errors import InvalidRequest

ALICE = {"type": "user", "id": "alice"}
BODY: dict[str, Any] = {"subject": ALICE, "action": {"name": "read"}, "resource": {"type": "table"}}


def search(kind: str = "resource", **changes: Any) -> Search:
    return Search(kind, json.dumps({**BODY, **changes}).encode())


def read(one: Any) -> Any:
    [value] = read_candidates([one])
    return value


@pytest.mark.parametrize(
    ("candidate", "properties"),
    [("orders", {"a": 1}), ({"id": "orders"}, {"a": 1}), ({"id": "orders", "properties": {"b": 2}}, {"b": 2})],
)
def test_question_about_a_candidate_is_the_one_that_anybody_would_ask(candidate: Any, properties: Any) -> None:
    """Its own properties stand in for those of the search as a whole."""
    options = {"on_behalf_of": [ALICE]}
    found = search(resource={"type": "table", "properties": {"a": 1}}, context={"c": 1}, options=options)
    asked = found.asked(found.part(0, read(candidate)))
    same = {**BODY, "resource": {"type": "table", "id": "orders", "properties": properties}, "context": {"c": 1}}
    body = json.dumps({**same, "options": {**options, "dry_run": True}}).encode()
    assert asked.canonical("dev") == Envelope(body).asked().canonical("dev")
    assert asked.request == Envelope(body).asked().request


def test_action_that_is_sought_need_not_be_there() -> None:
    body = {"subject": ALICE, "resource": {"type": "table", "id": "orders"}}
    found = Search("action", json.dumps(body).encode())
    assert found.asked(found.part(0, read("read"))).request.action.name == "read"
    named = Search("action", json.dumps({**body, "action": {"name": "drop"}}).encode())
    assert (named.digest, named.ignored) == (found.digest, ("action.name",))


def test_approval_in_the_context_is_no_part_of_a_search() -> None:
    found = search(context={"approval": {"id": "apr_1"}, "supported_obligations": ["custom"]})
    assert found.asked(found.part(0, read("a"))).request.approval_id == ""
    assert found.asked(found.part(0, read("a"))).supports == {"custom"}


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": {"type": "user", "id": "bob"}},
        {"action": {"name": "write"}},
        {"resource": {"type": "view"}},
        {"resource": {"type": "table", "properties": {"a": 1}}},
        {"context": {"a": 1}},
        {"context": {"supported_obligations": ["custom"]}},
        {"options": {"on_behalf_of": [ALICE]}},
        {"options": {"candidates": []}},
        {"options": {"candidates": ["a"]}},
    ],
)
def test_another_query_has_another_digest(changes: dict[str, Any]) -> None:
    assert search(**changes).digest != search().digest


def test_page_is_no_part_of_the_query() -> None:
    assert search(page={"limit": 3, "token": "x"}).digest == search().digest


@pytest.mark.parametrize(
    ("page", "limit", "looks_at"),
    [
        ({}, 1000, 1000),
        ({"limit": 1}, 1, 100),
        ({"limit": 50}, 50, 200),
        ({"limit": 10**6}, 1000, 1000),
    ],
)
def test_page_is_as_large_as_the_caller_and_the_server_say(page: Any, limit: int, looks_at: int) -> None:
    found = search(page=page)
    assert (found.limit, found.looks_at) == (limit, looks_at)


def test_own_properties_are_shown_and_others_are_not() -> None:
    found = search(resource={"type": "table", "properties": {"a": 1}})
    for candidate, shown in (("x", {}), ({"id": "x", "properties": {"b": 1}}, {"properties": {"b": 1}})):
        one = read(candidate)
        assert result("resource", found.part(0, one), one) == {"type": "table", "id": "x", **shown}


@pytest.mark.parametrize("sent", [{}, "x", None, ["x"] * (MAX_CANDIDATES + 1)])
def test_candidates_are_a_short_list(sent: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"options\.candidates"):
        search(options={"candidates": sent})


@pytest.mark.parametrize("candidate", [7, None, [], {"id": 7}, {}, {"id": "x", "type": "view"}])
def test_candidate_without_a_name_is_refused_with_its_path(candidate: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"options\.candidates\[3\]"):
        search().part(3, read(candidate))
