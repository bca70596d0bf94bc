import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import rfc8785
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.canonical import canonical, checked_id, checked_text, differing_paths, refuse_unknown_fields, request_of
from pdp.errors import InvalidRequest
from pdp.v1.decision_pb2 import AuthorizeRequest
from tests.parts import asking
from tests.pdp import naive
from tests.pdp.requests import with_context

VECTORS = [json.loads(line) for line in Path("tests/cases/digests.jsonl").read_text().splitlines()]
MAX_WHOLE = 2**53 - 1

numbers = st.one_of(
    st.integers(-MAX_WHOLE, MAX_WHOLE),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not x.is_integer() or abs(x) <= MAX_WHOLE),
    st.floats(-1e-3, 1e-3),
)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
plain_texts = st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=6)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(texts, values, max_size=5)


def request(members: dict[str, Any]) -> AuthorizeRequest:
    return json_format.ParseDict(members, AuthorizeRequest())


def as_sent(value: Any) -> Any:
    """The value as JSON readers see it: a whole double is an integer."""
    if isinstance(value, dict):
        return {key: as_sent(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_sent(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_vector_has_its_canonical_form_and_digest(vector: dict[str, Any]) -> None:
    made = canonical(request(vector["request"]), vector["realm"])
    assert naive.canonical(vector["request"]) == vector["canonical"]
    assert naive.digest(vector["canonical"], vector["realm"]) == vector["digest"]
    assert (made.json.decode(), made.digest) == (vector["canonical"], vector["digest"])


def test_there_are_enough_vectors_and_no_two_share_a_name() -> None:
    assert len({vector["name"] for vector in VECTORS}) == len(VECTORS) >= 108


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        (0x0000000000000000, "0"),
        (0x8000000000000000, "0"),
        (0x0000000000000001, "5e-324"),
        (0x8000000000000001, "-5e-324"),
        (0x7FEFFFFFFFFFFFFF, "1.7976931348623157e+308"),
        (0x4340000000000000, "9007199254740992"),
        (0x4430000000000000, "295147905179352830000"),
        (0x44B52D02C7E14AF6, "1e+23"),
        (0x44B52D02C7E14AF7, "1.0000000000000001e+23"),
        (0x444B1AE4D6E2EF4F, "999999999999999900000"),
        (0x444B1AE4D6E2EF50, "1e+21"),
        (0x3EB0C6F7A0B5ED8C, "9.999999999999997e-7"),
        (0x3EB0C6F7A0B5ED8D, "0.000001"),
        (0x41B3DE4355555553, "333333333.3333332"),
        (0xBECBF647612F3696, "-0.0000033333333333333333"),
        (0x43143FF3C1CB0959, "1424953923781206.2"),
    ],
)
def test_naive_twin_writes_numbers_as_rfc_8785_appendix_b(bits: int, text: str) -> None:
    assert naive.ecmascript(struct.unpack(">d", struct.pack(">Q", bits))[0]) == text


@settings(max_examples=150, deadline=None)
@given(objects)
def test_canonical_form_equals_rfc_8785(context: dict[str, Any]) -> None:
    made = canonical(with_context(context), "dev").json
    expected = json.loads(made) | {"context": as_sent(context)}
    assert made == rfc8785.dumps(expected)
    assert made.decode() == naive.jcs(expected)


@settings(max_examples=150, deadline=None)
@given(st.lists(numbers | plain_texts, min_size=20, max_size=60))
def test_orjson_equals_rfc_8785_wherever_it_is_used(leaves: list[Any]) -> None:
    """Some 6,000 leaves."""
    context = {
        f"k{index}" if not isinstance(leaf, str) else leaf: as_sent(leaf)
        for index, leaf in enumerate(leaves)
        if not isinstance(leaf, float) or leaf.is_integer() or abs(leaf) >= 1e-4
    }
    assert orjson.dumps(context, option=orjson.OPT_SORT_KEYS) == rfc8785.dumps(context)


@settings(max_examples=100, deadline=None)
@given(objects)
def test_canonical_form_is_its_own_canonical_form(context: dict[str, Any]) -> None:
    once = canonical(with_context(context), "dev")
    again = canonical(request_of(once.json), "dev")
    assert (again.json, again.digest) == (once.json, once.digest)


@settings(max_examples=100, deadline=None)
@given(objects, st.randoms(use_true_random=False))
def test_order_of_members_does_not_matter(context: dict[str, Any], random: Any) -> None:
    keys = list(context)
    random.shuffle(keys)
    shuffled = {key: context[key] for key in keys}
    assert canonical(with_context(context), "dev").digest == canonical(with_context(shuffled), "dev").digest


@settings(max_examples=120, deadline=None)
@given(objects, objects)
def test_two_different_requests_share_no_digest(left: dict[str, Any], right: dict[str, Any]) -> None:
    same = canonical(with_context(left), "dev").digest == canonical(with_context(right), "dev").digest
    assert same == (naive.jcs(left) == naive.jcs(right))


@settings(max_examples=100, deadline=None)
@given(objects, objects)
def test_requests_differ_at_some_path_exactly_when_their_forms_differ(
    left: dict[str, Any], right: dict[str, Any]
) -> None:
    one, other = canonical(with_context(left), "dev").json, canonical(with_context(right), "dev").json
    assert bool(differing_paths(one, other)) == (one != other)


def test_realm_is_in_the_digest() -> None:
    assert canonical(asking(), "dev").digest != canonical(asking(), "prod").digest


def test_default_and_absent_are_the_same_request() -> None:
    absent, default = asking(), asking()
    for message in (default.subject, default.action, default.on_behalf_of[0]):
        message.properties.SetInParent()
    default.context.SetInParent()
    default.request_id = default.approval_id = default.justification = ""
    assert canonical(absent, "dev") == canonical(default, "dev")


def unknown_field(number: int = 99) -> bytes:
    return bytes([(number << 3 | 0) & 0x7F | 0x80, number >> 4, 1])


@pytest.mark.parametrize(
    ("path", "at"),
    [
        ("request", lambda message: message),
        ("subject", lambda message: message.subject),
        ("action", lambda message: message.action),
        ("resource", lambda message: message.resource),
        ("on_behalf_of[0]", lambda message: message.on_behalf_of[0]),
        ("request", lambda message: message.context),
        ("request", lambda message: message.resource.properties),
        ("request", lambda message: message.resource.properties.fields["tags"]),
        ("request", lambda message: message.resource.properties.fields["tags"].list_value),
        ("request", lambda message: message.context.fields["a"].struct_value),
    ],
)
def test_unknown_field_is_refused_wherever_it_is(path: str, at: Callable[[AuthorizeRequest], Any]) -> None:
    message = asking(context={"a": {"b": 1}})
    refuse_unknown_fields(message)
    at(message).MergeFromString(unknown_field())
    with pytest.raises(InvalidRequest) as caught:
        refuse_unknown_fields(message)
    assert caught.value.violations[0][0] == path


def test_justification_ends_at_2000_characters() -> None:
    assert checked_text("é" * 2000, "justification")
    with pytest.raises(InvalidRequest):
        checked_text("x" * 2001, "justification")


def test_checked_id_names_its_path() -> None:
    with pytest.raises(InvalidRequest) as caught:
        checked_id("a\nb", "request_id")
    assert caught.value.violations[0][0] == "request_id"


@pytest.mark.parametrize(
    ("left", "right", "paths"),
    [
        ({}, {}, []),
        ({"a": 1}, {"a": 2}, ["context.a"]),
        ({"a": 1}, {}, ["context.a"]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, ["context.a.c"]),
        ({"a": {"b": 1}}, {"a": 1}, ["context.a"]),
        ({"a": [1, 2]}, {"a": [1, 3]}, ["context.a[1]"]),
        ({"a": [1, 2]}, {"a": [1]}, ["context.a"]),
        ({"a": 1}, {"a": True}, ["context.a"]),
        ({"a": [1]}, {"a": [True]}, ["context.a[0]"]),
        ({"a": [{"b": 0}]}, {"a": [{"b": False}]}, ["context.a[0].b"]),
        ({"a": None}, {}, ["context.a"]),
        ({"a.b": 1}, {"a": {"b": 1}}, ["context.a", 'context["a.b"]']),
        ({"secret": "s3cret-left"}, {"secret": "s3cret-right"}, ["context.secret"]),
    ],
)
def test_differing_requests_differ_at(left: dict[str, Any], right: dict[str, Any], paths: list[str]) -> None:
    one, other = canonical(with_context(left), "dev").json, canonical(with_context(right), "dev").json
    assert differing_paths(one, other) == paths


def test_many_differences_are_counted_behind_the_first_20() -> None:
    one = canonical(with_context({f"k{index}": 1 for index in range(100)}), "dev").json
    paths = differing_paths(one, canonical(asking(), "dev").json)
    assert len(paths) == 21
    assert paths[-1] == "and 80 more"
