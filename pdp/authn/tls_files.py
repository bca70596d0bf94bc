"""The files with which a listener proves itself and asks for certificates, read again when they change."""

import logging
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from pdp.authn.authorities import authorities
from pdp.config import Tls
from pdp.errors import SetupError
from pdp.keys import secret, stamp
from pdp.unread import unread

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TlsContent:
    """The content of a listener's files, in PEM. `signers` are the authorities of clients, where they are demanded."""

    chain: bytes
    key: bytes
    signers: bytes | None


class TlsFiles:
    """The files of a listener, which demands a certificate of each client or asks nobody for one."""

    def __init__(self, tls: Tls, *, demanding: bool) -> None:
        self.tls, self._demanding = tls, demanding
        self._stamp = self._stamps()

    def content(self) -> TlsContent:
        """What is in the files. Raises `SetupError` if it cannot be used."""
        key = secret(self.tls.key) if self.tls.key.exists() else _bytes(self.tls.key, "key")
        chain = _bytes(self.tls.certificate, "certificate")
        try:
            private = load_pem_private_key(key, None).public_key()
            public = x509.load_pem_x509_certificates(chain)[0].public_key()
        except (ValueError, TypeError):
            raise SetupError(
                f"tls: {self.tls.certificate} or {self.tls.key} is not a PEM file without a password"
            ) from None
        if _der(private) != _der(public):
            raise SetupError(f"tls: {self.tls.key} is not the key of {self.tls.certificate}")
        signers = authorities(self.tls.client_ca) if self._demanding and self.tls.client_ca else None
        return TlsContent(chain, key, signers)

    def changed(self) -> TlsContent | None:
        """The content if it has changed, else None. If the new content cannot be used, the last one stays."""
        now = self._stamps()
        if now == self._stamp:
            return None
        self._stamp = now
        try:
            return self.content()
        except SetupError as error:
            log.warning("the last TLS files stay in use: %s", error.sentence)
            return None

    def _stamps(self) -> tuple[tuple[int, int, int], ...]:
        return tuple(stamp(path) for path in (self.tls.certificate, self.tls.key, self.tls.client_ca) if path)


def _der(key: object) -> bytes:
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))  # type: ignore[attr-defined]  # a union


def _bytes(path: Path, field: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"tls.{field}: {unread(path, error)}") from None
