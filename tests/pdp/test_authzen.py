"""AuthZEN's JSON becomes what the same request is over gRPC, or is refused with the path of what is wrong."""

import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.authzen import MAX_ITEMS, MAX_VALUES, Envelope, Evaluations
from pdp.authzen_reading import MAX_UNKNOWN
from pdp.bad_fields import MAX_NAMED
from pdp.canonical import canonical
from pdp.errors import InvalidRequest
from pdp.v1.decision_pb2 import AuthorizeRequest, BatchSemantics
from tests.pdp.test_i_json import WRITERS, objects

REALM = "dev"
names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters=":"), min_size=1)
subjects = st.fixed_dictionaries({"type": names, "id": names}, optional={"properties": objects})
QUESTION: dict[str, Any] = {
    "subject": {"type": "user", "id": "alice"},
    "action": {"name": "read"},
    "resource": {"type": "table", "id": "customers"},
}
questions = st.fixed_dictionaries(
    {
        "subject": subjects,
        "action": st.fixed_dictionaries({"name": names}, optional={"properties": objects}),
        "resource": subjects,
    },
    optional={"context": objects},
)


def spoken(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name not in {"supported_obligations", "approval"}}


def as_message(question: dict[str, Any], chain: list[Any]) -> AuthorizeRequest:
    """The same over gRPC, with attributes as text: proto JSON cannot write each name."""
    request = AuthorizeRequest()
    for name in ("subject", "action", "resource"):
        part = dict(question[name])
        properties = part.pop("properties", {})
        json_format.ParseDict(part, getattr(request, name))
        getattr(request, name).properties_json = json.dumps(properties)
    for one in chain:
        added = request.on_behalf_of.add(type=one["type"], id=one["id"])
        added.properties_json = json.dumps(one.get("properties", {}))
    request.context_json = json.dumps(question.get("context", {}))
    return request


@settings(max_examples=300)
@given(question=questions, chain=st.lists(subjects, max_size=3), write=st.sampled_from(WRITERS))
def test_canonical_bytes_are_those_of_the_same_request_over_grpc(
    question: dict[str, Any], chain: list[Any], write: Callable[[Any], str]
) -> None:
    question = {**question, "context": spoken(question.get("context", {}))}
    body = write({**question, "options": {"on_behalf_of": chain}}).encode()
    assert Envelope(body).asked().canonical(REALM) == canonical(as_message(question, chain), REALM)


def refused(body: bytes) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as caught:
        Envelope(body).asked()
    return list(caught.value.violations)


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"null", b"[]", b"7", b'"x"', b"{", b"{}}", b'{"a":1,}', b"{'a':1}", b"\xef\xbb\xbf{}", b"\xff{}",
        b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", b'{"a": \xed\xa0\x80}',
    ],
)  # fmt: skip
def test_body_that_is_no_object_is_refused_as_a_whole(body: bytes) -> None:
    [(path, _)] = refused(body)
    assert path == "body"


def with_value(value: str) -> bytes:
    return json.dumps({**QUESTION, "context": {"a": [{"b": "HERE"}]}}).replace('"HERE"', value).encode()


@pytest.mark.parametrize(
    "value",
    ["NaN", "Infinity", "-Infinity", "1e400", "9007199254740992", "9" * 10_000, r'"\ud800"', r'"\u0000"',
     '{"x":1,"x":2}', "[" * 30 + "]" * 30, '"' + "x" * 40_000 + '"'],
)  # fmt: skip
def test_value_that_readers_take_differently_is_refused_with_its_path(value: str) -> None:
    [(path, _)] = refused(with_value(value))
    assert path.startswith("context.a[0].b")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"subject":{},"subject":{}}', "subject"),
        ('{"a":1,"a":1}', "a"),
        ('{"options":{"dry_run":true,"dry_run":false}}', "options.dry_run"),
        ('{"x":{"y":{"z":1,"z":1}}}', "x.y.z"),
        ('{"subject":{"type":"a","id":"b","id":"c"}}', "subject.id"),
    ],
)
def test_name_that_stands_twice_is_refused_at_each_depth(text: str, path: str) -> None:
    assert path in [one for one, _ in refused(text.encode())]


def test_what_is_missing_is_named_all_at_once() -> None:
    assert [path for path, _ in refused(b"{}")] == ["subject", "action", "resource"]


@pytest.mark.parametrize(
    ("body", "path", "example"),
    [
        ({"subject": 7}, "subject", {"type": "user", "id": "alice"}),
        ({"subject": {"type": "a", "id": "b", "properties": []}}, "subject.properties", {"tags": ["pii"]}),
        ({"action": "read"}, "action", {"name": "read"}),
        ({"resource": None}, "resource", {"type": "table", "id": "customers"}),
        ({"options": {"on_behalf_of": ["alice"]}}, "options.on_behalf_of[0]", {"type": "user", "id": "alice"}),
        ({"options": []}, "options", {"explain": True}),
    ],
)
def test_member_that_is_no_object_is_told_with_an_example(body: Any, path: str, example: Any) -> None:
    [sentence] = [said for one, said in refused(json.dumps({**QUESTION, **body}).encode()) if one == path]
    assert json.loads(sentence.removeprefix("is not a JSON object; send one, such as ")) == example


def test_semantics_of_one_among_many_are_refused_in_its_place() -> None:
    one = {"options": {"evaluations_semantic": "permit_on_first_permit"}}
    first, second = Evaluations(json.dumps({**QUESTION, "evaluations": [{}, one]}).encode()).each()
    assert first().request.subject.id == "alice"
    with pytest.raises(InvalidRequest, match="set it in the options beside `evaluations`"):
        second()


def test_parts_that_are_too_large_together_are_refused() -> None:
    body = {**QUESTION, "context": {"a": "x" * 20_000}}
    body["resource"] = {**body["resource"], "properties": {"a": "x" * 20_000}}
    assert refused(json.dumps(body).encode())[0][0] == "request"


def test_defaults_stand_in_for_whole_members() -> None:
    resource = {"type": "table", "id": "orders"}
    body = Evaluations(json.dumps({**QUESTION, "evaluations": [{}, {"resource": resource}]}).encode())
    asked = [read() for read in body.each()]
    assert [one.request.resource.id for one in asked] == ["customers", "orders"]
    assert [one.request.subject.id for one in asked] == ["alice", "alice"]


def test_options_of_an_item_stand_over_the_defaults() -> None:
    options = {"justification": "all", "dry_run": True, "evaluations_semantic": "deny_on_first_deny"}
    options["lineage_at_least"] = 7
    items = [{"options": {"request_id": "r", "justification": "mine", "lineage_at_least": 8}}, {}]
    body = Evaluations(json.dumps({**QUESTION, "options": options, "evaluations": items}).encode())
    first, second = [read() for read in body.each()]
    assert (first.request.request_id, first.request.justification, first.request.dry_run) == ("r", "mine", True)
    assert (second.request.request_id, second.request.justification) == ("", "all")
    assert (first.request.lineage_at_least, second.request.lineage_at_least) == (8, 7)
    assert body.envelope.options.semantics == BatchSemantics.BATCH_SEMANTICS_DENY_ON_FIRST_DENY


@pytest.mark.parametrize("items", ["{}", "null", json.dumps([{}] * (MAX_ITEMS + 1))])
def test_list_of_questions_is_short(items: str) -> None:
    with pytest.raises(InvalidRequest, match="evaluations"):
        Evaluations(f'{{"evaluations":{items}}}'.encode())


def test_further_members_of_a_route_are_read_when_they_are_asked_for() -> None:
    envelope = Envelope(b'{"denial":{"a":[1.0]},"twice":{"b":1,"b":2}}', known={"denial", "twice", "absent"})
    assert envelope.plain("denial") == {"a": [1]}
    assert envelope.plain("absent") is None
    with pytest.raises(InvalidRequest, match=r"twice\.b"):
        envelope.plain("twice")
    assert envelope.ignored == ()


def test_body_that_would_keep_everybody_waiting_is_not_read() -> None:
    assert refused(b"[" + b"1," * MAX_VALUES + b"1,1]")[0][1].startswith("holds more than")


@pytest.mark.parametrize("mark", [b"[", b"{", b",", b"[],", b'{"a":'])
def test_lists_and_objects_count_as_values_do(mark: bytes) -> None:
    [(path, why)] = refused(b'{"x":' + mark * (MAX_VALUES + 1))
    assert (path, why.partition(" values")[0]) == ("body", "holds more than 100,000")


def test_thousand_questions_of_twenty_values_each_are_read() -> None:
    item = {**QUESTION, "context": {"run": {f"a{index}": [index] for index in range(20)}}}
    body = Evaluations(json.dumps({"evaluations": [item] * MAX_ITEMS}).encode())
    assert len([read() for read in body.each()]) == MAX_ITEMS


def calls(work: Callable[[], object]) -> int:
    """The calls of Python functions of ours that `work` makes."""
    made = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal made
        made += event == "call" and "/pdp/" in frame.f_code.co_filename

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return made


NAMES = ",".join(f'"a{index}":0' for index in range(50_000))
TWICE = ",".join(['"a":1'] * 50_000)
DEEP = ",".join(["[" * 30 + "]" * 30] * 3_000)


@pytest.mark.parametrize(
    "where", ["{HERE}", *(f'{{"{name}":{{HERE}}}}' for name in ("options", "subject", "context", "x"))]
)
@pytest.mark.parametrize("members", [NAMES, TWICE], ids=["names", "twice"])
def test_reading_ends_where_its_answer_stands(where: str, members: str) -> None:
    body = where.replace("HERE", members).encode()
    assert calls(lambda: refused(body)) < 40_000


@pytest.mark.parametrize("values", [DEEP, ",".join(["[1e999]"] * 40_000)], ids=["deep", "infinite"])
def test_reading_ends_where_the_room_does(values: str) -> None:
    body = f'{{"x":[{values}]}}'.encode()
    assert calls(lambda: refused(body)) < 40_000


def test_unknown_members_are_ignored_as_long_as_they_are_few() -> None:
    few = {**QUESTION, **dict.fromkeys(map(str, range(MAX_UNKNOWN)), 0)}
    assert len(Envelope(json.dumps(few).encode()).asked().ignored) == MAX_NAMED
    [(path, why)] = refused(json.dumps({**few, "more": 0}).encode())
    assert (path, why) == ("request", "has more than 64 members that nobody here knows; leave them out")


def test_one_question_of_many_with_too_many_unknown_members_fails_alone() -> None:
    items = [dict.fromkeys(map(str, range(MAX_UNKNOWN + 1)), 0), {}]
    bad, good = Evaluations(json.dumps({**QUESTION, "evaluations": items}).encode()).each()
    with pytest.raises(InvalidRequest, match="nobody here knows"):
        bad()
    assert good().request.subject.id == "alice"


@pytest.mark.parametrize("name", ["on_behalf_of", "dry_run", "request_id", "justification"])
def test_option_beside_the_options_is_refused(name: str) -> None:
    """A client that reads nothing but `decision` would take it for heard."""
    body = {**QUESTION, name: True}
    with pytest.raises(InvalidRequest) as caught:
        Envelope(json.dumps(body).encode())
    assert list(caught.value.violations) == [(name, "is a member of options; without it there, it would not count")]
    item = Evaluations(json.dumps({**QUESTION, "evaluations": [{name: True}]}).encode())
    with pytest.raises(InvalidRequest):
        next(item.each())()
