"""WebAuthn by py_webauthn: what an authenticator answers -> a public key, or the count of a signature. Pure.

No other file imports it. Only a verified user counts; attestation is not asked for. What is wrong is `PasskeyInvalid`,
with a sentence of ours.
"""

from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import decode_credential_public_key, decoded_public_key_to_cryptography
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException

from pdp.assertion import Assertion, decoded, encoded
from pdp.passkey import Passkey
from pdp.verdict_errors import PasskeyInvalid

ALGORITHMS = (
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
)
"""ES256, EdDSA and RS256, which all authenticators of today have one of."""
MAX_BYTES = 4096
"""Bytes of one part of an answer: several times what authenticators send."""


@dataclass(frozen=True, slots=True)
class Party:
    """For whom a passkey signs: the host of the pages (RP id), and their origin."""

    id: str
    origin: str


@dataclass(frozen=True, slots=True)
class Registration:
    """What an authenticator answered to the wish for a new passkey, in unpadded base64url."""

    credential_id: str
    attestation: str
    client_data: str


@dataclass(frozen=True, slots=True)
class Made:
    """A new passkey's public key, as COSE and as SPKI, and where its counter stands."""

    id: str
    cose: str
    public_key: str
    algorithm: int
    counter: int


def made(answer: Registration, party: Party, challenge: bytes) -> Made:
    """The passkey that an authenticator made for this challenge. Raises `PasskeyInvalid`."""
    parts = {"clientDataJSON": answer.client_data, "attestationObject": answer.attestation}
    try:
        found = verify_registration_response(
            credential=_credential(answer.credential_id, parts),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
            supported_pub_key_algs=[*ALGORITHMS],
        )
        key = decode_credential_public_key(found.credential_public_key)
        public = decoded_public_key_to_cryptography(key)
    except (WebAuthnException, ValueError, TypeError, LookupError) as error:
        raise PasskeyInvalid("this is not a new passkey for these pages; add it once more") from error
    return Made(
        encoded(found.credential_id),
        encoded(found.credential_public_key),
        encoded(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)),
        int(key.alg),
        found.sign_count,
    )


def counted(answer: Assertion, passkey: Passkey, party: Party, challenge: bytes) -> int:
    """The counter of a signature of this passkey over this challenge. Raises `PasskeyInvalid`."""
    parts = {
        "clientDataJSON": answer.client_data,
        "authenticatorData": answer.authenticator_data,
        "signature": answer.signature,
    }
    try:
        found = verify_authentication_response(
            credential=_credential(answer.credential_id, parts),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=decoded(passkey.cose),
            credential_current_sign_count=passkey.counter,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, LookupError) as error:
        raise PasskeyInvalid("your passkey did not sign this verdict; show the approval again and sign it") from error
    return found.new_sign_count


def _credential(credential_id: str, parts: dict[str, str]) -> dict[str, Any]:
    if max(map(len, (credential_id, *parts.values()))) > MAX_BYTES:
        raise ValueError("more than an authenticator answers")
    return {"id": credential_id, "rawId": credential_id, "type": "public-key", "response": parts}
