"""Which ID tokens log a person in, and which logout tokens log somebody out."""

import time
from pathlib import Path
from typing import Any

import pytest

from pdp import jws, keys
from pdp.authn.authenticator import Authenticator
from pdp.authn.login import LOGOUT, LoginTokens
from pdp.dev.identity import key_path
from pdp.errors import Unauthenticated
from tests.pdp.forge import issuer

NAME, CLIENT, NONCE = "https://login.example", "inbox", "n"
GROUPS = {"groups_claim": "groups", "roles_claim": "roles", "claims": ("department",)}


@pytest.fixture(scope="module")
def authenticator(folder: Path) -> Authenticator:
    entry = {"issuer": NAME, "type": "user", "kind": "person", "audience": ("api", CLIENT), "max_token_seconds": 3600}
    robots = {"issuer": "https://robots.example", "type": "robot", "kind": "workload", "audience": ("api", CLIENT)}
    return Authenticator([issuer(folder, **entry, **GROUPS), issuer(folder, **robots)])


@pytest.fixture(scope="module")
def tokens(authenticator: Authenticator) -> LoginTokens:
    return LoginTokens(authenticator, NAME, CLIENT)


def signed(folder: Path, kind: str = "JWT", **changes: Any) -> str:
    now = int(time.time())
    good = {"iss": NAME, "aud": CLIENT, "sub": "bob", "iat": now, "exp": now + 300, "nonce": NONCE}
    members = {name: value for name, value in {**good, **changes}.items() if value is not None}
    return jws.signed(kind, members, keys.private_key(key_path(folder)))


async def test_id_token_gives_the_caller_of_a_bearer_token(
    tokens: LoginTokens, authenticator: Authenticator, folder: Path
) -> None:
    token = signed(folder, sid="7", roles=["reviewer"], groups=["stewards"], department="sales", email="bob@a.example")
    found = await tokens.logged_in(token, NONCE)
    assert found.caller == authenticator.of_claims(found.claims)
    as_bearer = await authenticator.caller(f"Bearer {token}")
    assert (found.caller.identity, found.caller.roles, found.caller.groups, found.caller.claims) == (
        as_bearer.identity,
        as_bearer.roles,
        as_bearer.groups,
        as_bearer.claims,
    )
    assert found.sid == "7"
    assert "email" not in found.claims


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "other"},
        {"nonce": None},
        {"nonce": 1},
        {"aud": "api"},
        {"aud": "elsewhere"},
        {"aud": [CLIENT, "api"], "azp": "api"},
        {"act": {"sub": "agent"}},
        {"cnf": {"x5t#S256": "x"}},
        {"iss": "https://robots.example"},
        {"iss": "https://nobody.example"},
        {"exp": 1},
        {"exp": None},
        {"sub": "a\x00b"},
        {"groups": 1},
        {"events": {LOGOUT: {}}},
    ],
)
async def test_any_other_token_logs_nobody_in(tokens: LoginTokens, folder: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        await tokens.logged_in(signed(folder, **changes), NONCE)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "x" * 9000, "é"])
async def test_what_is_none_is_refused(tokens: LoginTokens, token: str) -> None:
    with pytest.raises(Unauthenticated):
        await tokens.logged_in(token, NONCE)
    with pytest.raises(Unauthenticated):
        await tokens.logged_out(token)


@pytest.mark.parametrize(
    "overflow", [{"_claim_names": {"groups": "src1"}}, {"hasgroups": True}], ids=["reference", "hasgroups"]
)
async def test_groups_that_are_named_by_reference_are_told_and_none_counts(
    tokens: LoginTokens, authenticator: Authenticator, folder: Path, overflow: dict[str, Any]
) -> None:
    found = await tokens.logged_in(signed(folder, **overflow), NONCE)
    assert authenticator.of_claims(found.claims).claims_elsewhere == ("groups",)
    assert found.caller.groups == ()


def out(folder: Path, kind: str = "logout+jwt", **changes: Any) -> str:
    return signed(folder, kind, **{"nonce": None, "events": {LOGOUT: {}}, **changes})


@pytest.mark.parametrize(
    ("changes", "identity", "sid"),
    [
        ({}, "user:bob", ""),
        ({"sid": "7"}, "user:bob", "7"),
        ({"sid": "7", "sub": None}, "", "7"),
        ({"exp": None}, "user:bob", ""),
    ],
)
async def test_logout_token_says_whose_logins_ended(
    tokens: LoginTokens, folder: Path, changes: dict[str, Any], identity: str, sid: str
) -> None:
    found = await tokens.logged_out(out(folder, **changes))
    assert (found.identity, found.sid) == (identity, sid)


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": NONCE},
        {"events": None},
        {"events": {"https://other.example": {}}},
        {"events": {LOGOUT: 1}},
        {"aud": "api"},
        {"iss": "https://robots.example"},
        {"iss": "https://nobody.example"},
        {"sub": None},
        {"sid": 7},
        {"iat": None},
        {"iat": 1, "exp": None},
        {"kind": "at+jwt"},
    ],
)
async def test_any_other_token_logs_nobody_out(tokens: LoginTokens, folder: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        await tokens.logged_out(out(folder, **changes))


async def test_logout_token_is_no_credential(authenticator: Authenticator, folder: Path) -> None:
    for kind in ("logout+jwt", "JWT"):
        with pytest.raises(Unauthenticated):
            await authenticator.caller(f"Bearer {out(folder, kind, aud='api')}")


@pytest.mark.parametrize(
    "claims", [{}, {"iss": "https://gone.example", "sub": "bob"}, {"iss": "https://robots.example", "sub": "r"}]
)
def test_claims_count_while_their_issuer_vouches_for_people(
    authenticator: Authenticator, claims: dict[str, Any]
) -> None:
    with pytest.raises(Unauthenticated):
        authenticator.of_claims(claims)
