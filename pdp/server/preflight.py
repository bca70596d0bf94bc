"""Refuses to start `pdp serve` with an unsafe configuration, and says which field or file is unsafe and what to do."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from pdp import keys
from pdp.caller import Role
from pdp.config import Config
from pdp.errors import SetupError
from pdp.identity_source import Certificates, Issuer
from pdp.masking.keys import refuse_demo
from pdp.server.login_check import refuse_bad_login

_SECRETS = {"d", "k"}
"""The members of a JWK that are secret (RFC 7518)."""


def refuse_unsafe(config: Config) -> None:
    """Raise `SetupError` for demo keys, secrets that others read, a bad login, and one credential on both sides."""
    for sentence in unsafe(config):
        raise SetupError(sentence)


def unsafe(config: Config) -> Iterator[str]:
    """What is unsafe, each as a sentence of the field or file and of what to do."""
    checks = [
        partial(refuse_demo, config.mask_keys, config.realm),
        *(partial(_refuse_open, field, path) for field, path in _key_files(config)),
        partial(refuse_bad_login, config),
        *(partial(_refuse_both_sides, entry, config) for entry in config.entries),
    ]
    for check in checks:
        try:
            check()
        except SetupError as error:
            yield error.sentence


def _refuse_open(field: str, path: Path) -> None:
    members = _members(path)
    if any(member.get(keys.DEMO) for member in members):
        raise SetupError(f"{field}: {path} is a demo key of `pdp dev`; make one of your own")
    if any(_SECRETS & member.keys() for member in members):
        _require_secret(field, path)


def _require_secret(field: str, path: Path) -> None:
    try:
        keys.secret(path)
    except SetupError as error:
        raise SetupError(f"{field}: {error.sentence}") from None


def _key_files(config: Config) -> Iterator[tuple[str, Path]]:
    yield "audit_key", config.audit_key
    yield "grant_key", config.grant_key
    yield "seal_key", config.seal_path
    for retired in config.retired_grant:
        yield "retired_grant", retired
    for issuer in config.issuers:
        if isinstance(issuer.jwks, Path):
            yield f"jwks of {issuer.type}", issuer.jwks


def _members(path: Path) -> list[dict[str, Any]]:
    """The keys in a file; none if it cannot be read, because the part that needs them reports that."""
    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return []
    members = document.get("keys", [document]) if isinstance(document, dict) else []
    return [member for member in members if isinstance(member, dict)] if isinstance(members, list) else []


def _refuse_both_sides(entry: Issuer | Certificates, config: Config) -> None:
    """Refuse a person's credential with which a program can ask: the program could approve its own request."""
    may_review = Role.REVIEWER in entry.roles or (isinstance(entry, Issuer) and bool(entry.roles_claim))
    if entry.kind != "person" or not may_review:
        return
    workloads = {other.type for other in config.entries if other.kind == "workload"}
    named = {pattern.partition(":")[0] for speaks in entry.speaks_for.values() for pattern in speaks.subjects}
    if named & {"*", *workloads}:
        raise SetupError(
            f"speaks_for of {entry.type}: a reviewer could also ask as a workload; remove the workloads from "
            "`subjects`, or `reviewer` (and roles_claim) from this entry"
        )
