"""Ed25519 keys as JWK files (RFC 8037): made, read, published. `joserfc` is the one JOSE library."""

import json
import os
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from pdp.errors import SetupError

DEMO = "placet_demo"
"""A member of the keys that `pdp dev` makes: `pdp serve` takes none of them."""


def generate(path: Path, *, demo: bool = False) -> OKPKey:
    """Make a private key and store it at `path`, mode 0600; an existing file is never replaced."""
    key = OKPKey.generate_key("Ed25519", auto_kid=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({**key.as_dict(private=True), **({DEMO: True} if demo else {})}, file)
    return key


def private_key(path: Path) -> OKPKey:
    """Read a private key. `SetupError` where it is none, or where others may read it."""
    try:
        if path.stat().st_mode & 0o077:
            raise SetupError(f"{path} can be read by others; run: chmod 600 {path}")
        key = _ed25519(json.loads(path.read_text()))
    except (OSError, ValueError, JoseError):
        raise SetupError(f"{path} holds no Ed25519 private JWK") from None
    if not isinstance(key.private_key, Ed25519PrivateKey):
        raise SetupError(f"{path} holds no Ed25519 private JWK")
    key.ensure_kid()
    return key


def _ed25519(member: Any) -> OKPKey:
    """One key of a file. `ValueError` or `JoseError` for any other kind."""
    if not isinstance(member, dict) or (member.get("kty"), member.get("crv")) != ("OKP", "Ed25519"):
        raise ValueError
    return OKPKey.import_key(member)


def published(*keys: OKPKey) -> KeySet:
    """The public halves, each under its RFC 7638 thumbprint or the `kid` that it came with."""
    for key in keys:
        key.ensure_kid()
    return KeySet([OKPKey.import_key(key.as_dict(private=False)) for key in keys])


def signing(key: OKPKey) -> Ed25519PrivateKey:
    """The key as what signs raw bytes."""
    private = key.private_key
    assert isinstance(private, Ed25519PrivateKey)  # noqa: S101  # `private_key` let nothing else pass
    return private


def stamp(path: Path) -> tuple[int, int, int]:
    """Another value once the file was written or replaced; zeros where it cannot be seen."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0, 0)
    return (status.st_ino, status.st_mtime_ns, status.st_size)
