"""Verifies the live log or an exported file, with the key and the anchors that the user trusts."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pdp.cli import anchors, exit_code
from pdp.say import say

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from pdp.audit.export import Header
    from pdp.audit.form import Form
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
    """A verifier that has read the whole file.

    Raises `Tampered` for what is changed or missing. Ends the command if the file is not as an export is written.
    """
    from pdp.audit.form import Form

    trusted, form = _trusted(key) if key else None, Form()
    try:
        with file.open("rb") as content, form.lines(content) as lines:
            verifier = _verified(file, lines, form, trusted, since)
    except OSError as error:
        exit_code.fail(f"cannot read {file}: {error.strerror or 'what is packed in it is damaged'}", exit_code.USAGE)
    if not trusted:
        say(f"checked with the key that the file names, {verifier.kid}; give yours with --key")
    if form.remarks:
        verifier.finish()
        exit_code.fail(
            f"{file} is not as it was exported: {'; '.join(form.remarks)}. What can be read of it, {verifier.records} "
            "records, was not changed; verify the file as it was exported"
        )
    return [verifier]


def _verified(
    file: Path,
    lines: "Iterator[str]",
    form: "Form",
    trusted: "tuple[str, Ed25519PublicKey] | None",
    since: Path | None,
) -> "Verifier":
    """A verifier that has read every batch in the lines of a file."""
    from pdp.audit.export import Ended, read
    from pdp.audit.verify import Tampered

    try:
        named, found = read(lines)
    except ValueError as error:
        _no_export(file, form, str(error), since)
    try:
        if not anchors.is_realm(named.realm):
            raise Tampered("realm", "the header", "no deployment has such a name")
        verifier = _verifier(named, *(trusted or _audit_key(named.jwks)), since)
        for batch in found:
            verifier.add(batch)
    except Ended as error:
        form.remarks.append(str(error))
    except ValueError as error:
        raise Tampered("file", str(file), str(error)) from None
    return verifier


def _no_export(file: Path, form: "Form", why: str, since: Path | None) -> NoReturn:
    """End the command: an anchor that has seen records misses them here; else the file is only another one."""
    from pdp.audit.verify import Tampered

    anchor = anchors.read(since) if since else None
    remarks = "; ".join([*form.remarks, why])
    if anchor and anchor.writers:
        raise Tampered("file", str(file), f"no record can be read, and the anchor has seen some: {remarks}")
    exit_code.fail(f"{file} is not an exported log: {remarks}")


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
    return Header(info.realm, json.loads(info.audit_jwks or info.jwks))  # an older server has one set for all keys


async def batches(client: "Client") -> "AsyncIterator[Batch]":
    """The batches of the whole log."""
    from pdp.v1.audit_pb2 import ExportRecordsRequest

    async for message in client.audit.ExportRecords(ExportRecordsRequest(), metadata=client.metadata):
        for batch in message.batches:
            yield batch


def id_of(record: bytes) -> str:
    """The id of a stored record; empty where it is damaged."""
    try:
        return str(json.loads(record)["id"])
    except (ValueError, KeyError, TypeError):
        return ""
