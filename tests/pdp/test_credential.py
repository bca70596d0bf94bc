"""WebAuthn: what an authenticator in software makes and signs counts, and nothing else does."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdp.assertion import Assertion, decoded
from pdp.credential import MAX_BYTES, Made, Party, counted, made
from pdp.passkey import Passkey
from pdp.verdict_errors import PasskeyInvalid
from tests.authenticator import HOST, ORIGIN, UP, UV, Authenticator, b64
from tests.pdp.passkeys import asserted, registered

PARTY = Party(HOST, ORIGIN)
ASKED, OTHER = b"a" * 32, b"b" * 32
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ALGORITHMS = ["ES256", "EdDSA", "RS256"]


def passkey(device: Authenticator) -> Passkey:
    new = made(registered(device.create(ASKED)), PARTY, ASKED)
    members = {name: getattr(new, name) for name in Made.__dataclass_fields__}
    return Passkey(**members, added_at=NOW, counts_from=NOW)


def signed(device: Authenticator, challenge: bytes = ASKED, **changes: Any) -> Assertion:
    return asserted("", device.get(challenge, **changes))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_algorithm_is_taken_and_its_counter_told(algorithm: str) -> None:
    device = Authenticator(algorithm)
    held = passkey(device)
    assert (held.id, held.counter) == (b64(device.id), 0)
    assert held.algorithm == {"ES256": -7, "EdDSA": -8, "RS256": -257}[algorithm]
    assert counted(signed(device), held, PARTY, ASKED) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"challenge": OTHER},
        {"flags": UP},
        {"flags": UV},
        {"origin": "https://evil.example"},
        {"origin": ORIGIN + ":8443"},
        {"type": "webauthn.get"},
    ],
    ids=str,
)
def test_new_passkey_is_for_these_pages_this_wish_and_a_verified_user(changes: dict[str, Any]) -> None:
    answer = Authenticator().create(**{"challenge": ASKED, **changes})
    with pytest.raises(PasskeyInvalid):
        made(registered(answer), PARTY, ASKED)
    elsewhere = Authenticator(host="evil.example").create(ASKED)
    with pytest.raises(PasskeyInvalid):
        made(registered(elsewhere), PARTY, ASKED)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    "changes",
    [
        {"challenge": OTHER},
        {"flags": UP},
        {"flags": UV},
        {"origin": "https://evil.example"},
        {"type": "webauthn.create"},
    ],
    ids=str,
)
def test_signature_is_for_these_pages_this_challenge_and_a_verified_user(
    changes: dict[str, Any], algorithm: str
) -> None:
    device = Authenticator(algorithm)
    held = passkey(device)
    with pytest.raises(PasskeyInvalid):
        counted(signed(device, **changes), held, PARTY, ASKED)


def test_signature_of_another_key_or_host_or_an_old_counter_does_not_count() -> None:
    device = Authenticator()
    held = passkey(device)
    impostor = Authenticator(id=device.id)
    for answer in (signed(impostor), signed(replace(device, host="evil.example"))):
        with pytest.raises(PasskeyInvalid):
            counted(answer, held, PARTY, ASKED)
    with pytest.raises(PasskeyInvalid):
        counted(signed(device), replace(held, counter=9), PARTY, ASKED)


def test_authenticator_that_does_not_count_is_taken() -> None:
    device = Authenticator(counts=False)
    assert counted(signed(device), passkey(device), PARTY, ASKED) == 0


BROKEN: dict[str, Callable[[str], str]] = {
    "empty": lambda _: "",
    "no base64url": lambda _: "!!!",
    "not ASCII": lambda _: "é",
    "cut": lambda text: text[: len(text) // 2],
    "zeros": lambda text: "A" * len(text),
    "longer": lambda text: text + "AAAA",
    "too long": lambda text: text * MAX_BYTES,
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("member", ["authenticator_data", "client_data", "signature"])
def test_broken_signature_is_refused_without_a_trace(member: str, name: str) -> None:
    device = Authenticator()
    held, answer = passkey(device), signed(device)
    with pytest.raises(PasskeyInvalid):
        counted(replace(answer, **{member: BROKEN[name](getattr(answer, member))}), held, PARTY, ASKED)


@pytest.mark.parametrize("name", sorted({*BROKEN} - {"longer"}))  # CBOR ends by itself
@pytest.mark.parametrize("member", ["attestation", "client_data"])
def test_broken_new_passkey_is_refused_without_a_trace(member: str, name: str) -> None:
    answer = Authenticator().create(ASKED)
    with pytest.raises(PasskeyInvalid):
        made(registered({**answer, member: BROKEN[name](answer[member])}), PARTY, ASKED)


@given(st.binary(max_size=200), st.integers(0, 300))
def test_attestation_of_any_bytes_is_refused_or_read(junk: bytes, at: int) -> None:
    device = Authenticator()
    answer = device.create(ASKED)
    whole = decoded(answer["attestation"])
    for raw in (junk, whole[:at] + junk + whole[at + len(junk) :], b"\x81" * 3000, b"\xa1\x61" * 1500):
        with suppress(PasskeyInvalid):
            assert made(registered({**answer, "attestation": b64(raw)}), PARTY, ASKED)
