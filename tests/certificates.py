"""Certificates for tests: an authority and what it signs, as PEM files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
LOCALHOST = (x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1")))
REPORT_BOT = "spiffe://example.org/agents/report-bot"

BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "of nothing in PEM": lambda _: b"none",
    "cut off": lambda pem: pem[: len(pem) // 2],
    "cut off behind a whole one": lambda pem: pem + pem[: len(pem) // 2],
    "damaged inside": lambda pem: pem.replace(b"M", b"!", 1),
    "damaged behind a whole one": lambda pem: pem + pem.replace(b"M", b"!", 1),
    "with a key": lambda pem: pem + b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
}
"""What a file of authorities may become that holds none, or not all of them."""


def uri(text: str) -> x509.UniformResourceIdentifier:
    """A URI name that nothing checks."""
    name = x509.UniformResourceIdentifier("x:")
    name._value = text
    return name


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path
    ca: Path

    @property
    def pem(self) -> bytes:
        return self.certificate.read_bytes()

    @property
    def options(self) -> dict[str, Path]:
        """As `Client` takes them."""
        return {"ca": self.ca, "certificate": self.certificate, "key": self.key}


class Authority:
    """Signs whatever it is asked to."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder, self._count = folder, 0
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.ca = folder / f"{name}.pem"
        pem = self._signed(self._name, self._key, (), (), ca=True).public_bytes(Encoding.PEM)
        self.ca.write_bytes(pem)

    def issue(
        self,
        common_name: str = "client",
        names: Sequence[x509.GeneralName] = (),
        uses: Sequence[x509.ObjectIdentifier] = (CLIENT,),
        **options: Any,
    ) -> Pair:
        self._count += 1
        key = ec.generate_private_key(ec.SECP256R1())
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name, _validate=False)] if common_name else []
        certificate = self._signed(x509.Name(attributes), key, names, uses, **options)
        stem = self._folder / f"{self.ca.stem}-{self._count}"
        pair = Pair(stem.with_suffix(".crt"), stem.with_suffix(".key"), self.ca)
        pair.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
        pair.key.touch(0o600)
        pair.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return pair

    def agent(self, spiffe_id: str = REPORT_BOT, **options: Any) -> Pair:
        return self.issue(names=[uri(spiffe_id)], **options)

    def server(self, **options: Any) -> Pair:
        return self.issue("server", LOCALHOST, (SERVER,), **options)

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        names: Sequence[x509.GeneralName],
        uses: Sequence[x509.ObjectIdentifier],
        *,
        ca: bool = False,
        days: tuple[float, float] = (-1, 1),
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=days[0]))
            .not_valid_after(now + timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if uses:
            builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        return builder.sign(self._key, SHA256())
