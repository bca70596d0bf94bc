"""Tokens that must not be accepted (RFC 8725), made by hand so that nothing checks them on the way."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from joserfc.jwk import OKPKey

from pdp import keys
from pdp.authn.bearer import MAX_TOKEN_BYTES
from pdp.dev.identity import AGENTS, AUDIENCE, USERS, key_path
from pdp.identity_source import Issuer
from tests import tokens

OTHER_KEY = OKPKey.generate_key("Ed25519", auto_kid=True)
CLAIMS = tokens.claims("user:alice", exp=int(time.time()) + 6 * 3600)  # they outlive a long run of all tests


def encoded(part: Any) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def issuer(folder: Path, **changes: Any) -> Issuer:
    """The issuer of people whose key is in the folder."""
    members = {
        "issuer": USERS,
        "audience": AUDIENCE,
        "type": "user",
        "kind": "person",
        "jwks": key_path(folder),
        "roles_claim": "roles",
        "groups_claim": "groups",
    }
    return Issuer.model_validate({**members, **changes})


class Forge:
    """Makes tokens by hand, so that nothing checks them on the way."""

    def __init__(self, key: OKPKey) -> None:
        self.key = key
        self.header = {"alg": "Ed25519", "kid": key.kid}

    def token(self, payload: Any = None, header: Any = None, key: OKPKey | None = None, **changes: Any) -> str:
        """Signed with the issuer's key unless another is given; a change to `...` leaves that claim out."""
        members = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not ...}
        signed = (
            f"{encoded(self.header if header is None else header)}.{encoded(members if payload is None else payload)}"
        )
        return f"{signed}.{encoded(keys.signing(key or self.key).sign(signed.encode()))}"

    def with_header(self, **changes: Any) -> str:
        return self.token(header={**self.header, **changes})

    def forged(self, **header: Any) -> str:
        """By somebody else's key, which the header says to trust."""
        return self.token(header={**self.header, **header}, key=OTHER_KEY)

    def hmac(self, algorithm: str, secret: bytes) -> str:
        signed = f"{encoded({**self.header, 'alg': algorithm})}.{encoded(CLAIMS)}"
        return f"{signed}.{encoded(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"

    def raw_claims(self, old: str, new: str) -> str:
        text = json.dumps(CLAIMS)
        assert old in text
        return self.token(text.replace(old, new).encode())

    def public(self) -> dict[str, Any]:
        return {**self.key.as_dict(private=False)}

    def public_bytes(self) -> bytes:
        return base64.urlsafe_b64decode(str(self.public()["x"]) + "==")


def unsigned(algorithm: str, signature: str = "") -> str:
    return f"{encoded({'alg': algorithm})}.{encoded(CLAIMS)}.{signature}"


def at(**when: float) -> dict[str, float]:
    return {name: time.time() + seconds for name, seconds in when.items()}


def parts(forge: Forge) -> tuple[str, str, str]:
    header, payload, signature = forge.token().split(".")
    return header, payload, signature


def acting(depth: int) -> dict[str, Any]:
    """An actor, for whom another acted, and so on."""
    return {"sub": f"actor-{depth}", **({"act": acting(depth - 1)} if depth > 1 else {})}


EXPIRES = f'"exp": {CLAIMS["exp"]}'
OTHERS = {**OTHER_KEY.as_dict(private=False)}

ATTACKS: dict[str, Callable[[Forge], str]] = {
    "alg none": lambda _: unsigned("none"),
    "alg None": lambda _: unsigned("None"),
    "alg nOnE": lambda _: unsigned("nOnE"),
    "alg none with a signature": lambda f: unsigned("none", parts(f)[2]),
    "alg empty": lambda f: f.with_header(alg=""),
    "alg absent": lambda f: f.token(header={"kid": f.key.kid}),
    "alg null": lambda f: f.with_header(alg=None),
    "alg number": lambda f: f.with_header(alg=1),
    "alg list": lambda f: f.with_header(alg=["Ed25519"]),
    "alg object": lambda f: f.with_header(alg={"a": 1}),
    "alg in lower case": lambda f: f.with_header(alg="ed25519"),
    "alg Ed448": lambda f: f.with_header(alg="Ed448"),
    "HS256 with the public key's bytes": lambda f: f.hmac("HS256", f.public_bytes()),
    "HS256 with the public key's text": lambda f: f.hmac("HS256", str(f.public()["x"]).encode()),
    "HS256 with the JWK": lambda f: f.hmac("HS256", json.dumps(f.public()).encode()),
    "HS256 with nothing": lambda f: f.hmac("HS256", b""),
    "RS256": lambda f: f.with_header(alg="RS256"),
    "ES256": lambda f: f.with_header(alg="ES256"),
    "another key under the issuer's kid": lambda f: f.token(key=OTHER_KEY),
    "another key under its own kid": lambda f: f.forged(kid=OTHER_KEY.kid),
    "another key without a kid": lambda f: f.token(header={"alg": "Ed25519"}, key=OTHER_KEY),
    "kid path": lambda f: f.forged(kid="../../../../dev/null"),
    "kid SQL": lambda f: f.forged(kid="x' UNION SELECT 'key' -- "),
    "kid URL": lambda f: f.forged(kid="https://attacker.example/key"),
    "kid command": lambda f: f.forged(kid="|id"),
    "kid null character": lambda f: f.forged(kid=f"{f.key.kid}\0"),
    "kid number": lambda f: f.with_header(kid=1),
    "kid list": lambda f: f.with_header(kid=[f.key.kid]),
    "kid null": lambda f: f.with_header(kid=None),
    "kid object": lambda f: f.with_header(kid={"$ne": ""}),
    "jku": lambda f: f.forged(jku="https://attacker.example/jwks.json"),
    "x5u": lambda f: f.forged(x5u="https://attacker.example/cert.pem"),
    "x5c": lambda f: f.forged(x5c=["MIIB"]),
    "embedded jwk": lambda f: f.forged(jwk=OTHERS),
    "embedded jwk under its own kid": lambda f: f.forged(jwk=OTHERS, kid=OTHER_KEY.kid),
    "crit unknown": lambda f: f.with_header(crit=["exp2"], exp2=1),
    "crit of a claim": lambda f: f.with_header(crit=["exp"], exp=1),
    "crit empty": lambda f: f.with_header(crit=[]),
    "crit text": lambda f: f.with_header(crit="b64"),
    "b64 false": lambda f: f.with_header(crit=["b64"], b64=False),
    "compressed": lambda f: f.with_header(zip="DEF"),
    "header twice the same name": lambda f: f.token(
        header=f'{{"alg":"none","alg":"Ed25519","kid":"{f.key.kid}"}}'.encode()
    ),
    "header list": lambda f: f.token(header=[]),
    "header no JSON": lambda f: f.token(header=b"alg=none"),
    "header nested deep": lambda f: f.token(header=b"[" * 3000),
    "typ of a logout": lambda f: f.with_header(typ="logout+jwt"),
    "typ of a grant": lambda f: f.with_header(typ="placet-grant+jwt"),
    "typ of a security event": lambda f: f.with_header(typ="secevent+jwt"),
    "typ of a DPoP proof": lambda f: f.with_header(typ="dpop+jwt"),
    "typ longer": lambda f: f.with_header(typ="application/at+jwt;x"),
    "typ empty": lambda f: f.with_header(typ=""),
    "typ null": lambda f: f.with_header(typ=None),
    "typ list": lambda f: f.with_header(typ=["JWT"]),
    "events of a logout": lambda f: f.token(events={"http://schemas.openid.net/event/backchannel-logout": {}}),
    "events null": lambda f: f.token(events=None),
    "exp in ten years": lambda f: f.token(**at(exp=10 * 365 * 86_400)),
    "exp in ten years, iat in nine": lambda f: f.token(**at(exp=10 * 365 * 86_400, iat=9 * 365 * 86_400)),
    "exp in a day and more, no iat": lambda f: f.token(**at(exp=86_400 + 60), iat=...),
    "exp a day and more behind iat": lambda f: f.token(**at(exp=600, iat=-86_000)),
    "expired": lambda f: f.token(**at(exp=-31)),
    "expired long ago": lambda f: f.token(exp=0),
    "exp negative": lambda f: f.token(exp=-1),
    "exp absent": lambda f: f.token(exp=...),
    "exp null": lambda f: f.token(exp=None),
    "exp text": lambda f: f.token(exp="9999999999"),
    "exp boolean": lambda f: f.token(exp=True),
    "exp list": lambda f: f.token(exp=[9999999999]),
    "exp NaN": lambda f: f.raw_claims(EXPIRES, '"exp": NaN'),
    "exp Infinity": lambda f: f.raw_claims(EXPIRES, '"exp": Infinity'),
    "exp 1e400": lambda f: f.raw_claims(EXPIRES, '"exp": 1e400'),
    "exp of 400 digits": lambda f: f.raw_claims(EXPIRES, '"exp": 1' + "0" * 400),
    "exp twice": lambda f: f.raw_claims(EXPIRES, f'"exp": 1, {EXPIRES}'),
    "nbf in the future": lambda f: f.token(**at(nbf=60)),
    "nbf text": lambda f: f.token(nbf="0"),
    "iat in the future": lambda f: f.token(**at(iat=60)),
    "iat boolean": lambda f: f.token(iat=True),
    "iss absent": lambda f: f.token(iss=...),
    "iss unknown": lambda f: f.token(iss="https://attacker.example"),
    "iss with a suffix": lambda f: f.token(iss=USERS + ".attacker.example"),
    "iss with a slash": lambda f: f.token(iss=USERS + "/"),
    "iss in upper case": lambda f: f.token(iss=USERS.upper()),
    "iss list": lambda f: f.token(iss=[USERS]),
    "iss null": lambda f: f.token(iss=None),
    "iss twice": lambda f: f.raw_claims(f'"iss": "{USERS}"', f'"iss": "{AGENTS}", "iss": "{USERS}"'),
    "iss of another issuer with another key": lambda f: f.token(iss="https://other.example"),
    "aud absent": lambda f: f.token(aud=...),
    "aud null": lambda f: f.token(aud=None),
    "aud empty": lambda f: f.token(aud=""),
    "aud empty list": lambda f: f.token(aud=[]),
    "aud longer": lambda f: f.token(aud=AUDIENCE + "-2"),
    "aud shorter": lambda f: f.token(aud=AUDIENCE[:-1]),
    "aud in upper case": lambda f: f.token(aud=AUDIENCE.upper()),
    "aud of others": lambda f: f.token(aud=["a", "b"]),
    "aud nested": lambda f: f.token(aud=[[AUDIENCE]]),
    "aud object": lambda f: f.token(aud={AUDIENCE: True}),
    "sub absent": lambda f: f.token(sub=...),
    "sub null": lambda f: f.token(sub=None),
    "sub empty": lambda f: f.token(sub=""),
    "sub number": lambda f: f.token(sub=1),
    "sub list": lambda f: f.token(sub=["alice"]),
    "sub with a control character": lambda f: f.token(sub="alice\nbob"),
    "sub with a null character": lambda f: f.token(sub="alice\0"),
    "sub of 1,025 bytes": lambda f: f.token(sub="x" * 1025),
    "sub twice": lambda f: f.raw_claims('"sub": "alice"', '"sub": "alice", "sub": "bob"'),
    "act null": lambda f: f.token(act=None),
    "act text": lambda f: f.token(act="bob"),
    "act list": lambda f: f.token(act=[{"sub": "bob"}]),
    "act empty": lambda f: f.token(act={}),
    "act without sub": lambda f: f.token(act={"iss": USERS}),
    "act sub null": lambda f: f.token(act={"sub": None}),
    "act sub empty": lambda f: f.token(act={"sub": ""}),
    "act sub number": lambda f: f.token(act={"sub": 1}),
    "act sub with a control character": lambda f: f.token(act={"sub": "bob\n"}),
    "act iss null": lambda f: f.token(act={"sub": "bob", "iss": None}),
    "act iss list": lambda f: f.token(act={"sub": "bob", "iss": [USERS]}),
    "act iss unknown": lambda f: f.token(act={"sub": "bob", "iss": "https://attacker.example"}),
    "act of an issuer that this one does not speak for": lambda f: f.token(act={"sub": "report-bot", "iss": AGENTS}),
    "act of such an issuer behind another": lambda f: f.token(act={"sub": "b", "act": {"sub": "c", "iss": AGENTS}}),
    "act nine deep": lambda f: f.token(act=acting(9)),
    "act twice": lambda f: f.raw_claims('"sub": "alice"', '"sub": "alice", "act": {"sub": "a"}, "act": {"sub": "b"}'),
    "act sub twice": lambda f: f.raw_claims('"sub": "alice"', '"sub": "alice", "act": {"sub": "a", "sub": "b"}'),
    "act roles number": lambda f: f.token(act={"sub": "bob", "roles": 1}),
    "cnf of a certificate without one": lambda f: f.token(cnf={"x5t#S256": "A" * 43}),
    "cnf null": lambda f: f.token(cnf=None),
    "cnf text": lambda f: f.token(cnf="x5t#S256"),
    "cnf empty": lambda f: f.token(cnf={}),
    "cnf of an empty thumbprint": lambda f: f.token(cnf={"x5t#S256": ""}),
    "cnf of a thumbprint that is none": lambda f: f.token(cnf={"x5t#S256": None}),
    "cnf of a key": lambda f: f.token(cnf={"jwk": f.public()}),
    "cnf of a DPoP key": lambda f: f.token(cnf={"jkt": "A" * 43}),
    "cnf of a certificate and a key": lambda f: f.token(cnf={"x5t#S256": "A" * 43, "jkt": "A" * 43}),
    "roles number": lambda f: f.token(roles=1),
    "roles object": lambda f: f.token(roles={"reviewer": True}),
    "roles of numbers": lambda f: f.token(roles=[1]),
    "roles null": lambda f: f.token(roles=None),
    "groups number": lambda f: f.token(groups=1),
    "groups nested": lambda f: f.token(groups=[["data-stewards"]]),
    "payload list": lambda f: f.token([CLAIMS]),
    "payload text": lambda f: f.token(b"hello"),
    "payload empty": lambda f: f.token(b""),
    "payload nested deep": lambda f: f.token(b"[" * 3000),
    "payload in UTF-16": lambda f: f.token(json.dumps(CLAIMS).encode("utf-16")),
    "payload with a byte order mark": lambda f: f.token(b"\xef\xbb\xbf" + json.dumps(CLAIMS).encode()),
    "payload changed": lambda f: ".".join([parts(f)[0], encoded({**CLAIMS, "sub": "bob"}), parts(f)[2]]),
    "signature absent": lambda f: ".".join([*parts(f)[:2], ""]),
    "signature truncated": lambda f: f.token()[:-8],
    "signature longer": lambda f: f.token() + "AAAA",
    "signature with a bit flipped": lambda f: f.token()[:-8] + "AAAAAAAA",
    "one part": lambda _: "token",
    "two parts": lambda f: ".".join(parts(f)[:2]),
    "four parts": lambda f: f.token() + ".x",
    "five parts, like a JWE": lambda f: f.token() + ".x.y",
    "only dots": lambda _: "..",
    "JSON serialization": lambda f: json.dumps(dict(zip(("protected", "payload", "signature"), parts(f), strict=True))),
    "larger than 8 KiB": lambda f: f.token(note="x" * MAX_TOKEN_BYTES),
    "a line behind it": lambda f: f.token() + "\n",
    "a space behind it": lambda f: f.token() + " ",
    "padding": lambda f: f.token() + "==",
    "no base64url inside": lambda f: f.token().replace(".", ".!", 1),
}
