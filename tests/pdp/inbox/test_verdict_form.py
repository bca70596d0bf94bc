"""The form of a verdict, field by field."""

import pytest

from pdp.approval import ReviewVerdict
from pdp.channel import Channel
from pdp.errors import InvalidRequest
from pdp.inbox import verdict_form

GOOD = {
    **dict.fromkeys(verdict_form.FIELDS, ""),
    "verdict": "APPROVE",
    "reason": "read it",
    "expected_digest": "d",
    "expected_version": "7",
    "expected_lineage": "l",
}
SIGNED = {"credential_id": "AA", "statement": "{}", "authenticator_data": "AA", "client_data": "AA", "signature": "AA"}
NESTED = '{"context":' + '{"a":' * 200 + "1" + "}" * 201


def test_form_is_a_verdict_in_the_web() -> None:
    said = verdict_form.submission(GOOD, "dev")
    assert (said.verdict, said.reason, said.expected_digest) == (ReviewVerdict.APPROVE, "read it", "d")
    assert (said.expected_version, said.expected_lineage, said.channel) == (7, "l", Channel.WEB)
    assert (said.passkey, said.suggestion) == (None, b"")


@pytest.mark.parametrize(("sent", "kept"), [("a\r\nb", "a\nb"), ("a\nb", "a\nb"), ("\r", "\r"), ("a\r\n\r\n", "a\n\n")])
def test_words_have_the_line_ends_that_were_typed(sent: str, kept: str) -> None:
    assert verdict_form.submission({**GOOD, "reason": sent}, "dev").reason == kept


@pytest.mark.parametrize("text", ["", "0", "+1", " 1", "1.0", "0x1", "\u0661", "1" * 16, "9" * 5000])
def test_version_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="expected_version: is not the number of a version"):
        verdict_form.submission({**GOOD, "expected_version": text}, "dev")


@pytest.mark.parametrize(
    "text", ["[]", "1", "null", "{", "{}}", '{"subject":1}', '{"x":1}', '{"context":{"a":NaN}}', NESTED]
)
def test_suggestion_that_is_no_request_is_refused(text: str) -> None:
    sent = {**GOOD, "verdict": "CHANGES_REQUESTED", "suggestion": text}
    with pytest.raises(InvalidRequest, match="suggestion"):
        verdict_form.submission(sent, "dev")


@pytest.mark.parametrize("name", verdict_form.SIGNED)
@pytest.mark.parametrize("text", ["", "A", "A=", "A?", "AA==", "ü", "A A"])
def test_part_of_a_signature_that_is_none_is_named(name: str, text: str) -> None:
    if name == "statement" and text:
        return
    with pytest.raises(InvalidRequest, match=name):
        verdict_form.submission({**GOOD, **SIGNED, name: text}, "dev")


def test_whole_signature_is_kept_as_it_came() -> None:
    said = verdict_form.submission({**GOOD, **SIGNED}, "dev")
    assert said.passkey is not None
    assert (said.passkey.credential_id, said.passkey.statement) == ("AA", "{}")


def test_all_bad_fields_are_told_at_once() -> None:
    sent = {**GOOD, "verdict": "MAYBE", "expected_version": "x", "reason": "x" * 2001}
    with pytest.raises(InvalidRequest) as error:
        verdict_form.submission(sent, "dev")
    assert [path for path, _ in error.value.violations] == ["verdict", "expected_version", "reason"]
