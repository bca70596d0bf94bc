"""Makes, reads and publishes Ed25519 keys in JWK files (RFC 8037). `joserfc` is the only JOSE library here."""

import json
import os
import stat
from collections.abc import Collection
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from pdp.environment import Environment
from pdp.errors import SetupError
from pdp.unread import unread

_ROOT = 0
"""The number of the user root, and of its group."""
DEMO = "placet_demo"
"""A JWK member that marks the keys of `pdp dev`; `pdp serve` refuses a key that has it."""
_NO_PRIVATE = (
    "holds no Ed25519 private JWK; put back the one of this deployment, or make the first by pdp.keys.generate"
)
"""Of a file that should hold one."""


def generate(path: Path, *, demo: bool = False) -> OKPKey:
    """Make a private key and store it at `path`, mode 0600. An existing file is never replaced."""
    key = OKPKey.generate_key("Ed25519", auto_kid=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({**key.as_dict(private=True), **({DEMO: True} if demo else {})}, file)
    return key


def private_key(path: Path) -> OKPKey:
    """Read a private key. Raises `SetupError` if the file does not hold one, or if others may read the file."""
    content = secret(path)
    try:
        key = _ed25519(json.loads(content))
    except (ValueError, JoseError):
        raise SetupError(f"{path} {_NO_PRIVATE}") from None
    if not isinstance(key.private_key, Ed25519PrivateKey):
        raise SetupError(f"{path} {_NO_PRIVATE}")
    key.ensure_kid()
    return key


def public_key(path: Path) -> OKPKey:
    """Read the public half of a key; the file may hold the private one. Raises `SetupError` if it holds neither."""
    try:
        key = _ed25519(json.loads(path.read_text()))
    except (OSError, ValueError, JoseError):
        raise SetupError(f"{path} holds no Ed25519 JWK") from None
    return OKPKey.import_key(key.as_dict(private=False))


def split(folder: Path) -> None:
    """Part the key that signed grants and seals: `grant.jwk` becomes `seal.jwk`, and a new key becomes `grant.jwk`.

    After a crash it goes on: a folder with `seal.jwk` alone gets its `grant.jwk`. Raises `SetupError` where both are
    there, or neither.
    """
    grant, seal = folder / "grant.jwk", folder / "seal.jwk"
    if seal.exists() and grant.exists():
        raise SetupError(f"{folder} has grant.jwk and seal.jwk: its keys are split already")
    private_key(seal if seal.exists() else grant)
    if not seal.exists():
        grant.rename(seal)
    generate(grant, demo=DEMO in json.loads(seal.read_text()))
    _open_alike(grant, seal)


def _open_alike(path: Path, other: Path) -> None:
    """Give a file the mode and the owner of another one, so that the server that reads one can read both."""
    status = other.stat()
    path.chmod(stat.S_IMODE(status.st_mode))
    try:
        os.chown(path, status.st_uid, status.st_gid)
    except PermissionError:
        raise SetupError(f"{path} is made; give it the owner and the group of {other}") from None


def secret(path: Path) -> bytes:
    """What is in a file that only this process and its group can read. Raises `SetupError` where others can, too.

    A Secret of Kubernetes is such a file: mode 0440, of the user root and the group of the pod. It is read from the
    file that was looked at: where others may write to its folder, they cannot put another one in its place meanwhile.
    """
    try:
        with path.open("rb") as file:
            if fault := fault_of_secret(os.fstat(file.fileno()), os.geteuid(), own_groups(path)):
                raise SetupError(f"{path} {fault} {path}")
            return file.read()
    except OSError as error:
        raise SetupError(unread(path, error)) from None


def fault_of_secret(status: os.stat_result, user: int, groups: Collection[int]) -> str:
    """Why a file is not secret to a process of this user and these groups, and the command that mends it, or "".

    Its owner is that user or root, since an owner can always read it.
    """
    if status.st_uid not in {user, _ROOT}:
        return f"belongs to another user, who can read it; run: chown {user}"
    return "" if is_secret(status.st_mode, status.st_gid, groups) else "can be read by others; run: chmod 600"


def own_groups(path: Path) -> set[int]:
    """The groups of this process, and for a credential of systemd the group root, which has no part in it.

    There it stands for one user who was let in: the mode of a file with an ACL shows the most that the ACL gives.
    """
    is_credential = str(path.parent) == Environment.read().credentials
    return {os.getegid(), *os.getgroups(), *([_ROOT] if is_credential else [])}


def is_secret(mode: int, group: int, own_groups: Collection[int]) -> bool:
    """Whether only the owner can read and write a file, or besides its group can read it, which this process is in."""
    return not mode & (0o037 if group in own_groups else 0o077)


def _ed25519(member: Any) -> OKPKey:
    """The key in a parsed JWK. Its `alg` is left out, because one signature has two names there.

    Raises `ValueError` or `JoseError` for any other kind of key.
    """
    if not isinstance(member, dict) or (member.get("kty"), member.get("crv")) != ("OKP", "Ed25519"):
        raise ValueError
    return OKPKey.import_key({name: member[name] for name in ("kty", "crv", "x", "d", "kid") if name in member})


def published(*keys: OKPKey) -> KeySet:
    """The public halves. The `kid` of each is the one that it came with, or else its RFC 7638 thumbprint."""
    for key in keys:
        key.ensure_kid()
    return KeySet([OKPKey.import_key(key.as_dict(private=False)) for key in keys])


def signing(key: OKPKey) -> Ed25519PrivateKey:
    """The same key as an object that signs raw bytes."""
    private = key.private_key
    assert isinstance(private, Ed25519PrivateKey)  # noqa: S101  # `private_key` let nothing else pass
    return private


def stamp(path: Path) -> tuple[int, int, int]:
    """A value that changes when the file is written or replaced; zeros if the file cannot be seen."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0, 0)
    return (status.st_ino, status.st_mtime_ns, status.st_size)
