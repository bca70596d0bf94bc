import datetime as dt
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from masker import keys as keyfile
from masker.errors import KeyRefused
from masker.keys import KEY_BYTES, Keyring, KeyVersion, hkdf_sha256

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


class XorKms:
    def wrap(self, secret):
        return b"wrapped:" + bytes(byte ^ 0x5A for byte in secret)

    def unwrap(self, wrapped):
        return bytes(byte ^ 0x5A for byte in wrapped.removeprefix(b"wrapped:"))


@pytest.fixture
def path(tmp_path):
    made = tmp_path / "mask.key"
    keyfile.create(made, "test", now=NOW)
    return made


def test_hkdf_equals_rfc_5869_test_case_3():
    made = hkdf_sha256(bytes([0x0B] * 22), b"", 42)
    assert made.hex() == ("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")


def test_derived_keys_are_the_fixed_vectors(key_vectors):
    for case in key_vectors["keys"]:
        version = KeyVersion(case["version"], "active", bytes.fromhex(case["secret"]), "")
        made = Keyring(case["realm"], [version]).derive(case["domain"], case["scheme"], case["version"])
        assert made.hex() == case["key"], case
    assert {case["scheme"] for case in key_vectors["keys"]} == set(KEY_BYTES)


def test_a_new_file_is_private_and_says_what_section_a_says(path):
    document = json.loads(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert document["format"] == 1
    assert document["realm"] == "test"
    assert set(document["keys"][0]) == {"version", "state", "secret", "created"}
    assert document["keys"][0]["created"] == "2026-01-02T03:04:05Z"
    assert Keyring.load(path).active == 1


def test_create_overwrites_nothing(path):
    before = path.read_bytes()
    with pytest.raises(KeyRefused):
        keyfile.create(path, "test", now=NOW)
    assert path.read_bytes() == before


def test_of_two_that_create_at_once_one_is_refused(tmp_path):
    """Each would tell that its key masks, and the file would hold one of them."""
    path, made, told = tmp_path / "k", [], []

    def create(_):
        try:
            keyfile.create(path, "test", now=NOW)
            made.append(path.read_bytes())
        except KeyRefused as error:
            told.append(str(error))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(create, range(8)))
    assert (made, len(told)) == ([path.read_bytes()], 7)


@pytest.mark.parametrize("mode", [0o644, 0o444, 0o604, 0o660, 0o700, 0o666])
def test_a_file_that_others_can_use_is_refused(path, mode):
    path.chmod(mode)
    with pytest.raises(KeyRefused, match="0600"):
        Keyring.load(path)


@pytest.mark.parametrize(
    ("mode", "user", "group", "says"),
    [
        (0o100600, 1000, 9, ""),
        (0o100440, 0, 2000, ""),
        (0o100440, 0, 9, "0440"),
        (0o100440, 1001, 2000, "belongs to another user"),
        (0o100600, 1001, 9, "belongs to another user"),
        (0o010600, 1000, 9, "must be a file"),
    ],
)
def test_a_file_is_of_this_user_or_of_root(mode, user, group, says):
    status = os.stat_result((mode, 0, 0, 1, user, group, 0, 0, 0, 0))
    fault = keyfile._fault(status, 1000, {1000, 2000})
    assert says in fault
    assert bool(fault) is bool(says)


def test_a_group_that_lets_no_one_else_in_may_read(path):
    status = path.stat()
    shared = os.stat_result((0o100440, 0, 0, 1, status.st_uid, 4711, 0, 0, 0, 0))
    assert keyfile._fault(shared, status.st_uid, {1000})
    assert not keyfile._fault(shared, status.st_uid, {1000, 4711})
    assert Keyring.load(path, groups={4711}).active == 1


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o640])
def test_a_file_that_a_group_of_this_process_reads_is_read_and_stays_so(path, mode):
    os.chown(path, -1, os.getegid())
    path.chmod(mode)
    assert Keyring.load(path).active == 1
    assert keyfile.rotate(path, now=NOW) == 2
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_group_that_stands_for_this_process_may_read(path, monkeypatch):
    monkeypatch.setattr(os, "getegid", lambda: 1)
    monkeypatch.setattr(os, "getgroups", list)
    path.chmod(0o440)
    with pytest.raises(KeyRefused, match="0600"):
        Keyring.load(path)
    assert Keyring.load(path, groups=[path.stat().st_gid]).active == 1


def test_rotate_appends_and_keeps_the_old_readable(path):
    old = Keyring.load(path).derive("d", "token", 1)
    assert keyfile.rotate(path, now=NOW) == 2
    ring = Keyring.load(path)
    assert (ring.active, [version.state for version in ring.versions.values()]) == (2, ["readable", "active"])
    assert ring.derive("d", "token", 1) == old != ring.derive("d", "token", 2)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_retired_version_opens_nothing(path):
    keyfile.rotate(path, now=NOW)
    keyfile.retire(path, 1)
    ring = Keyring.load(path)
    assert list(ring.key_ids("d").values()) == [2]
    with pytest.raises(KeyRefused, match="retired"):
        ring.derive("d", "token", 1)
    with pytest.raises(KeyRefused, match="not readable"):
        keyfile.retire(path, 2)


def test_a_kms_keeps_the_secret_out_of_the_file(tmp_path):
    path = tmp_path / "k"
    keyfile.create(path, "test", now=NOW, kms=XorKms())
    keyfile.rotate(path, now=NOW, kms=XorKms())
    ring = Keyring.load(path, XorKms())
    assert all(len(version.secret) == 32 for version in ring.versions.values())
    with pytest.raises(KeyRefused):
        Keyring.load(path)


BROKEN = [
    {"format": 2, "realm": "r", "keys": []},
    {"format": 1, "realm": "", "keys": [(1, "active", "A" * 43)]},
    {"format": 1, "realm": "r", "keys": []},
    {"format": 1, "realm": "r", "keys": [(1, "active", "A" * 43), (2, "active", "B" * 43)]},
    {"format": 1, "realm": "r", "keys": [(1, "active", "A" * 43), (1, "readable", "B" * 43)]},
    {"format": 1, "realm": "r", "keys": [(1, "active", "A" * 43), (2, "readable", "A" * 43)]},
    {"format": 1, "realm": "r", "keys": [(0, "active", "A" * 43)]},
    {"format": 1, "realm": "r", "keys": [(True, "active", "A" * 43)]},
    {"format": 1, "realm": "r", "keys": [(1, "actve", "A" * 43)]},
    {"format": 1, "realm": "r", "keys": [(1, "active", "A" * 42)]},
    {"format": 1, "realm": "r", "keys": [(1, "active", "A" * 42 + "=")]},
    {"format": 1, "realm": "r", "keys": "none"},
    {"format": 1, "realm": "r", "keys": [], "more": 1},
    [],
]


@pytest.mark.parametrize("document", BROKEN)
def test_broken_files_are_refused(tmp_path, document):
    path = tmp_path / "k"
    if isinstance(document, dict) and isinstance(document["keys"], list):
        names = ("version", "state", "secret")
        document = document | {"keys": [dict(zip(names, key, strict=True), created="") for key in document["keys"]]}
    path.write_text(json.dumps(document))
    path.chmod(0o600)
    with pytest.raises(KeyRefused):
        Keyring.load(path)


def test_no_file_and_no_json_are_refused_without_content(tmp_path):
    path = tmp_path / "k"
    with pytest.raises(KeyRefused):
        Keyring.load(path)
    path.write_text("SECRETCONTENT")
    path.chmod(0o600)
    with pytest.raises(KeyRefused) as caught:
        Keyring.load(path)
    assert "SECRETCONTENT" not in str(caught.value)


def test_colliding_key_ids_are_refused(make_ring):
    """Thirty bits: among a few hundred thousand domains two share an id."""
    ring = make_ring("active")

    def names():
        for number in range(500_000):
            ring.key_id(f"domain {number}", 1)

    with pytest.raises(KeyRefused, match="collide"):
        names()


def test_a_secret_is_in_no_text_form(make_ring):
    ring = make_ring("active")
    assert "secret=" not in repr(ring.versions[1])
    assert ring.versions[1].secret.hex() not in repr(vars(ring))
