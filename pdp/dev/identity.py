"""The demo people of `pdp dev`, and their tokens, which are short-lived and signed by a key of this machine alone."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc import jwt

from pdp import keys
from pdp.errors import SetupError

AUDIENCE = "placet-dev"
LIFETIME_SECONDS = 15 * 60
"""Seconds for which a demo token is valid. A command makes a new one, so a leaked one is soon useless."""
USERS, AGENTS = "https://dev.placet.example/users", "https://dev.placet.example/agents"


@dataclass(frozen=True, slots=True)
class Person:
    """A person or a program that a demo token can be for."""

    type: str
    sub: str
    what: str
    roles: tuple[str, ...] = ("requester",)
    groups: tuple[str, ...] = ()


PEOPLE = {
    person.sub: person
    for person in (
        Person("user", "alice", "an analyst", ("requester", "reviewer")),
        Person("user", "bob", "a data steward", ("requester", "reviewer", "steward"), ("data-stewards",)),
        Person("user", "carol", "a data steward", ("requester", "reviewer"), ("data-stewards",)),
        Person("user", "dana", "an auditor", ("auditor",)),
        Person("agent", "report-bot", "an agent; asks for itself and on behalf of any user"),
        Person("agent", "dev", "may ask as any subject; owned by user:dev"),
        Person("agent", "etl", "writes lineage", ("lineage_writer",)),
    )
}


def key_path(state: Path) -> Path:
    """The path at which a `pdp dev` stack keeps the key of its two issuers."""
    return state / "keys" / "issuer.jwk"


def token(state: Path, name: str, seconds: int = LIFETIME_SECONDS) -> str:
    """A token for one of `PEOPLE`, by name or identity. Raises `SetupError` for others, or if no dev stack has run."""
    person = PEOPLE.get(name.rpartition(":")[2])
    if person is None or name not in {person.sub, f"{person.type}:{person.sub}"}:
        raise SetupError(f"--as knows {', '.join(PEOPLE)}; for anybody else pass a token with --token")
    if not key_path(state).exists():
        raise SetupError(f"{state} holds no dev key; start `pdp dev`, or name its folder with PDP_STATE")
    key = keys.private_key(key_path(state))
    return jwt.encode({"alg": "Ed25519", "kid": key.kid}, claims(person, seconds), key, algorithms=["Ed25519"])


def claims(person: Person, seconds: int) -> dict[str, Any]:
    """What a demo token says of a person from now on, for so many seconds."""
    now = int(time.time())
    return {
        "iss": USERS if person.type == "user" else AGENTS,
        "aud": AUDIENCE,
        "sub": person.sub,
        "iat": now,
        "exp": now + seconds,
        "roles": list(person.roles),
        "groups": list(person.groups),
    }
