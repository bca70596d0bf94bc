"""Makes `tests/cases/grants.jsonl`: grants, and what a program could take for one, each with the check that refuses it.

`python -m tests.grant_vectors` writes the file. Keys and times are fixed, so it is the same file each time.
"""

import base64
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey

from pdp.grant import Grantor

FILE = Path(__file__).parent / "cases" / "grants.jsonl"
AT = 1_795_000_000
"""When each grant was issued, in seconds of Unix time."""
CALLER, REALM, DIGEST = "agent:report-bot", "prod", base64.urlsafe_b64encode(sha256(b"request").digest()).decode()[:-1]
BEYOND = "agent:zoë-\U0001d4b3"
DECISION, APPROVAL = f"dec_{1:032x}", f"apr_{2:032x}"
ORDER = 2**252 + 27742317777372353535851937790883648493
"""The order of Ed25519's group (RFC 8032)."""

Line = dict[str, Any]


def key(name: str) -> OKPKey:
    """A key for these vectors only: its secret is the hash of its name."""
    private = Ed25519PrivateKey.from_private_bytes(sha256(f"vectors of grants: {name}".encode()).digest())
    made = OKPKey.import_key(private)
    made.ensure_kid()
    return made


GRANT, AUDIT, SEAL, RETIRED, STRANGER = (key(name) for name in ("grant", "audit", "seal", "retired", "stranger"))


def public(of: OKPKey, use: str = "grant", **changes: Any) -> dict[str, Any]:
    members = {name: of.as_dict(private=False)[name] for name in ("kty", "crv", "x", "kid")}
    return {**members, "alg": "EdDSA", "use": "sig", "placet_use": use, **changes}


JWKS = {"keys": [public(GRANT)]}
CLAIMS: dict[str, Any] = {
    "iss": REALM,
    "aud": CALLER,
    "jti": DECISION,
    "approval": APPROVAL,
    "digest": DIGEST,
    "iat": AT,
    "exp": AT + 30,
}
HEADER: dict[str, Any] = {"typ": "placet-grant+jwt", "alg": "EdDSA", "kid": GRANT.kid}


def part(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def token(header: Any = HEADER, claims: Any = CLAIMS, by: OKPKey = GRANT) -> str:
    """A compact JWS of anything, signed by this key whatever its header says."""
    private = by.private_key
    assert isinstance(private, Ed25519PrivateKey)
    content = f"{part(header)}.{part(claims)}"
    return f"{content}.{part(private.sign(content.encode()))}"


def head(**changes: Any) -> dict[str, Any]:
    return without({**HEADER, **changes})


def said(**changes: Any) -> dict[str, Any]:
    return without({**CLAIMS, **changes})


def without(members: dict[str, Any]) -> dict[str, Any]:
    """What is None is left out."""
    return {name: value for name, value in members.items() if value is not None}


def line(name: str, grant: str, reason: str = "", **changes: Any) -> Line:
    about = {"now": AT + 1, "caller": CALLER, "realm": REALM, "digest": DIGEST, "spent": [], "jwks": JWKS}
    verdict = {"valid": False, "reason": reason} if reason else {"valid": True}
    return {"name": name, **verdict, **about, **changes, "grant": grant}


def valid() -> Iterator[Line]:
    at = datetime.fromtimestamp(AT, UTC)
    issued = Grantor(GRANT, REALM).grant(
        caller=CALLER, decision_id=DECISION, approval_id=APPROVAL, digest=DIGEST, at=at
    )
    yield line("as a server issues it", issued)
    yield line("of an allow that used no approval", token(claims=said(approval=None)))
    yield line("with the newer name of the algorithm, as older servers write it", token(head(alg="Ed25519")))
    yield line("in its last second", token(), now=AT + 29)
    yield line("by a clock that is 5 s behind", token(), now=AT - 5)
    yield line("another grant was accepted before", token(), spent=[f"dec_{9:032x}"])
    yield line("a second grant key is published, which was retired", token(), jwks=jwks(GRANT, RETIRED))
    yield line(
        "by the retired key, while it is published", token(head(kid=RETIRED.kid), by=RETIRED), jwks=jwks(GRANT, RETIRED)
    )
    old = {"keys": [public(AUDIT, "audit"), public(GRANT)]}
    yield line("the set of an older server, which holds the audit key too", token(), jwks=old)
    yield line("a caller beyond ASCII", token(claims=said(aud=BEYOND)), caller=BEYOND)


def jwks(*keys: OKPKey) -> dict[str, Any]:
    return {"keys": [public(one) for one in keys]}


REVIEW = {
    "iss": REALM,
    "approval": APPROVAL,
    "digest": DIGEST,
    "reviewer": "user:bob",
    "person": "user:bob",
    "verdict": "APPROVE",
    "at": "2026-11-18T07:06:40.000+00:00",
    "facts": "0" * 64,
}
"""A review as it was signed by the key of the grants, before there was a key for seals."""
NOW_SEALED = {"realm": REALM, "approval_id": APPROVAL, "request_digest": DIGEST, **REVIEW}


def sealed(kind: str, claims: dict[str, Any], by: OKPKey = GRANT, alg: str = "Ed25519") -> str:
    return token({"typ": f"placet-{kind}+jwt", "alg": alg, "kid": by.kid}, claims, by)


def of_other_things() -> Iterator[Line]:
    """What servers sign beside grants."""
    yield line("a review, signed by the key of the grants", sealed("review", REVIEW), "typ")
    yield line("a denial", sealed("review", {**REVIEW, "verdict": "DENY"}), "typ")
    yield line("an approval as it was opened", sealed("approval", {**REVIEW, "caller": CALLER}), "typ")
    yield line("a use of an approval", sealed("use", {**REVIEW, "decision": DECISION}), "typ")
    yield line("a record in an outbox", sealed("outbox", {"iss": REALM, "approval": APPROVAL, "version": 1}), "typ")
    yield line("a review, signed by the key of the seals", sealed("review", NOW_SEALED, SEAL, "EdDSA"), "typ")
    yield line("the claims of a grant under the type of a review", token(head(typ="placet-review+jwt")), "typ")
    yield line("by the key of the seals", token(head(kid=SEAL.kid), by=SEAL), "kid")
    audit = {"keys": [public(GRANT), public(AUDIT, "audit")]}
    yield line("by the audit key, where it is published", token(head(kid=AUDIT.kid), by=AUDIT), "kid", jwks=audit)
    yield line("of the type of any token", token(head(typ="JWT")), "typ")
    yield line("without a type", token(head(typ=None)), "typ")


def for_another_use() -> Iterator[Line]:
    yield line("for another caller", token(), "aud", caller="agent:other-bot")
    yield line("for a caller whose name begins like this one's", token(), "aud", caller="agent:report")
    yield line("for several callers", token(claims=said(aud=[CALLER, "agent:other-bot"])), "aud")
    yield line("for nobody", token(claims=said(aud=None)), "aud")
    yield line("of another realm", token(), "iss", realm="staging")
    yield line("of no realm", token(claims=said(iss=None)), "iss")
    other = part(sha256(b"another request").digest())
    yield line("for another request", token(), "digest", digest=other)
    yield line("for no request", token(claims=said(digest=None)), "digest")
    yield line("at the end of its 30 s", token(), "exp", now=AT + 30)
    yield line("40 s after its end, which a library's default skew of 60 s would take", token(), "exp", now=AT + 70)
    yield line("without an end", token(claims=said(exp=None)), "exp")
    yield line("with an end that is a text", token(claims=said(exp=str(AT + 30))), "exp")
    yield line("issued more than 5 s after now", token(), "iat", now=AT - 6)
    yield line("without a time of issue", token(claims=said(iat=None)), "iat")
    yield line("accepted before", token(), "jti", spent=[DECISION])
    yield line("without an id", token(claims=said(jti=None)), "jti")


def unsigned() -> Iterator[Line]:
    content = f"{part(head(alg='none'))}.{part(CLAIMS)}"
    yield line("with the algorithm none and no signature", f"{content}.", "form")
    yield line("with the algorithm none and a signature", token(head(alg="none")), "alg")
    yield line("with the algorithm NONE", token(head(alg="NONE")), "alg")
    content = f"{part(head(alg='HS256'))}.{part(CLAIMS)}"
    x = base64.urlsafe_b64decode(public(GRANT)["x"] + "=")
    for name, secret in (
        ("bytes", x),
        ("text", public(GRANT)["x"].encode()),
        ("JWK", json.dumps(public(GRANT)).encode()),
    ):
        mac = part(hmac.digest(secret, content.encode(), "sha256"))
        yield line(f"by HS256 with the public key's {name} for a secret", f"{content}.{mac}", "alg")
    yield line("with an algorithm of another key", token(head(alg="ES256")), "alg")
    yield line("without an algorithm", token(head(alg=None)), "alg")
    yield line("by a key that is not published", token(head(kid=STRANGER.kid), by=STRANGER), "kid")
    yield line("by a key that is not published, under the name of one that is", token(by=STRANGER), "signature")
    twins = {"keys": [public(GRANT), public(STRANGER, kid=GRANT.kid)]}
    yield line("two published keys have its name", token(), "kid", jwks=twins)
    yield line("no key is published", token(), "kid", jwks={"keys": []})
    yield line("the published key is not for grants", token(), "kid", jwks={"keys": [public(GRANT, "audit")]})
    yield line("without the name of a key", token(head(kid=None)), "header")
    yield line("with a key in its header", token(head(jwk=public(STRANGER)), by=STRANGER), "header")
    yield line("with the address of a key", token(head(jku="https://attacker.example/keys")), "header")
    yield line("with crit for something unknown", token(head(crit=["exp"], exp=AT + 30)), "header")
    yield line("with crit, and b64 false", token(head(crit=["b64"], b64=False)), "header")


def damaged() -> Iterator[Line]:
    good = token()
    first, second, third = good.split(".")
    yield line("nothing", "", "form")
    yield line("without its signature", f"{first}.{second}", "form")
    yield line("with an empty signature", f"{first}.{second}.", "form")
    yield line("its signature cut", good[:-4], "signature")
    yield line("its claims cut", f"{first}.{second[:-4]}.{third}", "signature")
    yield line("twice", good + good, "form")
    yield line("twice, with a dot between", f"{good}.{good}", "form")
    yield line("its signature twice", good + third, "signature")
    yield line("with a signature of zeros", f"{first}.{second}.{part(bytes(64))}", "signature")
    yield line(
        "with the signature of another", f"{first}.{second}.{token(claims=said(jti='x')).split('.')[2]}", "signature"
    )
    forged = part(said(aud="agent:other-bot"))
    yield line("with other claims than were signed", f"{first}.{forged}.{third}", "signature", caller="agent:other-bot")
    yield line("with a line break after it", f"{good}\n", "form")
    yield line("with padding", f"{first}=.{second}.{third}==", "form")
    yield line("as JSON", json.dumps({"protected": first, "payload": second, "signature": third}), "form")
    signature = base64.urlsafe_b64decode(third + "==")
    yield line("with zeros behind its signature", f"{first}.{second}.{part(signature + bytes(2))}", "signature")
    scalar = int.from_bytes(signature[32:], "little") + ORDER
    yield line(
        "with a second form of its signature",
        f"{first}.{second}.{part(signature[:32] + scalar.to_bytes(32, 'little'))}",
        "signature",
    )
    yield line("longer than 8 KiB", token(claims=said(approval="a" * 9000)), "form")


def text() -> str:
    """The file's content."""
    lines = [*valid(), *of_other_things(), *for_another_use(), *unsigned(), *damaged()]
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in lines)


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
