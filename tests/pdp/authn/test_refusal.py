"""Why a credential was refused stands in the log by issuer, key and reason, and never in the answer."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from pdp.authn.authenticator import Authenticator
from pdp.authn.authorities import Authorities
from pdp.authn.refusal import MAX_SENTENCES, SILENT_SECONDS, Notices
from pdp.dev.identity import USERS
from pdp.errors import Unauthenticated
from tests.certificates import Authority, uri
from tests.pdp.forge import ATTACKS, OTHER_KEY, Forge, at, issuer

REASONS: dict[str, tuple[Callable[[Forge], str], str]] = {
    "another issuer": (lambda f: f.token(iss="https://x.example"), "no issuer of this name is configured"),
    "another key": (lambda f: f.forged(kid="k-2"), "the issuer has no key of this id"),
    "a forged signature": (lambda f: f.token(key=OTHER_KEY), "its signature is not of this key"),
    "another algorithm": (lambda f: f.with_header(alg="ES256"), "its `alg` does not fit; the issuer's entry and this"),
    "another audience": (lambda f: f.token(aud="payroll"), "its `aud` is another; the issuer's entry says placet"),
    "expired": (lambda f: f.token(**at(exp=-3700)), "it ended 1 h ago"),
    "too early": (lambda f: f.token(**at(nbf=100)), "it begins in 1 min; look at the clocks"),
    "no end": (lambda f: f.token(exp=...), "`aud`, `exp`, `nbf` or `iat` is missing"),
    "a critical extension": (
        lambda f: f.with_header(crit=["exp"], exp=1),
        "its header asks for what this server does not know",
    ),
    "an actor of others": (lambda f: f.token(act={"sub": "b", "iss": "x"}), "`act` or `cnf` is of a form"),
    "of another kind": (lambda f: f.with_header(typ="logout+jwt"), "its `typ` is not of a token"),
    "of events": (lambda f: f.token(events={}), "it tells of events"),
    "too long": (lambda f: f.token(**at(exp=300_000)), "it lives for 3 d; the issuer's entry allows 1 d"),
    "no subject": (lambda f: f.token(sub=...), "`sub` is not an id"),
    "groups of numbers": (lambda f: f.token(groups=[1]), "a roles or groups claim is neither"),
    "no JWT": (lambda _: "abc", "it is not a JWT"),
}


def refusals(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines of the authentication alone; what other tests left behind may say something, too."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("pdp.authn.")]


@pytest.mark.parametrize(("token", "reason"), REASONS.values(), ids=REASONS.keys())
async def test_log_says_why_a_token_was_refused(
    token: Callable[[Forge], str],
    reason: str,
    folder: Path,
    forge: Forge,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await Authenticator([issuer(folder)]).caller("Bearer " + token(forge))
    (line,) = refusals(caplog)
    assert line.startswith("a token was refused: issuer ")
    assert reason in line
    assert reason not in refused.value.sentence


async def test_line_names_issuer_and_key(folder: Path, forge: Forge, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Unauthenticated):
        await Authenticator([issuer(folder)]).caller("Bearer " + forge.forged(kid="k-2"))
    assert refusals(caplog) == [f"a token was refused: issuer '{USERS}', key 'k-2': the issuer has no key of this id"]


@pytest.mark.parametrize("attack", ATTACKS)
async def test_every_refusal_is_one_line_that_holds_no_token(
    attack: str, folder: Path, forge: Forge, caplog: pytest.LogCaptureFixture
) -> None:
    token = ATTACKS[attack](forge)
    with pytest.raises(Unauthenticated):
        await Authenticator([issuer(folder)]).caller("Bearer " + token)
    (line,) = refusals(caplog)
    assert line.isprintable()
    assert line.isascii()
    assert len(line) < 450
    assert len(token) < 100 or token[-40:] not in line


async def test_issuer_without_keys_is_said(forge: Forge, caplog: pytest.LogCaptureFixture, folder: Path) -> None:
    away = Authenticator([issuer(folder, jwks="https://127.0.0.1:9/jwks.json")])
    with pytest.raises(Unauthenticated):
        await away.caller("Bearer " + forge.token())
    assert "there are no keys of this issuer now" in caplog.messages[-1]


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        (None, "neither a token nor a client certificate came"),
        ("Basic eDp5", "its `authorization` is not `Bearer <token>`, once"),
        ("Bearer " + "x" * 9000, "its token is larger than 8192 bytes"),
    ],
)
async def test_log_says_what_is_wrong_with_the_header(
    authorization: str | None, reason: str, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Unauthenticated):
        await Authenticator([issuer(folder)]).caller(authorization)
    assert reason in caplog.messages[0]


async def test_certificate_and_bound_token_are_said(
    folder: Path, forge: Forge, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority = Authority(tmp_path)
    several = Authenticator([issuer(folder)], authorities=Authorities(authority.ca))
    pem = authority.issue("stranger", [uri("spiffe://example.org/x")]).pem
    with pytest.raises(Unauthenticated):
        await several.caller(None, pem)
    with pytest.raises(Unauthenticated):
        await several.caller("Bearer " + forge.token(cnf={"x5t#S256": "A" * 43}), pem)
    certificate, token = caplog.messages
    assert certificate == "a client certificate was refused: no entry of the configuration covers its SPIFFE ID"
    assert token.endswith("it came without the certificate that its `cnf` names")


def test_what_repeats_is_counted_and_told_after_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    notices = Notices(lambda: now)
    for _ in range(1000):
        notices.say("again")
    assert caplog.messages == ["again"]
    now = SILENT_SECONDS
    notices.say("again")
    assert caplog.messages[1:] == ["999 more like those of the last minute", "again"]


def test_flood_of_different_refusals_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    notices = Notices(lambda: 0.0)
    for number in range(10 * MAX_SENTENCES):
        notices.say(f"number {number}")
    assert len(caplog.messages) == MAX_SENTENCES
