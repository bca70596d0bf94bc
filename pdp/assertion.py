"""What a passkey signed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a passkey signed of a verdict: the statement as JSON, and WebAuthn's own parts in unpadded base64url."""

    credential_id: str
    statement: str
    authenticator_data: str
    client_data: str
    signature: str
