"""The authorities of client certificates: what a file of them must be, and who was signed by one of today."""

import os
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from pdp.authn.authorities import LOOK_SECONDS, Authorities, Trusted, authorities
from pdp.authn.refusal import Refused
from pdp.errors import SetupError
from tests.certificates import BROKEN, Authority, Pair


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def read(pair: Pair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.pem)


def below(folder: Path, pair: Pair) -> Authority:
    """Who signs with the key of `pair`."""
    made = Authority(folder, f"below-{pair.certificate.stem}")
    made._key, made._name = load_pem_private_key(pair.key.read_bytes(), None), read(pair).subject  # type: ignore[assignment]
    return made


@pytest.mark.parametrize("name", BROKEN)
def test_file_that_is_not_whole_is_refused_with_its_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / "clients.pem"
    path.write_bytes(BROKEN[name](Authority(tmp_path).ca.read_bytes()))
    with pytest.raises(SetupError, match=r"tls\.client_ca: .*clients\.pem has \d PEM blocks, not all"):
        Authorities(path)


def test_comments_between_authorities_are_welcome(tmp_path: Path) -> None:
    one, other = Authority(tmp_path), Authority(tmp_path, "other")
    path = tmp_path / "clients.pem"
    path.write_bytes(b"# one\n" + one.ca.read_bytes() + b"\n# other\n" + other.ca.read_bytes())
    trusted = Trusted(authorities(path))
    for authority in (one, other):
        trusted.require_signed(read(authority.agent()), b"")
        trusted.require_signed(read(authority.issue("etl", uses=())), b"")


def test_chain_leads_over_authorities_alone(tmp_path: Path) -> None:
    root = Authority(tmp_path)
    trusted = Trusted(root.ca.read_bytes())
    between, leaf = root.issue("between", uses=(), ca=True), root.issue("leaf")
    good, bad = below(tmp_path, between).agent(), below(tmp_path, leaf).agent()
    trusted.require_signed(read(good), between.pem)
    trusted.require_signed(read(good), good.pem + between.pem)
    for certificate, chain in (
        (good, b""),
        (bad, leaf.pem),
        (Authority(tmp_path, "other").agent(), root.ca.read_bytes()),
    ):
        with pytest.raises(Refused, match="no authority of"):
            trusted.require_signed(read(certificate), chain)


def test_the_last_good_content_stays_and_it_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock, path, one, other = Clock(), tmp_path / "clients.pem", Authority(tmp_path), Authority(tmp_path, "other")
    path.write_bytes(one.ca.read_bytes())
    found = Authorities(path, clock)
    first = found.trusted
    for content in (b"half", one.ca.read_bytes()[:99], one.ca.read_bytes()):
        (tmp_path / "new").write_bytes(content)
        os.replace(tmp_path / "new", path)  # noqa: PTH105  # as rotations do
        for _ in range(3):
            clock.seconds += LOOK_SECONDS
            assert found.trusted is first
    assert [line.count("stay in force") for line in caplog.messages] == [1, 1]
    path.write_bytes(one.ca.read_bytes() + other.ca.read_bytes())
    assert found.trusted is first, "it looks once a second"
    assert found.require_signed(read(other.agent()), b"") is not first, "or when a stranger comes"
    path.write_bytes(one.ca.read_bytes())
    with pytest.raises(Refused):
        Authorities(path, clock).require_signed(read(other.agent()), b"")
    clock.seconds += LOOK_SECONDS
    with pytest.raises(Refused):
        found.require_signed(read(other.agent()), b"")
