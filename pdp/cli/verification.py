"""Verifies the live log or an exported file, with the key and the anchors that the user trusts."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pdp.cli import anchors, exit_code

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from pdp.audit.export import Header
    from pdp.audit.verify import Verifier
    from pdp.client import Client
    from pdp.v1.audit_pb2 import Batch


async def of_live(client: "Client", since: Path | None, key: Path | None, state: Path) -> "list[Verifier]":
    """Verifiers that have read the whole log: one from `since`, and one from the newest anchor of this log."""
    from pdp.audit.verify import Tampered

    try:
        named = await header(client)
        kid, public = _trusted(key) if key else _audit_key(named.jwks)
    except ValueError as error:
        raise Tampered("key", "the server", str(error)) from None
    if not anchors.is_realm(named.realm):
        raise Tampered("realm", "the server", "no deployment has such a name")
    known = anchors.keys(state, named.realm)
    if known and kid not in known and not key:
        what = (
            f"it names {kid}, but earlier verifications saw {', '.join(known)}; give the one that you trust with --key"
        )
        raise Tampered("key", "the server", what)
    newest = anchors.newest(state, named.realm, kid)
    verifiers = [_verifier(named, kid, public, path) for path in {since or newest, newest}]
    async for batch in batches(client):
        for verifier in verifiers:
            verifier.add(batch)
    return verifiers


def of_file(file: Path, since: Path | None, key: Path | None) -> "list[Verifier]":
    """A verifier that has read the whole file."""
    from pdp.audit.export import read
    from pdp.audit.verify import Tampered

    trusted = _trusted(key) if key else None
    try:
        with file.open(encoding="utf-8", errors="surrogateescape") as lines:
            named, found = read(lines)
            if not anchors.is_realm(named.realm):
                raise Tampered("realm", "the header", "no deployment has such a name")
            verifier = _verifier(named, *(trusted or _audit_key(named.jwks)), since)
            for batch in found:
                verifier.add(batch)
    except OSError as error:
        exit_code.fail(f"cannot read {file}: {error.strerror}", exit_code.USAGE)
    except (ValueError, RecursionError) as error:
        raise Tampered("file", str(file), str(error)) from None
    if not trusted:
        typer.echo(f"checked with the key that the file names, {verifier.kid}; give yours with --key", err=True)
    return [verifier]


def _trusted(path: Path) -> tuple[str, "Ed25519PublicKey"]:
    """The audit key in the user's own file. Ends the command if the file does not hold one."""
    try:
        return _audit_key(json.loads(path.read_bytes()))
    except OSError as error:
        exit_code.fail(f"cannot read {path}: {error.strerror}", exit_code.USAGE)
    except ValueError as error:
        exit_code.fail(f"{path}: {error}", exit_code.USAGE)


def _verifier(named: "Header", kid: str, public: "Ed25519PublicKey", since: Path | None) -> "Verifier":
    from pdp.audit.verify import Tampered, Verifier

    anchor = anchors.read(since) if since else None
    if anchor and (anchor.realm, anchor.key) != (named.realm, kid):
        raise Tampered("key", f"the anchor {since}", f"is of realm {anchor.realm}, key {anchor.key}, not of this log")
    return Verifier(named.realm, public, kid, anchor)


def _audit_key(jwks: dict[str, Any]) -> tuple[str, "Ed25519PublicKey"]:
    """The audit key's thumbprint and the key. Raises `ValueError` if there is no audit key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from joserfc.errors import JoseError
    from joserfc.jwk import OKPKey

    try:
        members = [member for member in jwks.get("keys", [jwks]) if member.get("placet_use", "audit") == "audit"]
        key = OKPKey.import_key(members[0])
    except (JoseError, ValueError, LookupError, TypeError, AttributeError):
        raise ValueError("there is no audit key in this JWK Set") from None
    if not isinstance(key.public_key, Ed25519PublicKey):
        raise ValueError("the audit key in this JWK Set is not an Ed25519 key")  # noqa: TRY004  # bad text, not a bad type
    return key.thumbprint(), key.public_key


async def header(client: "Client") -> "Header":
    """The realm and the keys that the server names."""
    from pdp.audit.export import Header
    from pdp.v1.info_pb2 import GetServerInfoRequest

    info = await client.call(client.info.GetServerInfo, GetServerInfoRequest())
    return Header(info.realm, json.loads(info.jwks))


async def batches(client: "Client") -> "AsyncIterator[Batch]":
    """The batches of the whole log."""
    from pdp.v1.audit_pb2 import ExportRecordsRequest

    async for message in client.audit.ExportRecords(ExportRecordsRequest(), metadata=client.metadata):
        for batch in message.batches:
            yield batch
