"""What a reviewer sees: whole, unambiguous, and free of characters that deceive."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.canonical import canonical
from pdp.cli import display, tables
from pdp.v1.approval_pb2 import Approval, GetApprovalResponse, Requirement
from pdp.v1.audit_pb2 import RecordSummary
from pdp.v1.decision_pb2 import AuthorizeResponse
from pdp.v1.request_pb2 import Request
from pdp.visible import noted
from tests.cli.terminal import is_harmless
from tests.parts import asking

# Two requests that differ look different: what is shown can be read back.

NAME = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=8) | st.sampled_from(
    ["a:b", 'a"b', "a b", "a\\b", '"', "(not ASCII: x)", "e\u0301", "a  = 1", "\u202e", "p\u0430y", "…"]
)
KIND = NAME.filter(lambda text: ":" not in text)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8) | NAME
KEY = TEXT | st.sampled_from(["a", "b", "a.b", "a[0]", '"]', "a = 1", "", "0"])
SCALAR = st.none() | st.booleans() | TEXT | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e6, 1e6)
VALUE = st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=3))
FREE = st.dictionaries(KEY, VALUE, max_size=3)
SUBJECT = st.fixed_dictionaries({"type": KIND, "id": NAME, "properties": FREE})
REQUEST = st.fixed_dictionaries(
    {
        "subject": SUBJECT,
        "onBehalfOf": st.lists(SUBJECT, max_size=2),
        "action": st.fixed_dictionaries({"name": NAME, "properties": FREE}),
        "resource": st.fixed_dictionaries({"type": NAME, "id": NAME, "properties": FREE}),
        "context": FREE,
    }
)


@settings(max_examples=200, deadline=None)
@given(REQUEST)
def test_what_is_shown_can_be_read_back(members: dict[str, Any]) -> None:
    asked = json_format.ParseDict(members, Request())
    lines = [noted(line) for line in display.request(asked)]
    assert all(is_harmless(line) for line in lines)
    again = json_format.ParseDict(read_back(lines), Request())
    assert canonical(again, "dev").digest == canonical(asked, "dev").digest


def read_back(lines: list[str]) -> dict[str, Any]:
    """The slow twin of `display.request`: its lines -> proto JSON."""
    found: dict[str, Any] = {"onBehalfOf": [], "context": {}}
    here: dict[str, Any] = {}
    for line in lines:
        if line.startswith("  "):
            path, value = steps(line.strip(" "))
            (root, *rest) = path
            put(found["context"] if root == "context" else here, rest, value)
        else:
            label, rest_of_line = line[:14].rstrip(), line[14:]
            here = {}
            if label == "does":
                found["action"] = {"name": name(rest_of_line)[0], "properties": here}
            else:
                kind, rest_of_line = name(rest_of_line, stop=":")
                entry = {"type": kind, "id": name(rest_of_line[1:])[0], "properties": here}
                if label == "on behalf of":
                    found["onBehalfOf"].append(entry)
                else:
                    found[{"who": "subject", "to": "resource"}[label]] = entry
    return found


def name(text: str, stop: str = "") -> tuple[str, str]:
    if text.startswith('"'):
        return string(text)
    end = min((at for at in (text.find(end) for end in (stop, " ") if end) if at >= 0), default=len(text))
    return text[:end], text[end:]


def string(text: str) -> tuple[str, str]:
    shown = re.match(r'"((?:[^"\\]|\\.)*)"', text)
    assert shown, text
    said = re.sub(r"\\(u\{([0-9a-f]+)\}|.)", lambda match: chr(int(match[2], 16)) if match[2] else match[1], shown[1])
    return said, text[shown.end() :]


def steps(text: str) -> tuple[list[str | int], Any]:
    root = re.match("who|on behalf of|action|resource|context", text)
    assert root, text
    path: list[str | int] = [root[0]]
    text = text[root.end() :]
    while not text.startswith(" = "):
        if text.startswith('["'):
            key, text = string(text[1:])
            path.append(key)
            text = text.removeprefix("]")
        else:
            bare = re.match(r"\[(\d+)\]|\.([A-Za-z_]\w*)", text)
            assert bare, text
            path.append(int(bare[1]) if bare[1] else bare[2])
            text = text[bare.end() :]
    value = text.removeprefix(" = ")
    return path, string(value)[0] if value.startswith('"') else json.loads(value.partition("  (not ASCII")[0])


def put(into: Any, path: list[str | int], value: Any) -> None:
    *way, last = path
    for at, following in zip(way, path[1:], strict=True):
        empty: Any = [] if isinstance(following, int) else {}
        if isinstance(into, list):
            into += [empty] if len(into) == at else []
            into = into[at]
        else:
            into = into.setdefault(at, empty)
    if isinstance(into, list):
        into.append(value)
    else:
        into[last] = value


# Every field of every message, filled with what deceives.

EVIL = "x\x1b[2J\u202e\U000e0041\u200b\ufe0f\nreviewed      APPROVE by user:ciso"


def fill(message: Message, text: str = EVIL) -> Message:
    """Every text of the message, at any depth, is evil; keys of structs, too."""
    for field in message.DESCRIPTOR.fields:
        if field.message_type and field.message_type.full_name == "google.protobuf.Struct":
            getattr(message, field.name).update({text: {text: [text, {}, [], None]}})
        elif field.message_type and field.message_type.full_name.startswith("google.protobuf"):
            into = getattr(message, field.name)
            (into.add() if field.is_repeated else into).seconds = 1
        elif field.message_type:
            inner = getattr(message, field.name)
            fill(inner.add() if field.is_repeated else inner, text)
        elif field.type == FieldDescriptor.TYPE_STRING:
            if field.is_repeated:
                getattr(message, field.name).append(text)
            else:
                setattr(message, field.name, text)
        else:
            unknown = {FieldDescriptor.TYPE_BYTES: b"x", FieldDescriptor.TYPE_ENUM: 99}.get(field.type, 1)
            if field.is_repeated:
                getattr(message, field.name).append(unknown)
            else:
                setattr(message, field.name, unknown)
    return message


def displays() -> Iterator[tuple[str, str]]:
    held = Approval()
    fill(held)
    answer, summary = AuthorizeResponse(), RecordSummary()
    fill(answer)
    fill(summary)
    yield "approval", display.approval(held)
    yield "approvals", tables.approval_table([held])
    yield "approvals in my name", tables.table_in_my_name([held])
    yield "history", tables.history_table([held])
    yield "decision", display.decision(answer)
    yield "records", tables.record_table([summary])


def test_an_allow_that_was_withheld_does_not_look_like_one() -> None:
    allowed, summary = AuthorizeResponse(effect=1, withheld=True), RecordSummary(effect=1, withheld=True)
    assert display.decision(allowed).startswith("ALLOW  (withheld: its caller was told no)\n")
    assert "  ALLOW (withheld)" in tables.record_table([summary])


@pytest.mark.parametrize(("what", "shown"), list(displays()))
def test_no_field_reaches_a_terminal_raw_or_forges_a_line(what: str, shown: str) -> None:
    assert is_harmless(shown), what
    assert shown.count("reviewed      APPROVE") >= 1
    forged = [line for line in shown.split("\n") if line.startswith("reviewed      APPROVE by user:ciso")]
    assert not forged


def test_what_has_ended_does_not_say_that_it_waits() -> None:
    held = Approval(state="APPROVAL_STATE_DENIED", requirements=[Requirement(rule="r", count=2, groups=["readers"])])
    held.denied_until.FromSeconds(1)
    ended = display.approval(held)
    assert "needed        2 of group readers, got 0" in ended
    assert "was denied again until 1970-01-01 00:00:01 UTC" in ended
    held.denied_until.FromSeconds(4_102_444_800)
    assert "denied again  until 2100" in display.approval(held)
    held.state = 1
    assert "needs         2 of group readers, so far 0" in display.approval(held)


def test_what_differs_from_the_one_that_was_sent_back_is_shown() -> None:
    held, before = Approval(), Approval(approval_id="apr_1")
    held.request.context.update({"rows": 1})
    before.request.context.update({"rows": 9})
    shown = display.seen(GetApprovalResponse(approval=held, sent_back=before))
    wanted = "compared with apr_1, which was sent back:\n-   context.rows = 9\n+   context.rows = 1"
    assert wanted in shown


def test_a_long_value_is_shown_whole() -> None:
    long = "0123456789" * 3000
    held = Approval(request=Request(context=asking(context={"sql": long}).context))
    assert f'context.sql = "{long}"' in display.approval(held)


def test_empty_and_nested_values_are_shown() -> None:
    context = {"a": {}, "b": [], "c": None, "d": {"e": [[], {}, [{"f": 0}]]}, "g": "", "h": -1.5, "i": True}
    shown = "\n".join(display.request(Request(context=asking(context=context).context)))
    for leaf in (
        *("context.a = {}", "context.b = []", "context.c = null", "context.d.e[0] = []", "context.d.e[1] = {}"),
        *("context.d.e[2][0].f = 0", 'context.g = ""', "context.h = -1.5", "context.i = true"),
    ):
        assert f"  {leaf}\n" in f"{shown}\n"


def test_the_requesters_words_are_apart_and_marked() -> None:
    shown = display.approval(Approval(justification="SYSTEM: approve\ndigest        forged"))
    assert shown.endswith("the requester's own words (untrusted):\n  | SYSTEM: approve\n  | digest        forged")
