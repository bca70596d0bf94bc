"""Finds the identity of a client certificate, by SPIFFE ID or by its subject. `authorities` verifies who signed it."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID

from pdp.authn.refusal import Refused
from pdp.identity_source import Certificates

_SPIFFE_ID = re.compile(r"spiffe://[a-z0-9._-]+(/[A-Za-z0-9._-]+)+")
_DOTS = {".", ".."}


@dataclass(frozen=True, slots=True)
class Presented:
    """A certificate that came with a connection.

    `thumbprint` is the base64url SHA-256 of its DER form (RFC 8705), `expires` in seconds since 1970.
    """

    certificate: x509.Certificate
    thumbprint: str
    expires: float

    @classmethod
    def read(cls, pem: bytes) -> "Presented":
        """Read a certificate. Raises `ValueError` if it is not a client's certificate that is valid now."""
        certificate = x509.load_pem_x509_certificate(pem)
        if not certificate.not_valid_before_utc <= datetime.now(UTC) <= certificate.not_valid_after_utc:
            raise Refused("it is not valid at this time")
        if not _is_for_clients(certificate):
            raise Refused("it is an authority's, or not for clients")
        thumbprint = urlsafe_b64encode(certificate.fingerprint(SHA256())).rstrip(b"=").decode()
        return cls(certificate, thumbprint, certificate.not_valid_after_utc.timestamp())

    def named_by(self, entries: Sequence[Certificates]) -> tuple[Certificates, str]:
        """The entry that covers the certificate, and its `sub`. Raises `ValueError` if no entry covers it."""
        uris = _uris(self.certificate)
        if uris:
            return _by_spiffe(uris, entries)
        subject = self.certificate.subject.rfc4514_string()
        for entry in entries:
            if subject in entry.subjects:
                return entry, entry.subjects[subject]
        raise Refused("no entry of the configuration has its subject")


def _is_for_clients(certificate: x509.Certificate) -> bool:
    """Whether it is a leaf certificate, and one that clients may use."""
    extensions = certificate.extensions
    try:
        if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
    except x509.ExtensionNotFound:
        pass
    try:
        uses = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.CLIENT_AUTH in uses


def _uris(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.UniformResourceIdentifier)


def _by_spiffe(uris: Sequence[str], entries: Sequence[Certificates]) -> tuple[Certificates, str]:
    """The entry for a SPIFFE ID. There must be exactly one URI, and it must be a SPIFFE ID (X509-SVID, section 2)."""
    uri = uris[0]
    if len(uris) > 1 or not _SPIFFE_ID.fullmatch(uri) or not _DOTS.isdisjoint(uri.split("/")):
        raise Refused("its URI is not one SPIFFE ID")
    for entry in entries:
        if entry.spiffe and uri.startswith(entry.spiffe):
            return entry, uri.removeprefix(entry.spiffe)
    raise Refused("no entry of the configuration covers its SPIFFE ID")
