"""A grant proves one allow to whoever has the published keys, and nothing else passes for one."""

import json
import warnings
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import OctKey, OKPKey

from pdp import jws
from pdp.client import GrantInvalid, verify_grant
from pdp.grant import Grantor, SpentGrants

AT = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
KEY = OKPKey.generate_key("Ed25519", auto_kid=True)
OTHER = OKPKey.generate_key("Ed25519", auto_kid=True)
AUDIT = OKPKey.generate_key("Ed25519", auto_kid=True)
CLAIMS = {
    "iss": "dev",
    "aud": "agent:bot",
    "jti": "dec_1",
    "approval": "apr_1",
    "digest": "d",
    "iat": int(AT.timestamp()),
    "exp": int(AT.timestamp()) + 30,
}
HEADER = {"alg": "EdDSA", "typ": "placet-grant+jwt", "kid": KEY.kid}


def public(key: OKPKey, **more: Any) -> dict[str, Any]:
    return {**key.as_dict(private=False), "use": "sig", "placet_use": "grant", **more}


JWKS = {"keys": [public(AUDIT, placet_use="audit"), public(KEY)]}


def signed(claims: dict[str, Any], header: dict[str, Any] | None = None, key: OKPKey = KEY) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        return jwt.encode(header or HEADER, claims, key, algorithms=["Ed25519", "EdDSA"])


def part(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def verified(grant: str, keys: Any = JWKS, **changes: Any) -> dict[str, Any]:
    about: dict[str, Any] = {"caller": "agent:bot", "digest": "d", "realm": "dev", "now": AT, **changes}
    return verify_grant(grant, keys, **about)


@pytest.mark.parametrize("keys", [JWKS, json.dumps(JWKS)])
@pytest.mark.parametrize("approval_id", ["apr_1", ""])
def test_a_grant_of_the_server_gives_its_claims(keys: Any, approval_id: str) -> None:
    grant = Grantor(KEY, "dev").grant(
        caller="agent:bot", decision_id="dec_1", approval_id=approval_id, digest="d", at=AT
    )
    wanted = {name: value for name, value in CLAIMS.items() if approval_id or name != "approval"}
    assert verified(grant, keys) == wanted


@pytest.mark.parametrize(
    ("seconds", "says"), [(-5.1, "behind"), (-5, ""), (0, ""), (29.9, ""), (30, "is over"), (3600, "is over")]
)
def test_it_lives_for_its_30_seconds(seconds: float, says: str) -> None:
    now = AT + timedelta(seconds=seconds)
    if not says:
        assert verified(signed(CLAIMS), now=now) == CLAIMS
        return
    with pytest.raises(GrantInvalid, match=says):
        verified(signed(CLAIMS), now=now)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"caller": "agent:other"}, "another caller"),
        ({"caller": "agent:bot "}, "another caller"),
        ({"digest": "e"}, "another request"),
        ({"realm": "prod"}, "another realm"),
    ],
)
def test_it_is_for_one_caller_request_and_realm(changes: dict[str, str], says: str) -> None:
    with pytest.raises(GrantInvalid, match=says):
        verified(signed(CLAIMS), **changes)


@pytest.mark.parametrize("name", ["EdDSA", "Ed25519"])
def test_both_names_of_the_algorithm_are_accepted(name: str) -> None:
    assert verified(signed(CLAIMS, {**HEADER, "alg": name})) == CLAIMS


HMAC = OctKey.import_key(json.dumps(public(KEY)))
FORGED = {
    "by another key": signed(CLAIMS, key=OTHER),
    "by another key under its own name": signed(CLAIMS, {**HEADER, "kid": OTHER.kid}, OTHER),
    "by the audit key": signed(CLAIMS, {**HEADER, "kid": AUDIT.kid}, AUDIT),
    "of another type": signed(CLAIMS, {**HEADER, "typ": "JWT"}),
    "without a type": signed(CLAIMS, {"alg": "EdDSA", "kid": KEY.kid}),
    "without a key id": signed(CLAIMS, {"alg": "EdDSA", "typ": "placet-grant+jwt"}),
    "with a key in its header": signed(CLAIMS, {**HEADER, "jwk": OTHER.as_dict(private=False)}, OTHER),
    "unsigned": f"{part({**HEADER, 'alg': 'none'})}.{part(CLAIMS)}.",
    "by HMAC with the public key": jwt.encode({**HEADER, "alg": "HS256"}, CLAIMS, HMAC, algorithms=["HS256"]),
    "with other claims": ".".join([signed(CLAIMS).split(".")[0], part({**CLAIMS, "digest": "d"}), "AAAA"]),
    "nothing": "",
    "no token": "a.b",
    "not text of one": "ü.\ud800.\0",
    "a list": f"{part([])}.{part([])}.AAAA",
    "too long": signed(CLAIMS) + "A" * 9000,
}


@pytest.mark.parametrize("grant", FORGED.values(), ids=FORGED)
def test_what_the_grant_key_did_not_sign_is_no_grant(grant: str) -> None:
    with pytest.raises(GrantInvalid, match=r"not signed|longer than"):
        verified(grant)


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "agent:bot"},
        {"nbf": CLAIMS["iat"]},
        {"jti": None},
        {"approval": ""},
        {"approval": None},
        {"aud": ["agent:bot"]},
        {"iss": 1},
        {"digest": ""},
        {"exp": str(CLAIMS["exp"])},
        {"exp": float(AT.timestamp()) + 30.5},
        {"exp": int(AT.timestamp()) + 3600},
        {"exp": int(AT.timestamp())},
        {"iat": True},
    ],
    ids=str,
)
def test_claims_are_exactly_those_of_a_grant(changes: dict[str, Any]) -> None:
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if name != "jti" or value is not None}
    with pytest.raises(GrantInvalid, match="exactly the claims"):
        verified(signed(claims))


@pytest.mark.parametrize(
    "keys",
    ["", "[]", "{", "null", {}, {"keys": None}, {"keys": 1}],
    ids=str,
)
def test_keys_that_are_none_verify_nothing(keys: Any) -> None:
    with pytest.raises(GrantInvalid, match="not a JWK Set"):
        verified(signed(CLAIMS), keys)


@pytest.mark.parametrize(
    "members",
    [
        [],
        ["x"],
        [public(AUDIT)],
        [public(KEY, placet_use="audit")],
        [{**public(KEY), "kty": "EC"}],
        [{**public(KEY), "x": None}],
        [public(KEY), public(OTHER, kid=KEY.kid)],
    ],
    ids=["none", "no key", "another", "for the log", "of another kind", "without its point", "two of one name"],
)
def test_only_the_one_published_grant_key_of_that_name_counts(members: list[Any]) -> None:
    with pytest.raises(GrantInvalid, match="not signed"):
        verified(signed(CLAIMS), {"keys": members})


def granted(**changes: Any) -> str:
    at = AT.replace(microsecond=999_999)
    members = {"caller": "agent:bot", "decision_id": "dec_1", "approval_id": "apr_1", "digest": "d", "at": at}
    return Grantor(KEY, "dev").grant(**{**members, **changes})


def test_grant_is_equal_for_equal_arguments_and_tells_others_apart() -> None:
    assert granted() == granted()
    changes = [
        {"caller": "x"},
        {"decision_id": "x"},
        {"approval_id": "x"},
        {"digest": "x"},
        {"at": AT + timedelta(seconds=1)},
    ]
    assert len({granted(**change) for change in changes} | {granted()}) == 6


def test_grant_lives_for_30_seconds() -> None:
    claims = jws.claims(granted(), KEY)
    assert claims["iat"] == int(AT.timestamp())
    assert claims["exp"] == claims["iat"] + 30
    assert jws.header(granted()) == {"alg": "EdDSA", "typ": "placet-grant+jwt", "kid": KEY.kid}


def test_grant_is_spent_once_until_it_ends() -> None:
    spent = SpentGrants()
    spent.spend(CLAIMS, AT)
    spent.spend({**CLAIMS, "jti": "dec_2"}, AT)
    with pytest.raises(GrantInvalid, match="dec_1 was used before"):
        spent.spend(CLAIMS, AT + timedelta(seconds=29))
    spent.spend(CLAIMS, AT + timedelta(seconds=30))  # over by then: `verify_grant` refuses it
