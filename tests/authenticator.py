"""An authenticator in software, by WebAuthn's text: it imports nothing of Placet, and hashes statements by itself."""

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

ORIGIN, HOST = "https://pdp.example", "pdp.example"
UP, UV, AT = 0x01, 0x04, 0x40
RSA_KEY = rsa.generate_private_key(65537, 2048)
"""Made once: it takes a while."""


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def cbor(value: Any) -> bytes:
    """CBOR (RFC 8949) of small numbers, bytes, texts and maps."""
    match value:
        case int() if value < 0:
            return head(1, -1 - value)
        case int():
            return head(0, value)
        case bytes():
            return head(2, len(value)) + value
        case str():
            return head(3, len(value)) + value.encode()
        case dict():
            return head(5, len(value)) + b"".join(cbor(key) + cbor(item) for key, item in value.items())
    raise TypeError(value)


def head(major: int, count: int) -> bytes:
    size = 0 if count < 24 else 1 if count < 256 else 2
    extra = b"" if size == 0 else count.to_bytes(size, "big")
    return bytes([major << 5 | (count if size == 0 else 23 + size)]) + extra


def verdict_challenge(statement: str, realm: str = "dev") -> bytes:
    """The challenge of a verdict, which a page computes from what it shows."""
    canonical = json.dumps(json.loads(statement), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"placet/{realm}/verdict/v1\n{canonical}".encode()).digest()


def adding_challenge(nonce: str, credential: str = "", realm: str = "dev") -> bytes:
    text = json.dumps({"credential": credential, "nonce": nonce}, separators=(",", ":"))
    return hashlib.sha256(f"placet/{realm}/passkey/v1\n{text}".encode()).digest()


@dataclass
class Authenticator:
    """One passkey. What a test changes of an answer, it names."""

    algorithm: str = "ES256"
    origin: str = ORIGIN
    host: str = HOST
    counter: int = 0
    counts: bool = True
    id: bytes = field(default_factory=lambda: os.urandom(32))

    def __post_init__(self) -> None:
        made = {"ES256": lambda: ec.generate_private_key(ec.SECP256R1()), "EdDSA": ed25519.Ed25519PrivateKey.generate}
        self.key: Any = RSA_KEY if self.algorithm == "RS256" else made[self.algorithm]()

    def cose(self) -> dict[int, Any]:
        match self.key.public_key():
            case ec.EllipticCurvePublicKey() as key:
                x, y = (n.to_bytes(32, "big") for n in (key.public_numbers().x, key.public_numbers().y))
                return {1: 2, 3: -7, -1: 1, -2: x, -3: y}
            case ed25519.Ed25519PublicKey() as key:
                return {1: 1, 3: -8, -1: 6, -2: key.public_bytes_raw()}
            case rsa.RSAPublicKey() as key:
                return {1: 3, 3: -257, -1: key.public_numbers().n.to_bytes(256, "big"), -2: b"\x01\x00\x01"}
        raise TypeError(self.algorithm)

    def create(self, challenge: bytes, flags: int = UP | UV, **changes: Any) -> dict[str, str]:
        """A new passkey: its id, attestation and client data."""
        held = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor(self.cose())
        data = self.data(flags | AT) + held
        attestation = cbor({"fmt": "none", "attStmt": {}, "authData": data})
        client = self.client("webauthn.create", challenge, **changes)
        return {"credential_id": b64(self.id), "attestation": b64(attestation), "client_data": b64(client)}

    def get(self, challenge: bytes, flags: int = UP | UV, **changes: Any) -> dict[str, str]:
        """A signature: the authenticator's data, the client data, the signature."""
        self.counter += self.counts
        client, data = self.client("webauthn.get", challenge, **changes), self.data(flags)
        signature = self.sign(data + hashlib.sha256(client).digest())
        return {
            "credential_id": b64(self.id),
            "authenticator_data": b64(data),
            "client_data": b64(client),
            "signature": b64(signature),
        }

    def sign(self, message: bytes) -> bytes:
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(message, ec.ECDSA(SHA256()))
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(message, padding.PKCS1v15(), SHA256())
        return bytes(self.key.sign(message))

    def data(self, flags: int) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")

    def client(self, kind: str, challenge: bytes, **changes: Any) -> bytes:
        members = {"type": kind, "challenge": b64(challenge), "origin": self.origin, "crossOrigin": False, **changes}
        return json.dumps(members).encode()
