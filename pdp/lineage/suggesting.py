"""Suggests tags of columns from their names and a sample of their values. Values go in, and none come out.

1. A recognizer's hit is a value in which it is sure enough that it sees its kind. A column's share of hits must reach a
   half; a tenth is enough where the column's name fits the kind.
2. A name that fits makes a recognizer surer, as a context word does in a sentence.
3. A name alone is a weak suggestion with no hits. It stands where no recognizer of the same kind has any.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

SURE = 0.5
"""The score from which a value is a hit."""
NAME_ADDS = 0.35
"""What a name that fits adds to a score. It is as much as presidio's context words add."""
NAME_ALONE = 0.4
"""The score of a column of which only the name fits."""
MOST_HITS, SOME_HITS = 0.5, 0.1
"""Shares of hits from which a column is suggested: by its values alone, and with a name that fits."""
NAMES = "placet/1 names"
"""The recognizer of names, with its version: the words below."""
WORDS: Mapping[str, frozenset[str]] = {
    "email": frozenset({"email", "mail", "e-mail"}),
    "phone": frozenset({"phone", "telephone", "tel", "mobile", "cell", "fax", "msisdn"}),
    "name": frozenset({"firstname", "lastname", "surname", "fullname", "givenname", "familyname", "forename"}),
    "address": frozenset({"address", "street", "postcode", "zip", "zipcode", "postal"}),
    "birth_date": frozenset({"birthday", "birthdate", "dob", "birth"}),
    "credit_card": frozenset({"card", "creditcard", "pan", "ccnumber", "cc"}),
    "iban": frozenset({"iban"}),
    "national_id": frozenset(
        {"ssn", "nin", "nino", "nhs", "passport", "taxid", "tin", "nif", "nie", "pesel", "aadhaar", "socsecid", "itin"}
    ),
    "ip_address": frozenset({"ip", "ipaddress", "ipaddr"}),
    "location": frozenset({"latitude", "longitude", "lat", "lon", "lng", "geo", "gps"}),
}
"""Words of column names by the kind of data that they tell."""


@dataclass(frozen=True, slots=True)
class Recognizer:
    """Something that recognizes one kind of data. `name` holds its version; `score` is that of one value, 0 to 1."""

    name: str
    kind: str
    score: Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Found:
    """What a column seems to hold: how sure its hits are, and which share of the sampled values they are."""

    column: str
    kind: str
    score: float
    hits: float
    recognizer: str


def found(columns: Mapping[str, Sequence[str]], recognizers: Sequence[Recognizer]) -> list[Found]:
    """The suggestions, column by column, the surest first. Of each kind the one with most hits."""
    return [one for name, values in columns.items() for one in _of_column(name, values, recognizers)]


def _of_column(name: str, values: Sequence[str], recognizers: Sequence[Recognizer]) -> Iterator[Found]:
    kinds = _kinds(name)
    best: dict[str, Found] = {}
    for recognizer in recognizers:
        seen = _seen(name, values, recognizer, fits=recognizer.kind in kinds)
        if seen and (seen.hits, seen.score) > _strength(best.get(seen.kind)):
            best[seen.kind] = seen
    for kind in kinds - best.keys():
        best[kind] = Found(name, kind, NAME_ALONE, 0.0, NAMES)
    yield from sorted(best.values(), key=lambda one: (-one.score, one.kind))


def _seen(name: str, values: Sequence[str], recognizer: Recognizer, *, fits: bool) -> Found | None:
    """What one recognizer sees in a column; None where that is too little."""
    raw = [recognizer.score(value) for value in values]
    scores = [min(score + NAME_ADDS, 1.0) if fits and score else score for score in raw]
    hits = [score for score in scores if score >= SURE]
    share = len(hits) / len(values) if values else 0.0
    if not hits or share < (SOME_HITS if fits else MOST_HITS):
        return None
    return Found(name, recognizer.kind, round(sum(hits) / len(hits), 2), round(share, 3), recognizer.name)


def _strength(one: Found | None) -> tuple[float, float]:
    return (one.hits, one.score) if one else (-1.0, -1.0)


def _kinds(name: str) -> set[str]:
    """The kinds that a column's name tells: `customerEmail`, `soc_sec_id` and `E-MAIL` do."""
    parts = [part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]
    words = {"".join(parts[start:end]) for start in range(len(parts)) for end in range(start + 1, start + 4)}
    return {kind for kind, known in WORDS.items() if words & known}
