import json
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.canonical import canonical
from pdp.errors import InvalidRequest
from pdp.i_json import MAX_NESTING, MAX_WHOLE_NUMBER
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.request_pb2 import Request
from tests.parts import asking

numbers = st.integers(-MAX_WHOLE_NUMBER, MAX_WHOLE_NUMBER) | st.floats(allow_nan=False, allow_infinity=False).filter(
    lambda number: not number.is_integer() or abs(number) <= MAX_WHOLE_NUMBER
)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(texts, values, max_size=5)
WRITERS: list[Callable[[Any], str]] = [
    json.dumps,
    lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")),
    lambda value: f" \n{json.dumps(value, indent=3)}\t\r\n",
]

PARTS: dict[str, Callable[[AuthorizeRequest], Any]] = {
    "subject.properties": lambda request: request.subject,
    "on_behalf_of[0].properties": lambda request: request.on_behalf_of[0],
    "action.properties": lambda request: request.action,
    "resource.properties": lambda request: request.resource,
    "context": lambda request: request,
}


def as_text(path: str, text: str) -> AuthorizeRequest:
    request, form = asking(), path.rpartition(".")[2]
    PARTS[path](request).ClearField(form)
    setattr(PARTS[path](request), f"{form}_json", text)
    return request


def as_struct(path: str, members: dict[str, Any]) -> AuthorizeRequest:
    request, held = asking(), Struct()
    held.update(members)
    getattr(PARTS[path](request), path.rpartition(".")[2]).CopyFrom(held)
    return request


def refused(request: AuthorizeRequest) -> tuple[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        canonical(request, "dev")
    [violation] = caught.value.violations
    return violation


@settings(max_examples=400)
@given(path=st.sampled_from(sorted(PARTS)), members=objects, write=st.sampled_from(WRITERS))
def test_text_has_the_canonical_bytes_of_its_struct(
    path: str, members: dict[str, Any], write: Callable[[Any], str]
) -> None:
    made = canonical(as_text(path, write(members)), "dev")
    assert made == canonical(as_struct(path, members), "dev")
    assert made.members == canonical(as_struct(path, members), "dev").members


@settings(max_examples=400)
@given(
    number=st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**54), 2**54)
    | st.integers()
    | st.sampled_from([-0.0, 2**53 - 1, 2**53, 2**53 + 1, 1e23, 5e-324])
)
def test_a_number_is_read_or_refused_as_in_a_struct(number: float) -> None:
    text, struct = as_text("context", json.dumps({"n": number})), as_struct("context", {"n": 0})
    try:
        struct.context.fields["n"].number_value = number
        wanted = canonical(struct, "dev").json
    except (InvalidRequest, OverflowError):
        assert refused(text)[0] == "context_json.n"
    else:
        assert canonical(text, "dev").json == wanted


@pytest.mark.parametrize("path", sorted(PARTS))
@pytest.mark.parametrize(
    ("text", "step", "why"),
    [
        ('{"a": 1, "a": 1}', ".a", "twice"),
        ('{"b": {"a": 1, "\\u0061": 2}}', ".b.a", "twice"),
        ('[{"a": 1, "a": 2}]', "", "not a JSON object"),
        ('{"a": [{"c": 1}, {"c": 1, "d": 2, "c": 3}]}', ".a[1].c", "twice"),
        ('{"a": "\\ud800"}', ".a", "surrogate"),
        ('{"a": ["x", "\\udc00\\ud800"]}', ".a[1]", "surrogate"),
        ('{"\\udfff": 1}', '["\\\\udfff"]', "surrogate"),
        ('{"a": NaN}', ".a", "finite"),
        ('{"a": {"b": -Infinity}}', ".a.b", "finite"),
        ('{"a": [1, Infinity]}', ".a[1]", "finite"),
        ('{"a": 1e400}', ".a", "finite"),
        (f'{{"a": {2**53}}}', ".a", "2^53-1"),
        (f'{{"a": [{-(2**53)}]}}', ".a[0]", "2^53-1"),
        ('{"a": 9007199254740993}', ".a", "2^53-1"),
        (f'{{"a": {"9" * 5000}}}', ".a", "finite"),
        ('{"a": 1e20}', ".a", "2^53-1"),
        ('{"a": "\\u0000"}', ".a", "U+0000"),
        ('{"a\\u0000": 1}', '["a\\u0000"]', "U+0000"),
        ('{"a": 1} {}', "", "character 10"),
        ('{"a": 1}x', "", "character 9"),
        ('{"a": 1,}', "", "cannot be read"),
        ("{'a': 1}", "", "cannot be read"),
        ('{"a": 01}', "", "cannot be read"),
        ('{"a": .5}', "", "cannot be read"),
        ('{"a": +1}', "", "cannot be read"),
        ('{"a": 1.}', "", "cannot be read"),
        ('{"a": 0x1}', "", "cannot be read"),
        ('{"a": "\t"}', "", "cannot be read"),
        ('{"a": "\\x41"}', "", "cannot be read"),
        ('{"a": "\\u00g0"}', "", "cannot be read"),
        ('{"a": tru}', "", "cannot be read"),
        ('{"a": 1', "", "cannot be read"),
        ('{"a"}', "", "cannot be read"),
        ('{"a": 1 /* one */}', "", "cannot be read"),
        ('\ufeff{"a": 1}', "", "cannot be read"),
        ("\u00a0{}", "", "cannot be read"),
        ('{"a": \u0661}', "", "cannot be read"),
        (" ", "", "cannot be read"),
        ("null", "", "not a JSON object"),
        ("[]", "", "not a JSON object"),
        ('"{}"', "", "not a JSON object"),
        ("1", "", "not a JSON object"),
        ("true", "", "not a JSON object"),
    ],
)
def test_text_that_is_no_i_json_object_is_refused_with_its_path(path: str, text: str, step: str, why: str) -> None:
    field, said = refused(as_text(path, text))
    assert field == f"{path}_json{step}"
    assert why in said


def nested(levels: int, *, lists: bool) -> str:
    inner = "1"
    for _ in range(levels - 1):
        inner = f"[{inner}]" if lists else f'{{"a": {inner}}}'
    return f'{{"a": {inner}}}'


@pytest.mark.parametrize("lists", [False, True])
def test_text_nests_as_deep_as_a_struct(*, lists: bool) -> None:
    canonical(as_text("context", nested(MAX_NESTING, lists=lists)), "dev")
    field, said = refused(as_text("context", nested(MAX_NESTING + 1, lists=lists)))
    assert field == "context_json.a" + ("[0]" if lists else ".a") * (MAX_NESTING - 1)
    assert "32 levels" in said


@pytest.mark.parametrize("bracket", ["[", '{"a":'])
@pytest.mark.parametrize("levels", [500, 5000, 32_000])
def test_text_that_nests_without_end_is_refused(bracket: str, levels: int) -> None:
    close = {"[": "]"}.get(bracket, "}")
    levels = min(levels, 32_000 // (len(bracket) + 1))
    field, _ = refused(as_text("context", '{"a":' + bracket * levels + "1" + close * levels + "}"))
    assert field.startswith("context_json")
    field, _ = refused(as_text("context", bracket * levels))
    assert field.startswith("context_json")


@pytest.mark.parametrize("path", sorted(PARTS))
@pytest.mark.parametrize("members", [{}, {"a": 1}])
@pytest.mark.parametrize("text", ["{}", '{"a": 1}'])
def test_both_forms_are_refused_even_where_one_is_empty(path: str, members: dict[str, Any], text: str) -> None:
    request = as_struct(path, members)
    setattr(PARTS[path](request), f"{path.rpartition('.')[2]}_json", text)
    field, said = refused(request)
    assert field == f"{path}_json"
    assert "stands beside" in said


@pytest.mark.parametrize("path", sorted(PARTS))
def test_empty_text_is_absent(path: str) -> None:
    assert canonical(as_text(path, ""), "dev") == canonical(as_text(path, "{}"), "dev")
    assert canonical(as_struct(path, {"a": 1}), "dev") == canonical(as_text(path, '{"a":1}'), "dev")


def test_a_suggestion_has_its_context_as_text_too() -> None:
    asked = as_text("context", '{"rows": 5}')
    members = {name: getattr(asked, name) for name in ("subject", "on_behalf_of", "action", "resource", "context_json")}
    assert canonical(Request(**members), "dev") == canonical(asked, "dev")


def test_text_has_the_limit_of_a_request() -> None:
    assert refused(as_text("context", '{"a": "' + "x" * 32 * 1024 + '"}'))[0] == "request"
    assert refused(as_text("context", '{"a": 1' + " " * 32 * 1024 + "}"))[0] == "request"


@pytest.mark.parametrize("path", PARTS)
def test_text_holds_no_more_than_a_struct_may(path: str) -> None:
    """A Struct of so many numbers is larger than a request may be, however short they are as text."""
    with pytest.raises(InvalidRequest, match="holds more than a Struct may"):
        canonical(as_text(path, json.dumps({"zeros": [0] * 3000})), "dev")
    fits = {"zeros": [0] * 2900}
    assert canonical(as_text(path, json.dumps(fits)), "dev") == canonical(as_struct(path, fits), "dev")


def test_all_texts_of_a_request_share_the_room() -> None:
    request = as_text("context", json.dumps({"zeros": [0] * 2000}))
    request.resource.ClearField("properties")
    request.resource.properties_json = json.dumps({"zeros": [0] * 2000})
    with pytest.raises(InvalidRequest, match="holds more than a Struct may"):
        canonical(request, "dev")
