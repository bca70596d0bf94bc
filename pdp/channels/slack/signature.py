"""Slack's signature of a request: `v0`, an HMAC over the time and the raw body. Pure."""

import hmac
import re
from collections.abc import Mapping
from hashlib import sha256

COUNTS_SECONDS = 300
"""Seconds before and after its time for which a signature counts."""
TIME, SIGNATURE = "x-slack-request-timestamp", "x-slack-signature"
"""The headers of a signed request."""
_TIME, _SIGNATURE = re.compile(r"[0-9]{1,12}"), re.compile(r"v0=[0-9a-f]{64}")


def is_timely(headers: Mapping[str, str], now: float) -> bool:
    """Whether the headers could be those of a signed request of now: nothing else is read before that."""
    at = headers.get(TIME, "")
    if not _TIME.fullmatch(at) or not _SIGNATURE.fullmatch(headers.get(SIGNATURE, "")):
        return False
    return abs(now - int(at)) <= COUNTS_SECONDS


def is_good(headers: Mapping[str, str], body: bytes, secret: bytes) -> bool:
    """Whether the headers sign these very bytes with this secret."""
    base = b"v0:%b:%b" % (headers[TIME].encode(), body)
    made = "v0=" + hmac.new(secret, base, sha256).hexdigest()
    return hmac.compare_digest(made, headers[SIGNATURE])
