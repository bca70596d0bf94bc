"""Verifies the live log or an exported file, with the key and the anchors that the user trusts."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pdp.cli import anchors, exit_code
from pdp.errors import PdpError
from pdp.say import say

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from pdp.audit.export import Header
    from pdp.audit.form import Form
    from pdp.audit.verify import Anchor, Verifier
    from pdp.cli.verify_progress import VerifyProgress
    from pdp.client import Client


_WAITS_FOR_MORE = {"chunk-order", "passkey"}
"""Faults that a log can seem to have while others write it: what was read of one writer names what was not yet read of
another one."""


async def of_live(
    client: "Client", since: Path | None, key: Path | None, state: Path, progress: "VerifyProgress"
) -> "tuple[Verifier, Anchor]":
    """A verifier that has read the log, held against `since` and the newest anchor of this log, and its anchor."""
    from pdp.audit.verify import Tampered

    named, kid, public = await _named(client, key)
    if not anchors.is_realm(named.realm):
        raise Tampered("realm", "the server", "no deployment has such a name")
    known = anchors.keys(state, named.realm)
    if known and kid not in known and not key:
        what = (
            f"it names {kid}, but earlier verifications saw {', '.join(known)}; give the one that you trust with --key"
        )
        raise Tampered("key", "the server", what)
    verifier = _verifier(named, kid, public, since, anchors.newest(state, named.realm, kid))
    progress.into(verifier)
    return verifier, await _finished(client, verifier, progress)


async def of_now(client: "Client", key: Path | None, progress: "VerifyProgress") -> "tuple[Verifier, Anchor]":
    """A verifier that has read the log and holds it against no anchor, and the anchor of what is there."""
    named, kid, public = await _named(client, key)
    verifier = _verifier(named, kid, public, None)
    progress.into(verifier)
    return verifier, await _finished(client, verifier, progress)


async def _named(client: "Client", key: Path | None) -> "tuple[Header, str, Ed25519PublicKey]":
    from pdp.audit.verify import Tampered

    try:
        named = await header(client)
        return named, *(_trusted(key) if key else _audit_key(named.jwks))
    except ValueError as error:
        raise Tampered("key", "the server", str(error)) from None


async def _finished(client: "Client", verifier: "Verifier", progress: "VerifyProgress") -> "Anchor":
    """Read to the end of now, and check the whole. What may only not be there yet is looked for once more."""
    from pdp.audit.verify import Tampered

    await _hold_against_anchors(client, verifier)
    await _read(client, verifier, progress)
    try:
        anchor = verifier.finish()
    except Tampered as flaw:
        if flaw.kind not in _WAITS_FOR_MORE:
            raise
        verifier.go_on()
        await _read(client, verifier, progress)
        anchor = verifier.finish()
    progress.save(verifier)
    return anchor


async def _read(client: "Client", verifier: "Verifier", progress: "VerifyProgress") -> None:
    """Read what is behind the places of a verifier, and what it read last. What was read is kept if this is stopped."""
    from pdp.client import log

    after = {bytes.fromhex(name): chain.seq - 1 for name, chain in verifier.chains.items()}
    try:
        found = await log.extent(client)
        for stray in found.strays:
            verifier.add(stray)
        async with aclosing(log.read(client, found, after)) as arriving:
            async for batches in arriving:
                while batches:
                    verifier.add(batches.pop(0))
                    progress.keep_up(verifier)
    except (PdpError, asyncio.CancelledError):
        progress.save(verifier)
        raise


async def _hold_against_anchors(client: "Client", verifier: "Verifier") -> None:
    """Hold anchors against batches that an earlier run has read: these are fetched again."""
    from pdp.audit.verify import Tampered
    from pdp.client import log

    for name, seen in verifier.seen_before():
        batch = await log.first_behind(client, bytes.fromhex(name), seen.seq - 1)
        if batch is None or batch.seq != seen.seq:
            raise Tampered("gap", f"writer {name} batch {seen.seq}", "gone; an anchor has seen it")
        verifier.hold_against_anchors(batch)


def of_file(file: Path, since: Path | None, key: Path | None, progress: "VerifyProgress") -> "tuple[Verifier, Anchor]":
    """A verifier that has read the whole file, and its anchor.

    Raises `Tampered` for what is changed or missing. Ends the command if the file is not as an export is written.
    """
    from pdp.audit.form import Form

    trusted, form = _trusted(key) if key else None, Form()
    try:
        with file.open("rb") as content, form.lines(content) as lines:
            verifier = _verified(file, lines, form, trusted, since, progress)
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
    return verifier, verifier.finish()


def _verified(
    file: Path,
    lines: "Iterator[str]",
    form: "Form",
    trusted: "tuple[str, Ed25519PublicKey] | None",
    since: Path | None,
    progress: "VerifyProgress",
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
        progress.into(verifier)
        for batch in found:
            verifier.add(batch)
            del batch
            progress.keep_up(verifier)
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


def _verifier(
    named: "Header", kid: str, public: "Ed25519PublicKey", since: Path | None, newest: Path | None = None
) -> "Verifier":
    from pdp.audit.verify import Verifier

    older = _anchor(since, named, kid) if since else None
    other = _anchor(newest, named, kid) if newest and newest != since else None
    return Verifier(named.realm, public, kid, older, other)


def _anchor(path: Path, named: "Header", kid: str) -> "Anchor":
    from pdp.audit.verify import Tampered

    anchor = anchors.read(path)
    if (anchor.realm, anchor.key) != (named.realm, kid):
        raise Tampered("key", f"the anchor {path}", f"is of realm {anchor.realm}, key {anchor.key}, not of this log")
    return anchor


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


def audit_kid(named: "Header") -> str:
    """The thumbprint of the audit key that a header names; empty where it names none."""
    try:
        return _audit_key(named.jwks)[0]
    except ValueError:
        return ""


def id_of(record: bytes) -> str:
    """The id of a stored record; empty where it is damaged."""
    try:
        return str(json.loads(record)["id"])
    except (ValueError, KeyError, TypeError):
        return ""
