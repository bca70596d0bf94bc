"""The parameters of masks and domains: a check and a default for each.

A check returns the value to keep, or None where it is wrong.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from masker.kernels import date, date_text, siv
from masker.kernels.canonical import FORMS

Check = Callable[[Any], Any]

DISPOSITIONS = ("error", "null")
_AGE_CAP = 90
_MAX_REACH = 36_525  # days: a century either way
_MAX_CONSTANT = 100  # bytes, so that a chunk's output stays below 2 GiB
_MAX_KEPT = 64
_EPOCH = dt.date(1970, 1, 1)


def _among(*choices: Any) -> Check:
    return lambda value: value if value in choices and type(value) in {type(choice) for choice in choices} else None


def _whole(least: int, most: int) -> Check:
    return lambda value: value if type(value) is int and least <= value <= most else None


def _name(value: Any) -> Any:
    return value if isinstance(value, str) and value else None


def _kind(value: Any) -> Any:
    return value if isinstance(value, str) and siv.KIND.fullmatch(value) else None


def _forms(value: Any) -> Any:
    """A list of canonical forms, at most one of them a case."""
    given = value if isinstance(value, (list, tuple)) else [value]
    cases = [form for form in given if form in {"lower", "upper", "lower_host"}]
    good = all(isinstance(form, str) and form in FORMS for form in given)
    return tuple(sorted(set(given))) if good and len(cases) <= 1 else None


def _characters(value: Any) -> tuple[str, ...] | None:
    """Distinct NFC code points, given as text or as a list."""
    given = tuple(value) if isinstance(value, (str, list, tuple)) else ()
    single = all(isinstance(each, str) and len(each) == 1 and not "\ud800" <= each <= "\udfff" for each in given)
    if not single or len(set(given)) != len(given):
        return None
    return given if all(unicodedata.is_normalized("NFC", each) for each in given) else None


def _alphabet(value: Any) -> tuple[str, ...] | None:
    given = _characters(value)
    return given if given and 2 <= len(given) <= 1 << 16 else None  # noqa: PLR2004 - FF1's radix


def _separators(value: Any) -> tuple[str, ...] | None:
    given = _characters(value)
    return given if given is not None and not any(each.isalnum() for each in given) else None


def _covering(value: Any) -> str | None:
    return value if isinstance(value, str) and len(value) == 1 and " " <= value <= "~" else None


def _constant(value: Any) -> str | None:
    good = isinstance(value, str) and re.search("[\ud800-\udfff]", value) is None
    return value if good and len(value.encode()) <= _MAX_CONSTANT else None


def _edges(value: Any) -> Any:
    given = tuple(value) if isinstance(value, (list, tuple)) else ()
    good = given and all(_number(edge) is not None for edge in given)
    return given if good and all(a < b for a, b in pairwise(given)) else None


def _number(value: Any) -> Any:
    return value if type(value) in {int, float} and abs(value) < 1 << 53 else None


def _step(value: Any) -> Any:
    return value if _number(value) is not None and value > 0 else None


def _date(value: Any) -> int | None:
    """Days since 1970 of an ISO date."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return None
    try:
        return (dt.date.fromisoformat(value) - _EPOCH).days
    except ValueError:
        return None


def _format(value: Any) -> Any:
    """`number`, or a date format."""
    return value if isinstance(value, str) and (value == "number" or date_text.layout(value) is not None) else None


def _paths(value: Any) -> Any:
    return value if isinstance(value, Mapping) and value and all(isinstance(key, str) for key in value) else None


WRONG = object()  # the default of what must be given
_UNFIT = (_among(*DISPOSITIONS), "error")
_CANONICAL: tuple[Check, Any] = (_forms, ())
_TOKEN = {"kind": (_kind, "tok"), "canonical": _CANONICAL}
DOMAIN: dict[str, dict[str, tuple[Check, Any]]] = {
    "token": _TOKEN,
    "pseudonym": {"canonical": _CANONICAL},
    "email": {**_TOKEN, "unfit": _UNFIT, "local": (_name, None), "host": (_name, None)},
    "date_shift": {
        "canonical": _CANONICAL,
        "unfit": _UNFIT,
        "days": (_whole(1, _MAX_REACH), None),
        "weeks": (_whole(1, _MAX_REACH // 7), None),
    },
    "fpe": {
        **_TOKEN,
        "unfit": _UNFIT,
        "on_short": (_among("error", "null", "token"), "error"),
        "alphabet": (_alphabet, WRONG),
        "separators": (_separators, (" ", "-")),
        "keep_prefix": (_whole(0, _MAX_KEPT), 0),
        "keep_suffix": (_whole(0, _MAX_KEPT), 0),
        "luhn": (_among("valid", "invalid"), None),
        "aes": (_among(128, 192, 256), 256),
    },
}
ENTRY: dict[str, tuple[Check, Any]] = {"entity": (_name, WRONG), "format": (_format, None)}
FREE: dict[str, dict[str, tuple[Check, Any]]] = {
    "partial": {
        "keep_first": (_whole(0, _MAX_KEPT), 0),
        "keep_last": (_whole(0, _MAX_KEPT), 0),
        "character": (_covering, "*"),
    },
    "redact": {"text": (_constant, "[REDACTED]")},
    "nullify": {},
    "clear": {},
    "json": {"paths": (_paths, WRONG)},
    "generalize": {
        "to": (_among("bucket", "round", "clamp", "age", "zip3", "network", *date.PERIODS), WRONG),
        "edges": (_edges, None),
        "step": (_step, None),
        "least": (_number, None),
        "most": (_number, None),
        "at": (_date, None),
        "cap": (_whole(1, 150), _AGE_CAP),
        "format": (_format, None),
        "unfit": _UNFIT,
    },
}
NEEDS = {"edges": "bucket", "step": "round", "at": "age"}
