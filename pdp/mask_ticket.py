"""The ticket of a mask job: who holds it may stream parts of that job, and nothing else.

1. It is a JWS by the key `seal` with a `typ` of its own. Nothing else that this key signs is taken for it.
2. It says all that a machine needs to know offline that a plan is the job's: pure, without a store.
3. It ends with its job. A job that is stopped or finished before takes no part, which only the server knows.
"""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from joserfc.jwk import OKPKey

from pdp import jws

TYPE = "placet-mask-ticket+jwt"
"""The `typ` of a ticket."""
KEYS_IN_SERVER, KEYS_ON_EXECUTORS = "server", "executors"
"""Where the keys of a job may be."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket says; its members are its claims, and `exp` is its end in seconds since 1970."""

    realm: str
    job: str
    caller: str
    decision: str
    table: str
    plan_sha256: str
    key_version: int
    keys: str
    exp: int

    def signed(self, key: OKPKey) -> str:
        """The ticket as a compact JWS."""
        return jws.signed(TYPE, asdict(self), key)


def is_ticket(text: str) -> bool:
    """Whether a text says that it is a ticket. Nobody has verified it."""
    try:
        return jws.header(text).get("typ") == TYPE
    except ValueError:
        return False


def read(text: str, key: OKPKey | str, now: float) -> Ticket:
    """The ticket that this key signed, a JWK or its JSON. Raises `ValueError` where it did not, or its time is over."""
    known = OKPKey.import_key(json.loads(key)) if isinstance(key, str) else key
    if not is_ticket(text):
        raise ValueError("it is not a ticket")
    claims = jws.claims(text, known)
    ticket = Ticket(**{each.name: _claim(claims, each.name, each.type) for each in fields(Ticket)})
    if now >= ticket.exp:
        raise ValueError("its time is over")
    return ticket


def public_key(key: OKPKey) -> str:
    """The public half of a key, as `read` takes it."""
    members = key.as_dict(private=False)
    return json.dumps({name: members[name] for name in ("kty", "crv", "x", "kid") if name in members})


def _claim(claims: dict[str, Any], name: str, kind: Any) -> Any:
    value = claims.get(name)
    if type(value) is not kind:
        raise ValueError(f"its claim {name} is missing, or of another type")
    return value
