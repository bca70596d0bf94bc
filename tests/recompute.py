"""Recomputes what a passkey signed from the request alone. It imports nothing of Placet, and needs nothing but Python.

It reads one JSON object: {request, realm, approval, version, lineage, reason, reviewer, nonce, client_data}.
"""

import base64
import hashlib
import json
import sys


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def jcs(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(text: str) -> str:
    return b64(hashlib.sha256(text.encode()).digest())


given = json.load(sys.stdin)
statement = {
    "approval": given["approval"],
    "digest": digest(f"placet/v1\n{given['realm']}\n{jcs(given['request'])}"),
    "lineage": given["lineage"],
    "nonce": given["nonce"],
    "reason": digest(given["reason"]),
    "reviewer": given["reviewer"],
    "verdict": "APPROVE",
    "version": given["version"],
}
client = given["client_data"]
signed = json.loads(base64.urlsafe_b64decode(client + "=" * (-len(client) % 4)))
challenge = digest(f"placet/{given['realm']}/verdict/v1\n{jcs(statement)}")
sys.stdout.write(f"{jcs(statement)}\n{'equal' if challenge == signed['challenge'] else 'another'}\n")
