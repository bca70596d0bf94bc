"""The one table of masks: what each takes, what comes out, whether it needs a key, and how it runs.

Everything that depends on the name of a mask asks this table.
"""

import dataclasses
import enum
from collections.abc import Callable, Mapping
from typing import Any

from masker import date_shift, generalize, keyed
from masker.context import Context
from masker.kernels import date, text
from masker.kernels.column import Masked, fitting
from masker.spec import Spec

Run = Callable[[Spec, Any, Context], Masked]


class Takes(enum.Enum):
    """What of a column a method is given.

    1. NOTHING: every value becomes null.
    2. ARRAYS: every value stays, so the array is only built anew.
    3. FLAGS: which values are null.
    4. TEXT: text and binary as bytes, integers and decimals as their shortest text.
    5. VALUES: text as bytes, numbers, dates and timestamps as machine numbers, decimals as a list.
    6. DOCUMENTS: JSON text, whose leaves have methods of their own.
    """

    NOTHING = enum.auto()
    ARRAYS = enum.auto()
    FLAGS = enum.auto()
    TEXT = enum.auto()
    VALUES = enum.auto()
    DOCUMENTS = enum.auto()


@dataclasses.dataclass(frozen=True)
class Example:
    """How to try a method out.

    1. `params` declare it.
    2. `types` are the Arrow types that it is used with most.
    3. `texts` returns values that fit any spec of the method; the first needs the fewest kernels.
    """

    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    types: tuple[str, ...] = ("string",)
    texts: Callable[[Spec], list[str]] = lambda _spec: ["0000"]


def _not_on_values(_spec: Spec, _values: Any, _context: Context) -> Masked:
    """Refuse: where a method has no run for plain values, none may pass through by mistake."""
    raise TypeError("the method does not run on plain values")


@dataclasses.dataclass(frozen=True)
class Method:
    """What is true of a mask with any parameters.

    1. `outputs` says for each kind of column that the method takes what comes out: the `same` type, `text`, or a
       `number` (int32). A struct, list or map is taken only by a method that takes every kind.
    2. `run` and `reverse` work on plain values. `reverse` only runs where the method is reversible.
    3. `keyed`: a declared domain gives the key. `counted`: its values count against the quota of a caller, as who can
       mask many chosen values builds a code book.
    4. `unverified`: what it reverses may be wrong without a sign, and nothing in a value tells its key version.
    5. `format`: a text column needs a format, of a `date` or a `number`.
    """

    takes: Takes
    outputs: Mapping[str, str]
    run: Run = _not_on_values
    reverse: Run = _not_on_values
    keyed: bool = False
    reversible: bool = False
    counted: bool = False
    unverified: bool = False
    format: str = ""
    example: Example | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it treats all values alike, so that it may name a nested column and mean all below it."""
        return self.takes in {Takes.NOTHING, Takes.ARRAYS}

    @property
    def takes_ids(self) -> bool:
        """Whether it takes numbers as their text, so that 42 and "42" join."""
        return self.takes is Takes.TEXT and "integer" in self.outputs

    @property
    def keeps_numbers(self) -> bool:
        """Whether a number stays a number."""
        return self.outputs.get("integer") == "same"


ANY = ("text", "binary", "integer", "decimal", "float", "bool", "date", "timestamp", "time", "null")
"""Every kind of column that is not nested."""
IDS: Mapping[str, str] = dict.fromkeys(("text", "binary", "integer", "decimal"), "text")
"""Kinds whose equal values have equal text; what comes out is text. Equal floats need not be equal bytes."""
_SAME = dict.fromkeys(ANY, "same")
_TEXT = {"text": "same"}
_NUMBERS = dict.fromkeys(("integer", "decimal", "float", "text"), "same")
_DATES = dict.fromkeys(("date", "timestamp", "text"), "same")
_DAY = {"%Y": "2000", "%m": "01", "%d": "01", "%H": "00", "%M": "00", "%S": "00"}


def _digits(spec: Spec) -> list[str]:
    """The shortest value that is encrypted, and the shortest whose rounds take more of AES's output."""
    form = spec.form
    return [form.alphabet[0] * (form.keep_prefix + size + form.tail) for size in (form.least, form.wide)]


def _day(spec: Spec) -> list[str]:
    example = str(spec["format"])
    for field, digits in _DAY.items():
        example = example.replace(field, digits)
    return [example]


METHODS: Mapping[str, Method] = {
    "token": Method(
        Takes.TEXT, IDS, run=keyed.token, reverse=keyed.untoken, keyed=True, reversible=True, counted=True,
        example=Example({"canonical": ["trim", "lower"], "pad_to": 16}, ("string", "int64")),
    ),
    "fpe": Method(
        Takes.TEXT, _TEXT, run=keyed.encrypted, reverse=keyed.decrypted, keyed=True, reversible=True, counted=True,
        unverified=True, example=Example({"alphabet": "0123456789"}, texts=_digits),
    ),
    "pseudonym": Method(Takes.TEXT, IDS, run=keyed.pseudonym, keyed=True, counted=True, example=Example()),
    "email": Method(
        Takes.TEXT, _TEXT, run=keyed.email, reverse=keyed.unemail, keyed=True, reversible=True, counted=True,
        example=Example(texts=lambda _: ["a@b"]),
    ),
    "date_shift": Method(
        Takes.VALUES, _DATES, run=date_shift.shifted, keyed=True, counted=True, format="date",
        example=Example({"days": 30}, ("date32", "string"), _day),
    ),
    "partial": Method(
        Takes.TEXT, _TEXT, example=Example({"keep_first": 1}),
        run=lambda spec, values, _: text.partial(values, spec["keep_first"], spec["keep_last"], spec["character"]),
    ),
    "redact": Method(
        Takes.FLAGS, dict.fromkeys(ANY, "text") | {"null": "same"}, example=Example(),
        run=lambda spec, values, _: fitting(text.constant(values.valid, spec["text"].encode())),
    ),
    "nullify": Method(Takes.NOTHING, _SAME),
    "clear": Method(Takes.ARRAYS, _SAME),
    "keep": Method(Takes.ARRAYS, _SAME),
    "json": Method(Takes.DOCUMENTS, _TEXT, reversible=True),
    "generalize.bucket": Method(
        Takes.VALUES, dict.fromkeys(_NUMBERS, "text"), run=generalize.numbers, format="number",
        example=Example({"edges": [1, 10]}, ("int64",)),
    ),
    "generalize.round": Method(
        Takes.VALUES, _NUMBERS, run=generalize.numbers, format="number", example=Example({"step": 2.0}, ("double",)),
    ),
    "generalize.clamp": Method(
        Takes.VALUES, _NUMBERS, run=generalize.numbers, format="number", example=Example({"most": 1.0}, ("double",)),
    ),
    "generalize.age": Method(
        Takes.VALUES, {"date": "number", "timestamp": "number", "text": "same"}, run=generalize.dates, format="date",
        example=Example({"at": "2020-01-01"}, ("string",), _day),
    ),
    "generalize.zip3": Method(Takes.TEXT, _TEXT, run=lambda _, values, __: text.zip3(values), example=Example()),
    "generalize.network": Method(
        Takes.TEXT, _TEXT, example=Example(texts=lambda _: ["192.0.2.1"]),
        run=lambda _, values, __: text.network(values),
    ),
    **{
        f"generalize.{period}": Method(
            Takes.VALUES, _DATES, run=generalize.dates, format="date", example=Example({}, ("date32",), _day)
        )
        for period in date.PERIODS
    },
}  # fmt: skip
"""Method by name, as in `Spec.method`. `keep` stands in no rule: see KEEP."""


def of(spec: Spec) -> Method:
    """Return the method of a spec."""
    return METHODS[spec.method]


def counts(spec: Spec, direction: str) -> bool:
    """Tell whether a value counts against the quota: to mask where the method is counted, else where it reverses."""
    return of(spec).counted if direction == "mask" else of(spec).reversible
