"""Signs messages according to Standard Webhooks 1.0: HMAC-SHA256 over id, time of the attempt and body."""

import base64
import hashlib
import hmac
from pathlib import Path

from pdp import keys
from pdp.errors import SetupError

PREFIX = "whsec_"
_FEWEST_BYTES, _MOST_BYTES = 24, 64
"""Bytes of a secret, as Standard Webhooks 1.0 recommends them."""


def secret(path: Path) -> bytes:
    """Read a webhook's secret. Raises `SetupError` if the file does not hold one, or if others may read the file."""
    content = keys.secret(path)
    try:
        text = content.decode().strip()
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True) if text.startswith(PREFIX) else b""
    except ValueError:
        key = b""
    if not _FEWEST_BYTES <= len(key) <= _MOST_BYTES:
        raise SetupError(f"{path} holds no webhook secret: whsec_ and base64 of 24 to 64 random bytes")
    return key


def headers(key: bytes, message_id: str, at: int, body: bytes) -> dict[str, str]:
    """The three headers of one attempt. `at` is in seconds since 1970."""
    signed = hmac.digest(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }
