"""The key file, its versions, and the keys derived from it.

A version is one random 32-byte secret. The secret itself never encrypts: keys are HKDF-SHA-256 (RFC 5869) of it, each
bound to realm, domain, scheme and version.
"""

import base64
import dataclasses
import datetime as dt
import hashlib
import hmac
import importlib
import json
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from masker.errors import KeyRefused

_NO_LOCKS = "this system has no file locks, without which two could change keys at once; change them on Linux or macOS"
_NO_MODES = "this system does not say who else may read it; use keys on Linux or macOS, or a KMS"

_ROOT = 0
"""The number of the user root."""
SECRET_BYTES = 32
"""Bytes of a version's secret: 256 bits, as many as the strongest key that is derived from it can use."""
KEY_ID_CHARACTERS = 6
"""Characters of a key id, of 5 bits each. A keyring with two equal ids is refused, so 30 bits are enough."""
KEY_BYTES = {"token": 64, "token.id": 64, "fpe": 32, "pseudonym": 32, "date_shift": 32}
"""Bytes of the derived key by scheme: AES-256, twice for AES-SIV. `token.id` only gives the key id."""
STATES = ("active", "readable", "retired")
"""An active version masks and unmasks, a readable one unmasks, a retired one does neither."""
_LABEL = b"placet/mask/v1"
_FILE_KEYS = {"format", "realm", "keys"}
_VERSION_KEYS = {"version", "state", "secret", "created"}


class Kms(Protocol):
    """Wraps and unwraps 32-byte secrets, so that the key file alone does not open anything."""

    def wrap(self, secret: bytes) -> bytes:
        """Return the blob to store in place of the secret."""

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return the secret of a stored blob."""


@dataclasses.dataclass(frozen=True)
class KeyVersion:
    """One line of the key file. `created` is RFC 3339 in UTC; `secret` is unwrapped."""

    version: int
    state: str
    secret: bytes = dataclasses.field(repr=False)
    created: str


class Keyring:
    """The versions of one realm and the keys derived from them.

    Raises KeyRefused for an unknown or retired version and where two key ids collide.
    """

    def __init__(self, realm: str, versions: list[KeyVersion]) -> None:
        self.realm = realm
        self.versions = {version.version: version for version in versions}
        self._owners: dict[str, tuple[str, int]] = {}
        _check_versions(realm, versions)

    @classmethod
    def load(cls, path: str | Path, kms: Kms | None = None, *, groups: Collection[int] = ()) -> "Keyring":
        """Read a key file of this user or root. Only its owner can read it, or besides its group.

        That group is one of this process, or one of `groups`, which let no one else in.
        """
        document = _read(Path(path), groups)
        return cls(document["realm"], [_version(entry, kms) for entry in document["keys"]])

    @property
    def active(self) -> int:
        """The version that masks."""
        return next(number for number, version in self.versions.items() if version.state == "active")

    def derive(self, domain: str, scheme: str, version: int) -> bytes:
        """Return the key of a scheme in a domain; `scheme` is a name in KEY_BYTES."""
        secret = self._usable(version).secret
        return hkdf_sha256(secret, _info(self.realm, domain, scheme, version), KEY_BYTES[scheme])

    def key_id(self, domain: str, version: int) -> str:
        """Return the six characters that name a token key of a domain."""
        digest = self.derive(domain, "token.id", version)
        text = base64.b32encode(digest[:5]).decode().lower()[:KEY_ID_CHARACTERS]
        owner = self._owners.setdefault(text, (domain, version))
        if owner != (domain, version):
            raise KeyRefused(f"key ids collide: {domain} version {version}, {owner[0]} version {owner[1]}")
        return text

    def key_ids(self, domain: str) -> dict[str, int]:
        """Return key id -> version for every version whose tokens may be read."""
        usable = [number for number, version in self.versions.items() if version.state != "retired"]
        return {self.key_id(domain, number): number for number in usable}

    def _usable(self, version: int) -> KeyVersion:
        found = self.versions.get(version)
        if found is None:
            raise KeyRefused(f"key version {version} is unknown")
        if found.state == "retired":
            raise KeyRefused(f"key version {version} is retired")
        return found


def create(path: str | Path, realm: str, *, now: dt.datetime, kms: Kms | None = None) -> None:
    """Write a new key file with version 1; refuses to overwrite one."""
    target = Path(path)
    with _locked(target):
        if target.exists():
            raise KeyRefused(f"{target.name} exists already")
        _write(target, {"format": 1, "realm": realm, "keys": [_fresh(1, now, kms)]})


def rotate(path: str | Path, *, now: dt.datetime, kms: Kms | None = None) -> int:
    """Append a new active version, make the old one readable, return the new number."""
    target = Path(path)
    with _locked(target):
        document = _read(target)
        for entry in document["keys"]:
            entry["state"] = "readable" if entry["state"] == "active" else entry["state"]
        version = 1 + max(int(entry["version"]) for entry in document["keys"])
        document["keys"].append(_fresh(version, now, kms))
        _write(target, document)
    return version


def retire(path: str | Path, version: int) -> None:
    """Make a readable version unusable; the active one is refused."""
    target = Path(path)
    with _locked(target):
        document = _read(target)
        entry = next((entry for entry in document["keys"] if entry["version"] == version), None)
        if entry is None or entry["state"] != "readable":
            raise KeyRefused(f"key version {version} is not readable, so it cannot be retired")
        entry["state"] = "retired"
        _write(target, document)


def hkdf_sha256(secret: bytes, info: bytes, length: int) -> bytes:
    """Derive at most 8,160 bytes as RFC 5869 says, with SHA-256 and an empty salt."""
    pseudorandom = hmac.digest(bytes(hashlib.sha256().digest_size), secret, "sha256")
    block, output = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.digest(pseudorandom, block + info + bytes([counter]), "sha256")
        output += block
    return output[:length]


def _info(realm: str, domain: str, scheme: str, version: int) -> bytes:
    parts = [part.encode() for part in (realm, domain, scheme, str(version))]
    return _LABEL + b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def _fresh(version: int, now: dt.datetime, kms: Kms | None) -> dict[str, Any]:
    secret = secrets.token_bytes(SECRET_BYTES)
    stored = kms.wrap(secret) if kms else secret
    created = now.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = base64.urlsafe_b64encode(stored).decode().rstrip("=")
    return {"version": version, "state": "active", "secret": text, "created": created}


def _version(entry: dict[str, Any], kms: Kms | None) -> KeyVersion:
    if set(entry) != _VERSION_KEYS or not re.fullmatch(r"[A-Za-z0-9_-]+", str(entry["secret"])):
        raise KeyRefused("a key entry must have version, state, secret (base64url) and created, and nothing else")
    stored = base64.urlsafe_b64decode(entry["secret"] + "=" * (-len(entry["secret"]) % 4))
    secret = kms.unwrap(stored) if kms else stored
    return KeyVersion(entry["version"], entry["state"], secret, entry["created"])


def _check_versions(realm: str, versions: list[KeyVersion]) -> None:
    numbers = [version.version for version in versions]
    if not realm:
        raise KeyRefused("the key file does not name a realm")
    if len(set(numbers)) != len(numbers) or any(type(number) is not int or number < 1 for number in numbers):
        raise KeyRefused("key versions must be distinct whole numbers from 1")
    if any(version.state not in STATES for version in versions):
        raise KeyRefused(f"the state of a key version must be one of {', '.join(STATES)}")
    if sum(version.state == "active" for version in versions) != 1:
        raise KeyRefused("exactly one key version must be active")
    if any(len(version.secret) != SECRET_BYTES for version in versions):
        raise KeyRefused(f"a secret must have {SECRET_BYTES} bytes")
    if len({version.secret for version in versions}) != len(versions):
        raise KeyRefused("two key versions have the same secret")


def _read(path: Path, groups: Collection[int] = ()) -> dict[str, Any]:
    text = _private_text(path, groups)
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict) or set(document) != _FILE_KEYS or document["format"] != 1:
        raise KeyRefused(f"{path.name} is not a key file of format 1")
    if not isinstance(document["realm"], str) or not isinstance(document["keys"], list):
        raise KeyRefused(f"{path.name}: realm must be text and keys a list")
    if not all(isinstance(entry, dict) for entry in document["keys"]):
        raise KeyRefused(f"{path.name}: every key must be an object")
    return document


def _private_text(path: Path, groups: Collection[int]) -> str:
    if not hasattr(os, "getegid"):
        raise KeyRefused(f"{path.name}: {_NO_MODES}")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise KeyRefused(f"{path.name} cannot be read: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        own = {os.getegid(), *os.getgroups(), *groups}
        if fault := _fault(os.fstat(file.fileno()), os.geteuid(), own):
            raise KeyRefused(f"{path.name} {fault}")
        return file.read().decode("utf-8", "replace")


def _fault(status: os.stat_result, user: int, groups: Collection[int]) -> str:
    """Why others than a process of this user and these groups can read a file; empty where they cannot."""
    if status.st_uid not in {user, _ROOT}:
        return f"belongs to another user, who can read it; let {user} own it"
    closed = 0o137 if status.st_gid in groups else 0o177
    if not stat.S_ISREG(status.st_mode) or status.st_mode & closed:
        return "must be a file of mode 0600, or 0440 with a group of this process"
    return ""


def _write(path: Path, document: dict[str, Any]) -> None:
    """Replace the file as a whole. A new one has mode 0600; one that is replaced gives its group and mode."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        if path.exists():
            status = path.stat()
            os.fchown(descriptor, -1, status.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the folder, not the file: a rename would leave the lock on the old inode."""
    try:
        fcntl = importlib.import_module("fcntl")
    except ImportError:
        raise KeyRefused(f"{path.name}: {_NO_LOCKS}") from None
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
