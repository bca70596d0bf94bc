"""Whether the certificates of the listeners can be used, how they hang together, and when they end."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from pdp.authn.tls_files import TlsFiles
from pdp.config import Config, Tls
from pdp.errors import SetupError
from pdp.server.levels import listeners
from pdp.server.observed import Observed, doubtful, fine, wrong

SOON = timedelta(days=14)
"""The time before its end in which a certificate is worth a line, as in the alerts."""
_RENEW = "renew it and put it into the same file, which servers read again"


def certificates(config: Config) -> Iterator[Observed]:
    """What is found of each listener's files."""
    for name, tls in listeners(config).items():
        yield from _of_listener(f"TLS of {name}", tls)


def _of_listener(what: str, tls: Tls) -> Iterator[Observed]:
    try:
        TlsFiles(tls, demanding=tls.client_ca is not None).content()
        chain = x509.load_pem_x509_certificates(tls.certificate.read_bytes())
        signers = x509.load_pem_x509_certificates(tls.client_ca.read_bytes()) if tls.client_ca else []
    except SetupError as error:
        yield wrong(what, error.sentence)
        return
    found = [*_times(what, tls.certificate, chain), *_order(what, tls.certificate, chain)]
    if tls.client_ca:
        found += _times(f"{what}, client_ca", tls.client_ca, signers)
    yield from found
    if not found:
        days = (min(one.not_valid_after_utc for one in chain) - datetime.now(UTC)).days
        yield fine(what, f"the chain of {tls.certificate} hangs together, {days} days left")


def _times(what: str, path: Path, chain: Sequence[x509.Certificate]) -> Iterator[Observed]:
    now = datetime.now(UTC)
    for certificate in chain:
        who = f"{path}: the certificate of {_subject(certificate)}"
        ends, left = certificate.not_valid_after_utc, certificate.not_valid_after_utc - now
        if left < timedelta():
            yield wrong(what, f"{who} ended on {ends:%Y-%m-%d}; {_RENEW}")
        elif certificate.not_valid_before_utc > now:
            begins = certificate.not_valid_before_utc
            yield wrong(what, f"{who} counts from {begins:%Y-%m-%d %H:%M} UTC on; set this machine's clock, or wait")
        elif left < SOON:
            yield doubtful(what, f"{who} ends in {left.days} days; {_RENEW}")


def _order(what: str, path: Path, chain: Sequence[x509.Certificate]) -> Iterator[Observed]:
    """Each certificate is signed by the next one in the file."""
    for certificate, signer in pairwise(chain):
        try:
            certificate.verify_directly_issued_by(signer)
        except (ValueError, TypeError, InvalidSignature):
            yield wrong(
                what,
                f"{path}: the certificate of {_subject(signer)} did not sign the one before it; write the server's own "
                "first, and behind it the one that signed it, up to the authority",
            )


def _subject(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or "an empty subject"
