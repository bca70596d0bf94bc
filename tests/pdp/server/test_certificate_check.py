"""What is said of the certificates of listeners, and of those that signed them."""

from pathlib import Path

from pdp.config import Config, Tls
from pdp.dev.stack import configuration
from pdp.server.certificate_check import certificates
from pdp.server.observed import Level
from tests.certificates import Authority


def config(state: Path, tls: Tls) -> Config:
    plain = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri="mongodb://127.0.0.1:1")
    return plain.model_copy(update={"tls": tls, "http": None})


def said(state: Path, tls: Tls) -> list[tuple[Level, str]]:
    return [(one.level, one.sentence) for one in certificates(config(state, tls))]


def test_days_that_are_left(state: Path, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    for days, level, words in (
        ((-1, 30.5), Level.OK, "hangs together, 30 days left"),
        ((-1, 3.5), Level.WARNING, "ends in 3 days; renew it"),
        ((-9, -1), Level.WRONG, "ended on"),
        ((1, 90), Level.WRONG, "counts from"),
    ):
        pair = authority.server(days=days)
        [(found, sentence)] = said(state, Tls(certificate=pair.certificate, key=pair.key))
        assert (found, words in sentence) == (level, True), sentence


def test_a_chain_in_the_wrong_order(state: Path, tmp_path: Path) -> None:
    pair, other = Authority(tmp_path).server(days=(-1, 90)), Authority(tmp_path, "other")
    pair.certificate.write_bytes(pair.pem + other.ca.read_bytes())
    found = said(state, Tls(certificate=pair.certificate, key=pair.key))
    assert any(level is Level.WRONG and "did not sign the one before it" in sentence for level, sentence in found)


def test_a_key_of_another_certificate_and_an_authority_that_ends(state: Path, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    one, two = authority.server(days=(-1, 90)), authority.server(days=(-1, 90))
    [(level, sentence)] = said(state, Tls(certificate=one.certificate, key=two.key))
    assert (level, "is not the key of" in sentence) == (Level.WRONG, True)
    found = said(state, Tls(certificate=one.certificate, key=one.key, client_ca=authority.ca))
    assert [level for level, _ in found] == [Level.WARNING], "the authority of the tests ends within a day"
