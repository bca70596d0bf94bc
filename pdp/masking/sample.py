"""One row of every mask: running it compiles every kernel, so that no caller waits for it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import masker
from masker.keys import SECRET_BYTES, KeyVersion
from pdp.arrow import table

_DATE = {"mask": "generalize", "to": "year"}
_DOMAINS: Mapping[str, Mapping[str, Any]] = {
    "token": {"mask": "token", "canonical": ["trim", "lower"]},
    "fpe": {"mask": "fpe", "alphabet": "0123456789"},
    "pseudonym": {"mask": "pseudonym"},
    "email": {"mask": "email"},
    "shift": {"mask": "date_shift", "days": 30},
}
_ROW: Mapping[str, tuple[Any, Mapping[str, Any]]] = {
    "token": ("text", {"domain": "token"}),
    "number": (1234567, {"domain": "token"}),
    "fpe": ("4111111111111111", {"domain": "fpe"}),
    "short": ("1234-567", {"domain": "fpe"}),
    "wide": ("4111111111111111111", {"domain": "fpe"}),
    "pseudonym": ("text", {"domain": "pseudonym"}),
    "email": ("a@b.example", {"domain": "email"}),
    "shift": (date(2000, 1, 2), {"domain": "shift", "entity": "token"}),
    "shifted": ("20000102", {"domain": "shift", "entity": "token", "format": "%Y%m%d"}),
    "partial": ("text", {"mask": "partial", "keep_first": 1}),
    "redact": ("text", {"mask": "redact"}),
    "clear": ("text", {"mask": "clear"}),
    "year": (date(2000, 1, 2), _DATE),
    "age": ("20000102", {"mask": "generalize", "to": "age", "at": "2020-01-01", "format": "%Y%m%d"}),
    "zip3": ("12345", {"mask": "generalize", "to": "zip3"}),
    "network": ("192.0.2.1", {"mask": "generalize", "to": "network"}),
    "bucket": (5, {"mask": "generalize", "to": "bucket", "edges": [1, 10]}),
    "round": (5.5, {"mask": "generalize", "to": "round", "step": 2.0}),
}


def warm() -> None:
    """Compile the kernels of every kind of mask on a row, so that no caller waits for it."""
    keys = masker.Keyring("warm", [KeyVersion(1, "active", bytes(SECRET_BYTES), "")])
    row = table.batch_of({name: [value, None] for name, (value, _) in _ROW.items()})
    masks = [{"column": name, "rule": "warm", **mask} for name, (_, mask) in _ROW.items()]
    for direction in ("mask", "unmask"):
        made = masker.plan(row.schema, masks, _DOMAINS, key_version=1, direction=direction)
        row = masker.Masker(made, keys).batch(row)
