import math
from collections.abc import Callable

import pytest
from google.protobuf.struct_pb2 import ListValue, Struct

from pdp.canonical import canonical
from pdp.errors import InvalidRequest
from pdp.i_json import MAX_WHOLE_NUMBER
from pdp.v1.decision_pb2 import AuthorizeRequest
from tests.parts import asking
from tests.pdp.requests import with_context


def refused(message: AuthorizeRequest) -> tuple[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        canonical(message, "dev")
    return caught.value.violations[0]


def structs(depth: int) -> Struct:
    """A Struct that nests `depth` levels."""
    outermost = innermost = Struct()
    for _ in range(depth - 1):
        innermost = innermost.fields["a"].struct_value
    innermost.fields["a"].bool_value = True
    return outermost


def lists(depth: int) -> Struct:
    """A Struct and lists in it that nest `depth` levels together."""
    outermost = Struct()
    innermost: ListValue = outermost.fields["a"].list_value
    for _ in range(depth - 2):
        innermost = innermost.values.add().list_value
    innermost.values.add().bool_value = True
    return outermost


@pytest.mark.parametrize(
    ("path", "set_it"),
    [
        ("subject.type", lambda message, text: setattr(message.subject, "type", text)),
        ("subject.id", lambda message, text: setattr(message.subject, "id", text)),
        ("on_behalf_of[0].type", lambda message, text: setattr(message.on_behalf_of[0], "type", text)),
        ("on_behalf_of[0].id", lambda message, text: setattr(message.on_behalf_of[0], "id", text)),
        ("action.name", lambda message, text: setattr(message.action, "name", text)),
        ("resource.type", lambda message, text: setattr(message.resource, "type", text)),
        ("resource.id", lambda message, text: setattr(message.resource, "id", text)),
    ],
)
@pytest.mark.parametrize(
    ("text", "is_fine"),
    [
        ("", False),
        ("x" * 1024, True),
        ("x" * 1025, False),
        ("é" * 512, True),
        ("é" * 512 + "x", False),
        *((f"a{control}b", False) for control in "\0\x01\n\x1b\x1f\x7f\x80\x9b\x9f"),
        *((f"a{other}b", True) for other in " \u00a0\u200b\u202e\u2028\ufeff\U000e0041\U0001f600'\"\\/$."),
    ],
)
def test_id_is_1_to_1024_bytes_without_control_characters(
    path: str, set_it: Callable[[AuthorizeRequest, str], None], text: str, *, is_fine: bool
) -> None:
    message = asking()
    set_it(message, text)
    if is_fine:
        assert canonical(message, "dev")
    else:
        assert refused(message)[0] == path


@pytest.mark.parametrize(("path", "index"), [("subject.type", None), ("on_behalf_of[0].type", 0)])
def test_colon_ends_a_type_and_cannot_be_in_it(path: str, index: int | None) -> None:
    message = asking()
    (message.subject if index is None else message.on_behalf_of[index]).type = "user:alice"
    assert refused(message)[0] == path


def test_colon_elsewhere_is_fine() -> None:
    message = asking()
    message.subject.id, message.action.name, message.resource.type = "a:b", "s3:Get", "aws:bucket"
    assert canonical(message, "dev")


@pytest.mark.parametrize(
    ("number", "is_fine"),
    [
        (MAX_WHOLE_NUMBER, True),
        (-MAX_WHOLE_NUMBER, True),
        (2.0**53, False),
        (-(2.0**53), False),
        (2.0**53 + 2, False),
        (2.0**63, False),
        (1e300, False),
        (math.nan, False),
        (math.inf, False),
        (-math.inf, False),
        (-0.0, True),
        (1e-6, True),
        (5e-324, True),
        (4503599627370495.5, True),
    ],
)
def test_number_that_json_readers_change_silently_is_refused(number: float, *, is_fine: bool) -> None:
    message = asking()
    message.resource.properties.fields["limits"].struct_value.fields["top"].number_value = number
    if is_fine:
        assert canonical(message, "dev")
    else:
        path, text = refused(message)
        assert path == "resource.properties.limits.top"
        assert "send a string" in text


def test_negative_zero_is_zero() -> None:
    digests = {canonical(with_context({"n": zero}), "dev").digest for zero in (0, 0.0, -0.0)}
    assert len(digests) == 1


@pytest.mark.parametrize("nested", [structs, lists])
@pytest.mark.parametrize("path", ["subject.properties", "on_behalf_of[0].properties", "action.properties", "context"])
def test_nesting_ends_at_32(nested: Callable[[int], Struct], path: str) -> None:
    for depth, is_fine in ((32, True), (33, False)):
        message = asking()
        struct_at(message, path).CopyFrom(nested(depth))
        if is_fine:
            assert canonical(message, "dev")
        else:
            assert refused(message)[0] == path + (".a" * 32 if nested is structs else ".a" + "[0]" * 31)


def struct_at(message: AuthorizeRequest, path: str) -> Struct:
    found = {
        "subject.properties": message.subject.properties,
        "on_behalf_of[0].properties": message.on_behalf_of[0].properties,
        "action.properties": message.action.properties,
        "resource.properties": message.resource.properties,
        "context": message.context,
    }
    return found[path]


def test_chain_ends_at_32() -> None:
    message = asking(onBehalfOf=[{"type": "user", "id": f"u{index}"} for index in range(32)])
    assert canonical(message, "dev")
    message.on_behalf_of.add(type="user", id="u32")
    assert refused(message)[0] == "on_behalf_of"


def test_request_ends_at_32_kib_as_sent_and_in_canonical_form() -> None:
    message = with_context({"text": ""})
    message.context.fields["text"].string_value = "x" * (32 * 1024 - len(canonical(message, "dev").json))
    assert len(canonical(message, "dev").json) == 32 * 1024
    message.context.fields["text"].string_value += "x"
    assert refused(message)[0] == "request"
    escaped = with_context({"text": '"' * (17 * 1024)})
    assert escaped.ByteSize() < 32 * 1024
    assert refused(escaped)[0] == "request"
    outside_the_digest = asking(justification="x" * 32 * 1024)
    assert refused(outside_the_digest)[0] == "request"


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("plain", "context.plain"),
        ("with space", 'context["with space"]'),
        ("a.b", 'context["a.b"]'),
        ("", 'context[""]'),
        ("$where", 'context["$where"]'),
        ('quo"te', 'context["quo\\"te"]'),
        ("Größe", "context.Größe"),
        ("line\nbreak", 'context["line\\nbreak"]'),
        ("k" * 100, "context.[" + '"' + "k" * 64 + '…"]'),
    ],
)
def test_bad_value_is_named_by_its_path(key: str, path: str) -> None:
    message = asking()
    message.context.fields[key].number_value = math.nan
    assert refused(message)[0] == path.replace(".[", "[")


def test_null_character_is_refused_in_texts_and_keys() -> None:
    message = asking()
    message.context.fields["list"].list_value.values.add().struct_value.fields["inner"].string_value = "a\0b"
    assert refused(message)[0] == "context.list[0].inner"
    message = asking()
    message.context.fields["a\0b"].bool_value = True
    assert refused(message)[0] == 'context["a\\u0000b"]'


def test_value_without_a_kind_is_refused() -> None:
    message = asking()
    message.context.fields["unset"].SetInParent()
    assert refused(message)[0] == "context.unset"
