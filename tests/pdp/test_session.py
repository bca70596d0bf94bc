"""What is stored of a session and of a login: their times, and that no part of them changes unseen."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from pdp import jws
from pdp.session import CLAIMS_COUNT, IDLE, LONGEST, Login, Proof, Session, SessionSealer, form_token, hashed
from tests.pdp.specimens import SEALER, T0

OURS = SessionSealer(SEALER.key, "dev")
SESSION = OURS.session(
    Session(
        id=hashed("s"),
        identity="user:bob",
        issuer="https://issuer.example",
        sid="1",
        claims='{"sub":"bob"}',
        began_at=T0,
        renewed_at=T0,
        used_at=T0,
    )
)
LOGIN = OURS.login(Login(id=hashed("state"), browser=hashed("b"), back="/inbox", renews="", at=T0))
MINUTE = timedelta(minutes=1)


def changed(value: Any) -> Any:
    return f"{value}x" if isinstance(value, str) else value + timedelta(milliseconds=1)


@pytest.mark.parametrize("stored", [SESSION, LOGIN], ids=["session", "login"])
def test_no_part_changes_unseen(stored: Session | Login) -> None:
    assert OURS.is_ours(stored)
    for one in fields(stored):
        other = replace(stored, **{one.name: changed(getattr(stored, one.name))})
        assert not OURS.is_ours(other), one.name


def test_signature_of_another_realm_or_kind_does_not_count() -> None:
    assert not OURS.is_ours(SessionSealer(SEALER.key, "other").session(SESSION))
    assert not OURS.is_ours(replace(SESSION, seal=LOGIN.seal))
    kinds = {jws.header(one.seal)["typ"] for one in (SESSION, LOGIN)}
    assert kinds == {"placet-session+jwt", "placet-login+jwt"}


@pytest.mark.parametrize(
    ("used", "now", "is_over"),
    [
        (timedelta(), IDLE - MINUTE, False),
        (timedelta(), IDLE, True),
        (LONGEST - MINUTE, LONGEST - MINUTE, False),
        (LONGEST - MINUTE, LONGEST, True),
    ],
)
def test_it_ends_when_nobody_uses_it_and_after_eight_hours_in_any_case(
    used: timedelta, now: timedelta, *, is_over: bool
) -> None:
    assert replace(SESSION, used_at=T0 + used).is_over(T0 + now) == is_over


def test_claims_count_for_an_hour() -> None:
    assert not SESSION.is_stale(T0 + CLAIMS_COUNT - MINUTE)
    assert SESSION.is_stale(T0 + CLAIMS_COUNT)


def test_what_a_login_shows_follows_from_what_the_browser_has_alone() -> None:
    proof = Proof("state", "browser")
    others = [Proof("state", "other"), Proof("other", "browser")]
    values = [proof.nonce, proof.verifier, *(one.nonce for one in others), *(one.verifier for one in others)]
    assert len(set(values)) == len(values)
    assert all(len(value) == 43 for value in values)


def test_token_of_a_form_is_neither_the_secret_nor_what_is_stored() -> None:
    assert len({"s", hashed("s"), form_token("s"), form_token("t")}) == 4
