"""The authorities that sign clients' certificates, from a file that is read again when it changes.

TLS verifies a certificate when its connection begins, and a connection may stay for long. So each use of a certificate
is held against the authorities of today.
"""

import logging
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from pdp.authn.refusal import Refused
from pdp.errors import SetupError
from pdp.keys import stamp
from pdp.unread import unread

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Seconds between two looks at the file. It bounds how long a removed authority still counts."""
MAX_CHAIN = 8
"""Certificates between a client's and its authority's. It bounds the work of one verification."""
_BLOCK = re.compile(rb"-----BEGIN [^-\n]*-----")


class Trusted:
    """The authorities of one content of the file."""

    def __init__(self, pem: bytes) -> None:
        self.pem = pem
        self._store = Store(x509.load_pem_x509_certificates(pem))

    def require_signed(self, certificate: x509.Certificate, chain: bytes) -> None:
        """Raise `Refused` unless one of the authorities signed it, or signed a certificate of `chain` that did.

        `chain` is in PEM, as the client sent it, and may be empty. Raises `ValueError` if it cannot be read.
        """
        between = x509.load_pem_x509_certificates(chain)[:MAX_CHAIN] if chain else []
        builder = PolicyBuilder().store(self._store).time(datetime.now(UTC)).max_chain_depth(MAX_CHAIN)
        every = ExtensionPolicy.permit_all()  # what a client's certificate must say is looked at elsewhere
        signers = every.require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _require_authority)
        verifier = builder.extension_policies(ca_policy=signers, ee_policy=every).build_client_verifier()
        try:
            verifier.verify(certificate, between)
        except VerificationError:
            raise Refused("no authority of tls.client_ca, as it is now, signed it") from None


class Authorities:
    """The authorities of a file. Raises `SetupError` at once if it holds none; later the last good content stays."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = path, clock
        self._stamp, self._looked = stamp(path), clock()
        self._trusted = Trusted(authorities(path))

    @property
    def trusted(self) -> Trusted:
        """The authorities of today. Others are another object, so `is` tells whether they were replaced."""
        if self._clock() - self._looked >= LOOK_SECONDS:
            self._looked = self._clock()
            self._look()
        return self._trusted

    def require_signed(self, certificate: x509.Certificate, chain: bytes) -> Trusted:
        """Raise `Refused` unless one of today's authorities signed it, as in `Trusted`; else return these.

        A certificate of a new authority makes it look at the file at once.
        """
        trusted = self.trusted
        try:
            trusted.require_signed(certificate, chain)
        except Refused:
            self._look()
            if self._trusted is trusted:
                raise
            self._trusted.require_signed(certificate, chain)
        return self._trusted

    def _look(self) -> None:
        now = stamp(self._path)
        if now == self._stamp:
            return
        self._stamp = now
        try:
            pem = authorities(self._path)
        except SetupError as error:
            log.warning("the last authorities of client certificates stay in force: %s", error.sentence)
        else:
            self._trusted = self._trusted if pem == self._trusted.pem else Trusted(pem)


def authorities(path: Path) -> bytes:
    """The content of a file of authorities in PEM. Raises `SetupError` unless each of its blocks is a certificate."""
    try:
        pem = path.read_bytes()
    except OSError as error:
        raise SetupError(f"tls.client_ca: {unread(path, error)}") from None
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError:
        found = []
    blocks = len(_BLOCK.findall(pem))
    if not found or len(found) != blocks:
        raise SetupError(
            f"tls.client_ca: {path} has {blocks} PEM blocks, not all of them whole certificates; write each authority "
            "of clients into it, whole, and nothing else in PEM"
        )
    return pem


def _require_authority(_: object, __: object, constraints: x509.BasicConstraints) -> None:
    if not constraints.ca:
        raise ValueError("it is not an authority's")
