"""A first start: `first.py make FOLDER` makes keys and a certificate, `first.py token FOLDER` prints a token.

`make` leaves what is there. Secrets have the mode 0600; `first.py make FOLDER USER` gives all files to that user, by
number. `ca.pem` is for clients.
"""

import datetime as dt
import ipaddress
import os
import sys
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from joserfc import jwt

from pdp import keys

NAMES = ("placet", "localhost")
"""What clients may call the server."""
YEARS = 2


def make(folder: Path, user: int | None = None) -> None:
    """Make what is not there, and give it to a user."""
    for name in ("audit", "grant", "seal", "workloads"):
        if not (folder / f"{name}.jwk").exists():
            keys.generate(folder / f"{name}.jwk")
    if not (folder / "server.pem").exists():
        certify(folder)
    if user is not None:
        for path in (folder, *folder.iterdir()):
            os.chown(path, user, user)


def certify(folder: Path) -> None:
    """Write a certificate and its key, and the authority that signed it, whose own key is not kept."""
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = name("Placet's first authority")
    alternatives = [*map(x509.DNSName, NAMES), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    own = built(issuer, issuer, authority).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    server = built(name(NAMES[0]), issuer, key).add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with os.fdopen(os.open(folder / "server.key", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(secret)
    (folder / "ca.pem").write_bytes(own.sign(authority, hashes.SHA256()).public_bytes(Encoding.PEM))
    (folder / "server.pem").write_bytes(server.sign(authority, hashes.SHA256()).public_bytes(Encoding.PEM))


def name(common: str) -> x509.Name:
    """A name that has nothing but a common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def built(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    """A certificate that is not signed yet."""
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    dated = builder.not_valid_before(now).not_valid_after(now + dt.timedelta(days=365 * YEARS))
    return dated.serial_number(x509.random_serial_number())


def token(folder: Path) -> str:
    """A token of the issuer that stands in for yours: `agent:etl`, for 15 minutes."""
    key = keys.private_key(folder / "workloads.jwk")
    until = int(time.time()) + 15 * 60
    claims = {"iss": "https://login.example.com/workloads", "aud": "placet", "sub": "etl", "exp": until}
    return jwt.encode({"alg": "Ed25519", "kid": key.kid}, claims, key, algorithms=["Ed25519"])


if __name__ == "__main__":
    verb, where = sys.argv[1], Path(sys.argv[2])
    print(token(where)) if verb == "token" else make(where, *map(int, sys.argv[3:]))
