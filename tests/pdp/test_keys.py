import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from pdp import identifier, keys
from pdp.errors import SetupError
from pdp.grant import Grantor

AT = datetime(2026, 1, 1, 12, 0, 0, 999_999, tzinfo=UTC)


def stored(path: Path, content: Any, mode: int = 0o600) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    path.chmod(mode)
    return path


def test_key_is_made_for_its_owner_only_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "key.jwk"
    made = keys.generate(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert keys.private_key(path).thumbprint() == made.thumbprint()
    with pytest.raises(FileExistsError):
        keys.generate(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610, 0o601])
def test_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    keys.generate(tmp_path / "key.jwk")
    (tmp_path / "key.jwk").chmod(mode)
    with pytest.raises(SetupError, match="chmod 600"):
        keys.private_key(tmp_path / "key.jwk")


ED25519 = OKPKey.generate_key("Ed25519")
OTHERS = {
    "public half": ED25519.as_dict(private=False),
    "RSA": RSAKey.generate_key(2048).as_dict(private=True),
    "P-256": ECKey.generate_key("P-256").as_dict(private=True),
    "Ed448": OKPKey.generate_key("Ed448").as_dict(private=True),
    "X25519": OKPKey.generate_key("X25519").as_dict(private=True),
    "secret": OctKey.generate_key(256).as_dict(private=True),
    "set": {"keys": [ED25519.as_dict(private=True)]},
    "empty": {},
    "list": [],
    "number": 1,
    "no JSON": "-----BEGIN PRIVATE KEY-----",
    "nothing": "",
}


@pytest.mark.parametrize("name", OTHERS)
def test_file_without_an_ed25519_private_key_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SetupError, match="no Ed25519 private JWK"):
        keys.private_key(stored(tmp_path / "key.jwk", OTHERS[name]))


def test_missing_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError):
        keys.private_key(tmp_path / "none.jwk")


def granted(**changes: Any) -> str:
    key = OKPKey.import_key({**ED25519.as_dict(private=True), "kid": "g"})
    members = {"caller": "agent:bot", "decision_id": "dec_1", "approval_id": "apr_1", "digest": "d", "at": AT}
    return Grantor(key, "dev").grant(**{**members, **changes})


def test_grant_is_equal_for_equal_arguments_and_tells_others_apart() -> None:
    assert granted() == granted()
    changes = [
        {"caller": "x"},
        {"decision_id": "x"},
        {"approval_id": "x"},
        {"digest": "x"},
        {"at": AT + timedelta(seconds=1)},
    ]
    assert len({granted(**change) for change in changes} | {granted()}) == 6


def test_grant_lives_for_30_seconds() -> None:
    proof = jwt.decode(granted(), ED25519, algorithms=["Ed25519"])
    assert proof.claims["iat"] == int(AT.timestamp())
    assert proof.claims["exp"] == proof.claims["iat"] + 30
    assert proof.header == {"alg": "Ed25519", "typ": "placet-grant+jwt", "kid": "g"}


@pytest.mark.parametrize("prefix", ["apr", "dec", "rec"])
def test_ids_sort_by_time_and_read_back(prefix: str) -> None:
    made = [identifier.new(prefix) for _ in range(1000)]
    assert made == sorted(made)
    assert len(set(made)) == 1000
    assert all(identifier.uuid_bytes(one) == bytes.fromhex(one[4:]) for one in made)


def test_decision_and_its_record_have_the_same_uuid() -> None:
    decision = identifier.new("dec")
    assert identifier.decision_id(identifier.record_id(decision)) == decision
    assert identifier.uuid_bytes(identifier.record_id(decision)) == identifier.uuid_bytes(decision)


ZEROS = "0" * 32


NO_IDS = [
    *("", "apr", "apr_", ZEROS, f"abc_{ZEROS}", f"APR_{ZEROS}", f"apr_{ZEROS}0", f"apr_{ZEROS[1:]}", f"apr_{ZEROS}\n"),
    *(
        f" apr_{ZEROS}",
        f"apr_{'A' * 32}",
        f"apr_{'g' * 32}",
        f"apr_{' ' * 32}",
        f"apr_{'00 ' * 10}00",
        f"apr_{'٣' * 32}",
    ),
]


@pytest.mark.parametrize("text", NO_IDS)
def test_other_texts_are_no_ids(text: str) -> None:
    assert identifier.uuid_bytes(text) is None
