from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from pdp.canonical import canonical
from pdp.errors import DigestRequired, InvalidRequest, RequestDiffers
from pdp.sent import authorization, require_whole, with_defaults
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.mask_pb2 import MaskScope
from tests.parts import asking

REALM = "dev"
PARTS = ("subject", "on_behalf_of", "action", "resource", "context")
MEANT: dict[str, Any] = {
    "subject": {"type": "agent", "id": "report-bot", "properties": {"team": "x"}},
    "onBehalfOf": [{"type": "user", "id": "alice"}, {"type": "user", "id": "bob"}],
    "action": {"name": "export", "properties": {"format": "csv", "gzip": True}},
    "resource": {"type": "table", "id": "customers", "properties": {"tags": ["pii"]}},
    "context": {"rows": 5, "run": {"id": 1}, "why": "report"},
}


def meant(**changes: Any) -> AuthorizeRequest:
    return json_format.ParseDict({**MEANT, **changes}, AuthorizeRequest())


def expecting(request: AuthorizeRequest) -> AuthorizeRequest:
    request.expected_digest = canonical(meant(), REALM).digest
    return request


@pytest.mark.parametrize("required", [False, True])
def test_a_request_that_is_as_it_was_meant_passes(*, required: bool) -> None:
    require_whole(expecting(meant()), REALM, required=required)
    text = meant(context={})
    text.ClearField("context")
    text.context_json = '{"why": "report", "run": {"id": 1.0}, "rows": 5}'
    require_whole(expecting(text), REALM, required=required)


@pytest.mark.parametrize(
    ("lost", "part", "count"),
    [
        ({"subject": {"type": "agent", "id": "report-bot", "properties": {}}}, "subject", "0"),
        ({"onBehalfOf": []}, "on_behalf_of", "0"),
        ({"onBehalfOf": [{"type": "user", "id": "alice"}]}, "on_behalf_of", "1"),
        ({"action": {"name": "export"}}, "action", "0"),
        ({"resource": {"type": "table", "id": "customers", "properties": {}}}, "resource", "0"),
        ({"context": {}}, "context", "0"),
        ({"context": {"rows": 5, "run": {}, "why": "report"}}, "context", "3"),
        ({"resource": {"type": "table", "id": "orders", "properties": {"tags": ["pii"]}}}, "resource", "1"),
    ],
)
def test_another_request_is_refused_with_how_much_of_each_part_arrived(
    lost: dict[str, Any], part: str, count: str
) -> None:
    with pytest.raises(RequestDiffers) as refused:
        require_whole(expecting(meant(**lost)), REALM, required=False)
    error = refused.value
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "REQUEST_DIFFERS")
    assert error.metadata == {**dict(zip(PARTS, "12213", strict=True)), part: count}
    assert [field for field, _ in error.violations] == ["expected_digest"]


@pytest.mark.parametrize("digest", ["x", "A" * 43, canonical(meant(), "prod").digest, "é"])
def test_a_digest_that_is_none_or_of_another_realm_is_another_one(digest: str) -> None:
    request = meant()
    request.expected_digest = digest
    with pytest.raises(RequestDiffers):
        require_whole(request, REALM, required=False)


def test_a_request_without_a_digest_passes_unless_one_is_required() -> None:
    require_whole(meant(), REALM, required=False)
    with pytest.raises(DigestRequired) as refused:
        require_whole(meant(), REALM, required=True)
    assert (refused.value.code, refused.value.reason) == ("INVALID_ARGUMENT", "DIGEST_REQUIRED")


def test_what_breaks_the_contract_is_left_to_who_names_all_its_bad_fields() -> None:
    request = expecting(meant(action={"name": ""}))
    for digest in (request.expected_digest, ""):
        request.expected_digest = digest
        require_whole(request, REALM, required=True)
        with pytest.raises(InvalidRequest):
            canonical(request, REALM)


CONTEXTS = {"": {}, "struct": {"context": {"a": 1}}, "text": {"contextJson": '{"b": 2}'}, "empty": {"context": {}}}


@pytest.mark.parametrize("default", sorted(CONTEXTS))
@pytest.mark.parametrize("own", sorted(CONTEXTS))
def test_either_form_of_an_items_context_stands_in_place_of_the_defaults(own: str, default: str) -> None:
    defaults = json_format.ParseDict(CONTEXTS[default], AuthorizeRequest())
    item = json_format.ParseDict({**MEANT, "context": None, **CONTEXTS[own]}, AuthorizeRequest())
    made = with_defaults(item, defaults)
    held = CONTEXTS[own] or CONTEXTS[default]
    wanted = json_format.ParseDict({**MEANT, "context": None, **held}, AuthorizeRequest())
    assert made == wanted
    assert canonical(made, REALM) == canonical(wanted, REALM)


@given(text=st.booleans(), action=st.sampled_from(["mask", "unmask", "rewrap"]))
def test_a_scope_asks_about_its_table_with_its_context_in_either_form(*, text: bool, action: str) -> None:
    scope = MaskScope(table="customers", expected_digest="d", subject=asking().subject, lineage_at_least=7)
    if text:
        scope.context_json = '{"rows": [1, {"a": null}]}'
    else:
        scope.context.update({"rows": [1, {"a": None}]})
    made = authorization(action, scope)
    assert (made.expected_digest, made.lineage_at_least) == ("d", 7)
    plain = asking(action, onBehalfOf=[], context={"rows": [1, {"a": None}]})
    plain.resource.ClearField("properties")
    assert canonical(made, REALM) == canonical(plain, REALM)
    assert not made.context_json


def test_a_scope_with_both_forms_or_bad_text_is_refused() -> None:
    for context, field in (('{"a": 1, "a": 2}', "context_json.a"), ('{"a": "' + "x" * 33_000 + '"}', "request")):
        with pytest.raises(InvalidRequest) as refused:
            authorization("mask", MaskScope(table="customers", context_json=context))
        assert refused.value.violations[0][0] == field
    scope = MaskScope(table="customers", context_json="{}")
    scope.context.SetInParent()
    with pytest.raises(InvalidRequest, match="stands beside"):
        authorization("mask", scope)


def test_of_an_item_and_the_defaults_the_later_revision_of_lineage_counts() -> None:
    made = [with_defaults(asking(lineageAtLeast=one), asking(lineageAtLeast=other)) for one, other in ((3, 5), (5, 3))]
    assert [one.lineage_at_least for one in made] == [5, 5]
