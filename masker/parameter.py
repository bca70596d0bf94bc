"""The parameters of rules and domains: a check and a default for each, and what they make wrong together.

A check returns the value to keep, or None where it is wrong.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from masker import zone
from masker.kernels import date, date_text, fpe, siv
from masker.kernels.canonical import FORMS
from masker.spec import Spec

Check = Callable[[Any], Any]
Checks = Mapping[str, tuple[Check, Any]]
"""Parameter -> check and default."""

DISPOSITIONS = ("error", "null")
"""What becomes of a value that does not fit its mask."""
_AGE_CAP = 90
"""Years: the greatest age that comes out by default; higher ones identify people (HIPAA Safe Harbor: 90 and over)."""
_AGE_CAP_MOST = 150
"""Years: no person is older."""
_MAX_REACH = 36_525
"""Days that a date is shifted at most: a century either way."""
_MAX_CONSTANT = 100
"""Bytes of the text that `redact` writes, so that the output of a chunk stays below 2 GiB."""
_MAX_KEPT = 64
"""Characters that may stay readable at each end of a value."""
_RADIX = (2, 1 << 16)
"""Characters of an alphabet, least and most: what FF1 takes."""
_MAX_PAD = 128
"""Bytes to whose multiples values are padded at most, so that the tokens of a chunk stay below 2 GiB."""
_VALUES_MOST = 10**18
"""The greatest number of values that a domain can say; where there are more, it is `open`."""
_EXACT = 1 << 53
"""Numbers below it are exact as 64-bit floats."""
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
    return given if given and _RADIX[0] <= len(given) <= _RADIX[1] else None


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
    return value if type(value) in {int, float} and abs(value) < _EXACT else None


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


def _zone(value: Any) -> Any:
    return value if isinstance(value, str) and zone.is_zone(value) else None


def _values(value: Any) -> Any:
    """How many values there can be, or `open` for text that people write freely."""
    return value if value == "open" else _whole(1, _VALUES_MOST)(value)


def _paths(value: Any) -> Any:
    return value if isinstance(value, Mapping) and value and all(isinstance(key, str) for key in value) else None


WRONG = object()
"""The default of a parameter that must be given."""
_UNFIT = (_among(*DISPOSITIONS), "error")
_CANONICAL: tuple[Check, Any] = (_forms, ())
_TOKEN = {"kind": (_kind, "tok"), "canonical": _CANONICAL}
_PADDED = {**_TOKEN, "pad_to": (_whole(2, _MAX_PAD), None)}
DOMAIN: Mapping[str, Checks] = {
    "token": _PADDED,
    "pseudonym": {"canonical": _CANONICAL},
    "email": {**_PADDED, "unfit": _UNFIT, "local": (_name, None), "host": (_name, None)},
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
"""What the declaration of a domain may say, by the domain's mask. These masks have keys."""
TOLD: Checks = {"values": (_values, None), "guessable": (_name, None)}
"""What the declaration of any domain may say besides, of its values. No mask depends on it, so that it may change."""
ENTRY: Mapping[str, Checks] = {"date_shift": {"entity": (_name, WRONG), "format": (_format, None)}}
"""What a rule may say beside its domain, by the domain's mask: facts of the column, not of the values."""
FREE: Mapping[str, Checks] = {
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
        "cap": (_whole(1, _AGE_CAP_MOST), _AGE_CAP),
        "zone": (_zone, None),
        "format": (_format, None),
        "unfit": _UNFIT,
    },
}
"""What a rule may say beside its mask, by the mask. These masks have no keys."""
_NEEDED_BY = {"edges": "bucket", "step": "round", "at": "age"}


def _fpe_problem(spec: Spec) -> str:
    alphabet, separators = spec["alphabet"], spec["separators"]
    if set(alphabet) & set(separators):
        return "a separator stands in the alphabet"
    if spec["on_short"] == "token" and "_" in alphabet + separators:
        return "with on_short token, neither alphabet nor separators may hold _"
    if spec["luhn"] is not None and (spec["keep_suffix"] or alphabet != tuple("0123456789")):
        return "luhn needs the digits 0 to 9 in order and no keep_suffix"
    if spec["keep_prefix"] + spec["keep_suffix"] > fpe.LIMIT - spec.form.least:
        return "the kept characters leave nothing to encrypt"
    return ""


def _shift_problem(spec: Spec) -> str:
    return "" if (spec["days"] is None) != (spec["weeks"] is None) else "one of days and weeks is needed, and only one"


def _generalize_problem(spec: Spec) -> str:
    to, least, most = spec["to"], spec["least"], spec["most"]
    for name, needed_by in _NEEDED_BY.items():
        if (spec[name] is not None) != (to == needed_by):
            return f"to {needed_by} needs {name}, and nothing else takes it"
    if spec["zone"] is not None and to not in {"age", *date.PERIODS}:
        return "a zone goes with month, quarter, year, 5years and age"
    if (to == "clamp") != (least is not None or most is not None):
        return "to clamp needs least or most, and nothing else takes them"
    return "least is above most" if least is not None and most is not None and least > most else ""


PROBLEMS: Mapping[str, Callable[[Spec], str]] = {
    "fpe": _fpe_problem,
    "date_shift": _shift_problem,
    "generalize": _generalize_problem,
}
"""What parameters make wrong together, empty where they fit; by mask."""
