"""The statement of a verdict and its challenge, against a program that imports nothing of Placet."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdp.assertion import MEMBERS, Statement, adding_challenge, challenge, decoded, encoded, nonce_of, reason_hash
from tests import authenticator

SAID = Statement(
    approval="apr_1",
    digest="d",
    lineage="",
    nonce="n",
    reason=reason_hash("read it"),
    reviewer="user:bob",
    verdict="APPROVE",
    version=3,
)


def test_statement_has_its_members_in_the_form_of_rfc_8785() -> None:
    assert SAID.text == (
        '{"approval":"apr_1","digest":"d","lineage":"","nonce":"n",'
        '"reason":"IptyvZ5FvijBvi7zO0OoST1kP6BvifRyXDTiNeksvEI","reviewer":"user:bob","verdict":"APPROVE","version":3}'
    )
    assert tuple(json.loads(SAID.text)) == MEMBERS


@given(st.text(), st.text(max_size=5), st.integers(1, 2**40))
def test_challenge_is_what_another_program_computes(reviewer: str, realm: str, version: int) -> None:
    try:
        reviewer.encode(), realm.encode()
    except UnicodeEncodeError:
        return
    text = replace(SAID, reviewer=reviewer, version=version).text
    assert challenge(realm, text) == authenticator.verdict_challenge(text, realm)


@pytest.mark.parametrize("name", MEMBERS)
def test_another_member_is_another_challenge(name: str) -> None:
    value = getattr(SAID, name)
    other = replace(SAID, **{name: value + 1 if isinstance(value, int) else value + "x"})
    assert challenge("dev", other.text) != challenge("dev", SAID.text)
    assert challenge("other", SAID.text) != challenge("dev", SAID.text)


def test_challenge_of_a_new_passkey_is_another_with_its_id() -> None:
    assert adding_challenge("dev", "n") == authenticator.adding_challenge("n")
    assert adding_challenge("dev", "n", "id") == authenticator.adding_challenge("n", "id")
    assert len({adding_challenge("dev", "n"), adding_challenge("dev", "n", "id"), challenge("dev", SAID.text)}) == 3


@pytest.mark.parametrize("text", ["", "x", "[]", "1", "{}", '{"nonce":1}', '{"nonce":null}', "[" * 9000])
def test_what_is_no_statement_has_no_nonce(text: str) -> None:
    assert nonce_of(text) == ""
    assert nonce_of(SAID.text) == "n"


@given(st.binary())
def test_base64url_has_no_padding(raw: bytes) -> None:
    assert decoded(encoded(raw)) == raw
    assert "=" not in encoded(raw)
