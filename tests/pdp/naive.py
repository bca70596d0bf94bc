"""The slow twin of `pdp.canonical`: RFC 8785 and the request digest from their texts, on plain JSON values."""

import base64
import hashlib
import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

KEYS = ("subject", "on_behalf_of", "action", "resource", "context")


def jcs(value: Any) -> str:
    """RFC 8785: keys by UTF-16 code units, numbers as ECMAScript writes them."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{jcs(key)}:{jcs(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(jcs(item) for item in value) + "]"
    if isinstance(value, float):
        return ecmascript(value)
    return json.dumps(value, ensure_ascii=False)


def ecmascript(number: float) -> str:
    """ECMA-262 Number::toString, from the shortest digits that read back as the same double."""
    if number == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(abs(number))).normalize().as_tuple()
    assert sign == 0
    text, point = "".join(map(str, digits)), len(digits) + int(exponent)
    if len(text) <= point <= 21:
        text += "0" * (point - len(text))
    elif 0 < point <= 21:
        text = text[:point] + "." + text[point:]
    elif -6 < point <= 0:
        text = "0." + "0" * -point + text
    else:
        text = text[0] + ("." + text[1:] if text[1:] else "") + f"e{point - 1:+d}"
    return ("-" if math.copysign(1, number) < 0 else "") + text


def canonical(request: Mapping[str, Any]) -> str:
    """The canonical form of an `AuthorizeRequest` in proto JSON."""

    def subject(member: Mapping[str, Any]) -> dict[str, Any]:
        return {"type": member["type"], "id": member["id"], "properties": member.get("properties", {})}

    return jcs(
        {
            "subject": subject(request["subject"]),
            "on_behalf_of": [subject(member) for member in request.get("onBehalfOf", [])],
            "action": {"name": request["action"]["name"], "properties": request["action"].get("properties", {})},
            "resource": subject(request["resource"]),
            "context": request.get("context", {}),
        }
    )


def digest(canonical_form: str, realm: str) -> str:
    hashed = hashlib.sha256(f"placet/v1\n{realm}\n{canonical_form}".encode()).digest()
    return base64.urlsafe_b64encode(hashed).decode().rstrip("=")
