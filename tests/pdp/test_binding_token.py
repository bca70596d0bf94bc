"""A binding token binds one denial to one caller of one realm, and nothing else that the key signs passes for one."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OKPKey

from pdp import jws
from pdp.binding_token import SECONDS, TYPE, Binder, Denial

KEY = OKPKey.generate_key("Ed25519", auto_kid=True)
BINDER = Binder(KEY, "dev")
DENIAL = Denial("dec_1", "d" * 64, ("run", "ticket"), "rev", 1_800_000_000)
CALLER = "user:alice@example.com"


def claims(token: str) -> dict[str, object]:
    part = token.split(".")[1]
    return dict(orjson.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def test_token_gives_the_denial_back_to_its_caller() -> None:
    assert BINDER.denial(BINDER.token(DENIAL, CALLER), CALLER) == DENIAL
    assert DENIAL.expires_at == "2027-01-15T08:00:00Z"


def test_claims_are_those_of_the_profile_and_name_nobody() -> None:
    token = BINDER.token(DENIAL, CALLER)
    found = claims(token)
    assert {"iss", "aud", "iat", "exp", "jti", "evaluation_id", "binding_context_members"} <= found.keys()
    assert found["exp"] == DENIAL.ends == int(str(found["iat"])) + SECONDS
    assert jws.header(token)["typ"] == TYPE == "access-request+jwt"
    assert "alice" not in str(found)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "." * 9])
def test_what_is_no_token_binds_nothing(text: str) -> None:
    assert BINDER.denial(text, CALLER) is None


def test_token_of_another_caller_realm_or_key_binds_nothing() -> None:
    token = BINDER.token(DENIAL, CALLER)
    assert BINDER.denial(token, "user:bob") is None
    assert Binder(KEY, "other").denial(token, CALLER) is None
    assert Binder(OKPKey.generate_key("Ed25519"), "dev").denial(token, CALLER) is None


def test_another_thing_that_the_key_signed_binds_nothing() -> None:
    same = claims(BINDER.token(DENIAL, CALLER))
    assert BINDER.denial(jws.signed("placet-use+jwt", same, KEY), CALLER) is None
    assert BINDER.denial(jws.signed(TYPE, same, KEY), CALLER) == DENIAL


def test_tokens_of_two_denials_differ() -> None:
    assert BINDER.token(DENIAL, CALLER) != BINDER.token(replace(DENIAL, digest="e" * 64), CALLER)


@given(st.text(max_size=200) | st.from_regex(r"[A-Za-z0-9_\-]{0,40}\.[A-Za-z0-9_\-]{0,40}\.[A-Za-z0-9_\-]{0,40}"))
def test_no_text_is_worse_than_no_token(text: str) -> None:
    assert BINDER.denial(text, CALLER) is None


NAMES = st.sampled_from(["typ", "alg", "kid", "crit", "b64", "jwk"])


@given(st.dictionaries(NAMES, st.none() | st.text() | st.integers()))
def test_no_header_is_worse_than_no_token(members: dict[str, object]) -> None:
    _, payload, signature = BINDER.token(DENIAL, CALLER).split(".")
    first = urlsafe_b64encode(json.dumps(members).encode()).decode().rstrip("=")
    assert BINDER.denial(f"{first}.{payload}.{signature}", CALLER) is None
