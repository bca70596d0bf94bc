import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from pdp import jws, keys
from pdp.errors import SetupError

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


@pytest.mark.parametrize("mode", [0o604, 0o444, 0o644, 0o660, 0o620, 0o610, 0o601])
def test_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    keys.generate(tmp_path / "key.jwk")
    (tmp_path / "key.jwk").chmod(mode)
    with pytest.raises(SetupError, match="chmod 600"):
        keys.private_key(tmp_path / "key.jwk")


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o440, 0o640])
def test_key_that_a_group_of_this_process_may_read_is_read(tmp_path: Path, mode: int) -> None:
    made = keys.generate(tmp_path / "key.jwk")
    os.chown(tmp_path / "key.jwk", -1, os.getegid())
    (tmp_path / "key.jwk").chmod(mode)
    assert keys.private_key(tmp_path / "key.jwk").thumbprint() == made.thumbprint()


@pytest.mark.parametrize(
    ("mode", "group", "secret"),
    [(0o440, 2000, True), (0o640, 2000, True), (0o600, 9, True), (0o440, 9, False), (0o640, 9, False)]
    + [(mode, group, False) for mode in (0o444, 0o604, 0o460, 0o650, 0o641) for group in (2000, 9)],
)
def test_what_kubernetes_mounts_is_secret_and_what_others_read_is_not(mode: int, group: int, *, secret: bool) -> None:
    assert keys.is_secret(mode, group, {1000, 2000}) is secret


@pytest.mark.parametrize(
    ("mode", "user", "group", "says"),
    [
        (0o400, 1000, 9, ""),
        (0o600, 1000, 9, ""),
        (0o440, 0, 2000, ""),  # a Secret of Kubernetes
        (0o440, 1000, 2000, ""),
        (0o440, 0, 9, "chmod 600"),
        (0o444, 0, 2000, "chmod 600"),
        (0o460, 0, 2000, "chmod 600"),
        (0o400, 1001, 9, "chown 1000"),
        (0o440, 1001, 2000, "chown 1000"),
    ],
)
def test_secret_is_of_ours_or_of_root_with_a_group_of_ours_that_only_reads(
    mode: int, user: int, group: int, says: str
) -> None:
    status = os.stat_result((0o100000 | mode, 0, 0, 1, user, group, 0, 0, 0, 0))
    fault = keys.fault_of_secret(status, 1000, {1000, 2000})
    assert says in fault
    assert bool(fault) is bool(says)


def test_credential_of_systemd_may_show_the_group_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = {os.getegid(), *os.getgroups()}
    assert keys.own_groups(tmp_path / "audit") == own
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert keys.own_groups(tmp_path / "audit") == {*own, 0}
    assert keys.own_groups(tmp_path / "below" / "audit") == own


def test_what_is_read_is_what_was_looked_at(tmp_path: Path) -> None:
    good, open_to_all = stored(tmp_path / "good", "good"), stored(tmp_path / "bad", "bad", 0o644)
    path = tmp_path / "key"
    ends = threading.Event()

    def put_in_place() -> None:
        while not ends.is_set():
            for made in (good, open_to_all):
                (tmp_path / "next").symlink_to(made)
                (tmp_path / "next").replace(path)

    path.symlink_to(good)
    other = threading.Thread(target=put_in_place)
    other.start()
    try:
        found = {_secret(path) for _ in range(3000)}
    finally:
        ends.set()
        other.join()
    assert found == {b"good", None}


def _secret(path: Path) -> bytes | None:
    try:
        return keys.secret(path)
    except SetupError:
        return None


def test_key_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read: No such file"):
        keys.private_key(tmp_path / "none.jwk")


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


@pytest.mark.parametrize("alg", ["Ed25519", "EdDSA"])
def test_key_that_names_an_algorithm_signs_under_both_names(tmp_path: Path, alg: str) -> None:
    path = stored(tmp_path / "key.jwk", {**ED25519.as_dict(private=True), "alg": alg, "use": "sig"})
    for name in jws.NAMES:
        assert jws.claims(jws.signed("x+jwt", {"a": 1}, keys.private_key(path), name), ED25519) == {"a": 1}


@pytest.mark.parametrize("name", OTHERS)
def test_file_without_an_ed25519_private_key_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SetupError, match="no Ed25519 private JWK"):
        keys.private_key(stored(tmp_path / "key.jwk", OTHERS[name]))


def test_missing_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError):
        keys.private_key(tmp_path / "none.jwk")


def test_split_moves_the_key_to_the_seals_and_makes_another_for_grants(tmp_path: Path) -> None:
    before = keys.generate(tmp_path / "grant.jwk")
    (tmp_path / "grant.jwk").chmod(0o640)
    keys.split(tmp_path)
    seal, grant = (keys.private_key(tmp_path / f"{name}.jwk") for name in ("seal", "grant"))
    assert seal.thumbprint() == before.thumbprint() != grant.thumbprint()
    assert {(tmp_path / f"{name}.jwk").stat().st_mode & 0o777 for name in ("seal", "grant")} == {0o640}
    made = [(tmp_path / f"{name}.jwk").read_bytes() for name in ("seal", "grant")]
    with pytest.raises(SetupError, match="split already"):
        keys.split(tmp_path)
    assert [(tmp_path / f"{name}.jwk").read_bytes() for name in ("seal", "grant")] == made


def test_split_goes_on_where_it_ended(tmp_path: Path) -> None:
    before = keys.generate(tmp_path / "seal.jwk")
    keys.split(tmp_path)
    assert keys.private_key(tmp_path / "seal.jwk").thumbprint() == before.thumbprint()
    assert keys.private_key(tmp_path / "grant.jwk").thumbprint() != before.thumbprint()


@pytest.mark.parametrize("content", [None, "{}"])
def test_split_of_no_key_changes_nothing(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        stored(tmp_path / "grant.jwk", content)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(SetupError, match=r"grant\.jwk"):
        keys.split(tmp_path)
    assert sorted(tmp_path.iterdir()) == before
