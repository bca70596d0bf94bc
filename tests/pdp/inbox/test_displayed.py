"""The lines of a page, and the proof that a browser displayed them."""

import json
from hashlib import sha256

from google.protobuf import json_format

from pdp.assertion import encoded
from pdp.canonical import canonical
from pdp.inbox import displayed
from pdp.v1.request_pb2 import Request
from pdp.view.request import items
from tests.approvals_page import generated

ASKED = json_format.ParseDict(
    {
        "subject": {"type": "agent", "id": "bot"},
        "action": {"name": "pay"},
        "resource": {"type": "account", "id": "\u0430x"},
        "context": {"to": "a\u202eb\\"},
    },
    Request(),
)


def test_lines_say_what_is_no_ascii_and_hide_nothing() -> None:
    shown = displayed.lines(items(ASKED))
    assert [(one.label, one.text) for one in shown] == [
        ("who", "agent:bot"),
        ("does", "pay"),
        ("to", 'account:"\u0430x"'),
        ("context.to", '"a\\u{202e}b\\\\"'),
    ]
    assert shown[2].note == "not ASCII: \u0430 U+0430"


def test_proof_is_what_another_program_computes_and_each_part_of_it_counts() -> None:
    texts = ["who", "agent:bot", "does", "pay", "to", 'account:"\u0430x"', "context.to", '"a\\u{202e}b\\\\"']
    said = "\n".join(["placet/dev/displayed/v1", "digest", "2", "lineage", *texts, ""])
    wanted = encoded(sha256(said.encode()).digest())
    assert displayed.proof("dev", ASKED, "digest", 2, "lineage") == wanted
    others = [("e", "digest", 2, "lineage"), ("dev", "d", 2, "lineage"), ("dev", "digest", 3, "lineage")]
    others += [("dev", "digest", 2, "")]
    assert wanted not in {displayed.proof(realm, ASKED, *seen) for realm, *seen in others}


def test_what_is_edited_is_the_request_with_hidden_characters_as_escapes() -> None:
    for asked in generated(200):
        found = canonical(asked, "dev")
        text = displayed.editable(found)
        assert canonical(json_format.Parse(text, Request()), "dev") == found
        assert not {"\u202e", "\u200b", "\u2066", "\ufeff", "\x1b"} & set(text)
        assert json.loads(text) == found.members


def test_request_that_no_form_could_send_back_is_not_offered_to_edit() -> None:
    large = Request()
    large.CopyFrom(ASKED)
    large.context["long"] = "ü" * 14_000
    assert displayed.editable(canonical(large, "dev")) == ""
