"""Keyrings and nonces count only as a server of this deployment signed them."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pdp.passkey import Keyring, Nonce, Passkey, PasskeySealer
from tests.pdp.chain import KEY

OURS = PasskeySealer(KEY, "dev")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ONE = Passkey(id="a", cose="c", public_key="p", algorithm=-7, counter=0, added_at=NOW, counts_from=NOW)
TWO = replace(ONE, id="b")
HELD = OURS.keyring(Keyring(identity="user:bob", held=(ONE,)))
NONCE = OURS.nonce(Nonce(id="n", identity="user:bob", bound="b", at=NOW))


def other(value: Any) -> Any:
    match value:
        case int():
            return value + 1
        case datetime():
            return value + timedelta(milliseconds=1)
    return f"{value}x"


def test_what_is_signed_is_ours_in_our_realm_alone() -> None:
    elsewhere = PasskeySealer(KEY, "other")
    for stored in (HELD, NONCE):
        assert OURS.is_ours(stored)
        assert not elsewhere.is_ours(stored)
        assert not OURS.is_ours(replace(stored, seal=""))
        assert not OURS.is_ours(replace(stored, identity="user:eve"))


@pytest.mark.parametrize("name", [member.name for member in fields(Passkey)])
def test_every_member_of_a_passkey_is_signed(name: str) -> None:
    assert not OURS.is_ours(replace(HELD, held=(replace(ONE, **{name: other(getattr(ONE, name))}),)))


@pytest.mark.parametrize("name", ["id", "identity", "bound", "at"])
def test_every_member_of_a_nonce_is_signed(name: str) -> None:
    assert not OURS.is_ours(replace(NONCE, **{name: other(getattr(NONCE, name))}))


def test_one_more_or_one_fewer_is_another_keyring() -> None:
    assert not OURS.is_ours(HELD.with_one(TWO))
    assert not OURS.is_ours(HELD.without("a"))
    assert not OURS.is_ours(replace(HELD, held=(ONE, ONE)))


def test_keyring_finds_changes_and_leaves_out_one() -> None:
    both = HELD.with_one(TWO)
    assert (both.find("b"), both.find("x")) == (TWO, None)
    assert both.with_one(replace(ONE, counter=5)).held == (TWO, replace(ONE, counter=5))
    assert both.without("a").held == (TWO,)
