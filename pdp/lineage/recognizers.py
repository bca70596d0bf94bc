"""The recognizers of presidio-analyzer that work by patterns and checksums, built one by one.

Its engine is not: that would load a language model. Nothing here asks the network. The recognizer of e-mail addresses
would fetch a list of suffixes, so it gets a validator of ours.
"""

import re
from collections.abc import Mapping
from importlib import import_module, metadata
from typing import Any

from pdp.errors import SetupError
from pdp.lineage.suggesting import Recognizer

KINDS: Mapping[str, str] = {
    "EmailRecognizer": "email",
    "PhoneRecognizer": "phone",
    "CreditCardRecognizer": "credit_card",
    "IbanRecognizer": "iban",
    "IpRecognizer": "ip_address",
    "CryptoRecognizer": "crypto_wallet",
    "UsSsnRecognizer": "national_id",
    "UsItinRecognizer": "national_id",
    "NhsRecognizer": "national_id",
    "UkNinoRecognizer": "national_id",
    "EsNifRecognizer": "national_id",
    "EsNieRecognizer": "national_id",
    "ItFiscalCodeRecognizer": "national_id",
    "PlPeselRecognizer": "national_id",
    "FiPersonalIdentityCodeRecognizer": "national_id",
    "AuTfnRecognizer": "national_id",
    "InAadhaarRecognizer": "national_id",
    "InPanRecognizer": "national_id",
    "SgFinRecognizer": "national_id",
}
"""What each recognizer sees. Those of dates, links and UUIDs are left out: these are not personal by themselves."""
_LABEL = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")
_LAST = re.compile(r"[^\W\d_]{2,63}|xn--[a-z0-9-]{1,59}")


def recognizers() -> list[Recognizer]:
    """All of them. Raises `SetupError` without the extra `suggest`."""
    try:
        module = import_module("presidio_analyzer.predefined_recognizers")
    except ImportError:
        raise SetupError("suggestions need presidio-analyzer: install placet[suggest]") from None
    version = f"presidio-analyzer/{metadata.version('presidio-analyzer')}"
    return [_recognizer(version, name, kind, _built(module, name)) for name, kind in KINDS.items()]


def is_address(text: str) -> bool:
    """Whether this could be an e-mail address on the internet, by the form of its domain alone."""
    local, _, domain = text.rpartition("@")
    labels = domain.lower().split(".")
    return (
        0 < len(local) <= 64  # noqa: PLR2004  # RFC 5321, 4.5.3.1.1
        and len(domain) <= 253  # noqa: PLR2004  # the longest name that DNS can write
        and len(labels) > 1
        and all(_LABEL.fullmatch(label) for label in labels)
        and _LAST.fullmatch(labels[-1]) is not None
    )


def _built(module: Any, name: str) -> Any:
    built = getattr(module, name)()
    if name == "EmailRecognizer":
        built.validate_result = is_address  # its own asks a list of suffixes, which it would fetch
    return built


def _recognizer(version: str, name: str, kind: str, built: Any) -> Recognizer:
    entities = built.supported_entities

    def score(value: str) -> float:
        return max((float(one.score) for one in built.analyze(value, entities)), default=0.0)

    return Recognizer(f"{version} {name}", kind, score)
