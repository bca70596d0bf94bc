"""Every mask on plain columns: a spec and values in, masked values and their status out."""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from masker import generalize
from masker.errors import KeyRefused
from masker.kernels import date, date_text, fpe, prf, siv, text
from masker.kernels.canonical import canonical
from masker.kernels.column import SHORT, UNFIT, Fixed, Flags, Masked, Text, fitting, merge
from masker.keys import Keyring
from masker.spec import Spec

T = TypeVar("T")
Days = tuple[NDArray[np.int64], Flags]  # shift in days, and whether the entity gave one


class Bench:
    """The key schedules of one thread, made at first use."""

    def __init__(self, keys: Keyring | None) -> None:
        self._keys = keys
        self._made: dict[tuple[str, ...], Any] = {}

    @property
    def keys(self) -> Keyring:
        """The keyring; raises KeyRefused where none was given."""
        if self._keys is None:
            raise KeyRefused("the plan needs keys and none were given")
        return self._keys

    def token_key(self, spec: Spec, version: int) -> siv.TokenKey:
        """The token key of a domain."""
        key = self.keys.derive(spec.domain, "token", version)
        return siv.TokenKey(key, spec["kind"], self.keys.key_id(spec.domain, version))

    def readable(self, spec: Spec) -> list[siv.TokenKey]:
        """The token keys of every version that may still be read."""
        return [self.token_key(spec, version) for version in self.keys.key_ids(spec.domain).values()]

    def sealer(self, spec: Spec, version: int) -> siv.Sealer:
        """What seals tokens of a domain."""
        name = ("token", spec.domain, spec["kind"], str(version))
        return self._once(name, lambda: siv.Sealer(self.token_key(spec, version)))

    def prf(self, spec: Spec, version: int) -> prf.Prf:
        """The one-way function of a pseudonym or date_shift domain."""
        name = (spec.mask, spec.domain, str(version))
        return self._once(name, lambda: prf.Prf(self.keys.derive(spec.domain, spec.mask, version)))

    def _once(self, name: tuple[str, ...], make: Callable[[], T]) -> T:
        if name not in self._made:
            self._made[name] = make()
        made: T = self._made[name]
        return made


@dataclasses.dataclass(frozen=True)
class Work:
    """What a mask needs beside its values. `days` only for date_shift."""

    bench: Bench
    version: int
    days: Days | None = None


def mask_text(spec: Spec, values: Text, work: Work) -> Masked:
    """Mask text, or the text of ids, with any mask but nullify and json."""
    return MASKED[spec.mask](spec, values, work)


def unmask_text(spec: Spec, values: Text, work: Work) -> Masked:
    """Reverse a token, an fpe value or an e-mail address; `work.version` is what masked fpe."""
    return REVERSED[spec.mask](spec, values, work)


def shift_dates(values: Fixed, per_day: int, days: Days) -> Masked:
    """Shift dates by each row's days; UNFIT where its entity is null or empty."""
    shift, known = days
    if known.all():
        return date.shifted(values, shift, per_day)
    masked = date.shifted(Fixed(values.values, values.valid & known), shift, per_day)
    missing = np.where(values.valid & ~known, np.uint8(UNFIT), np.uint8(0))
    return Masked(masked.values, missing | masked.status)


def shift_texts(spec: Spec, entries: Text, indices: NDArray[np.int64], valid: Flags, days: Days) -> Masked:
    """Shift the dates that rows have in text, each row an index into `entries`; their text is not multiplied."""
    form = date_text.layout(spec["format"])
    read, status = date_text.parsed(entries, form)  # type: ignore[arg-type]  # the spec compiled it before
    valid = valid & entries.valid[indices]
    masked = shift_dates(Fixed(read.values[indices], valid & read.valid[indices]), 1, days)
    back = date_text.written(entries.data, entries.offsets[indices], masked.values, form)  # type: ignore[arg-type]
    return Masked(back.values, np.where(valid, status[indices], np.uint8(0)) | masked.status | back.status)


def entity_days(spec: Spec, entities: Text | Fixed, work: Work) -> Days:
    """Return the shift of each entity; none for null and empty."""
    reach, unit = (spec["days"], 1) if spec["days"] is not None else (spec["weeks"], 7)
    keyed = work.bench.prf(spec, work.version)
    if isinstance(entities, Fixed):
        days = np.zeros(len(entities), np.int64)
        for low, digests in keyed.integer_digests(entities):
            days[low : low + len(digests)] = date.offsets_from(digests, reach, unit)
        return days, entities.valid
    entities = canonical(entities, spec["canonical"])
    known = entities.valid & (np.diff(entities.offsets) > 0)
    return date.offsets_from(keyed.digests(entities.only(known)), reach, unit), known


def _token(spec: Spec, values: Text, work: Work) -> Masked:
    return fitting(work.bench.sealer(spec, work.version).seal(canonical(values, spec["canonical"])))


def _pseudonym(spec: Spec, values: Text, work: Work) -> Masked:
    return fitting(prf.pseudonyms(canonical(values, spec["canonical"]), work.bench.prf(spec, work.version)))


def _fpe(spec: Spec, values: Text, work: Work) -> Masked:
    values = canonical(values, spec["canonical"])
    masked = fpe.run(values, spec.form, work.bench.keys.derive(spec.domain, "fpe", work.version))
    short = masked.status == SHORT
    if spec["on_short"] != "token" or not short.any():
        return masked
    tokens = work.bench.sealer(spec, work.version).seal(values.only(short))
    return Masked(merge(masked.values, tokens), np.where(short, np.uint8(0), masked.status))


def _email(spec: Spec, values: Text, work: Work) -> Masked:
    values = canonical(values, spec["canonical"])
    local, host, status = text.halves(values)
    if not spec.children:
        tokens = work.bench.sealer(spec, work.version).seal(values.only(local.valid))
        return Masked(text.join(tokens, text.MASKED_HOST, None, b""), status)
    first, second = (child for _, _, child in spec.children)
    left, right = _token(first, local, work).values, _token(second, host, work).values
    return Masked(text.join(left, b"@", right, b".masked.invalid"), status)


def _partial(spec: Spec, values: Text, _work: Work) -> Masked:
    return text.partial(values, spec["keep_first"], spec["keep_last"], spec["character"])


def _redact(spec: Spec, values: Text, _work: Work) -> Masked:
    return fitting(text.constant(values.valid, spec["text"].encode()))


def _clear(_spec: Spec, values: Text, _work: Work) -> Masked:
    return fitting(values)


def _date_shift(spec: Spec, values: Text, work: Work) -> Masked:
    return shift_texts(spec, values, np.arange(len(values)), values.valid, work.days)  # type: ignore[arg-type]


def _untoken(spec: Spec, values: Text, work: Work) -> Masked:
    return siv.open_tokens(values, work.bench.readable(spec))


def _unfpe(spec: Spec, values: Text, work: Work) -> Masked:
    tokens = np.zeros(len(values), np.bool_)
    if spec["on_short"] == "token":  # such a domain has no _, so a value with one is a token
        tokens = values.valid & _with_underscore(values)
    masked = fpe.run(
        values.only(~tokens),
        spec.form,
        work.bench.keys.derive(spec.domain, "fpe", work.version),
        decrypt=True,
    )
    if not tokens.any():
        return masked
    opened = _untoken(spec, values.only(tokens), work)
    return Masked(merge(masked.values, opened.values), masked.status | opened.status)


def _unemail(spec: Spec, values: Text, work: Work) -> Masked:
    cut = text.cut(values, text.MASKED_HOST if not spec.children else b".masked.invalid")
    if not spec.children:
        opened = _untoken(spec, cut.values, work)
        return Masked(opened.values, cut.status | opened.status)
    local, host, status = text.halves(cut.values)
    first, second = (child for _, _, child in spec.children)
    left, right = _untoken(first, local, work), _untoken(second, host, work)
    both = left.values.valid & right.values.valid
    joined = text.join(left.values.only(both), b"@", right.values.only(both), b"")
    return Masked(joined, cut.status | status | left.status | right.status)


def _with_underscore(values: Text) -> Flags:
    seen = np.concatenate(([0], np.cumsum(values.data == ord("_"))))
    return seen[values.offsets[1:]] > seen[values.offsets[:-1]]


MASKED: dict[str, Callable[[Spec, Text, Work], Masked]] = {
    "token": _token,
    "pseudonym": _pseudonym,
    "fpe": _fpe,
    "email": _email,
    "partial": _partial,
    "redact": _redact,
    "clear": _clear,
    "generalize": lambda spec, values, _: generalize.text_masked(spec, values),
    "date_shift": _date_shift,
}
REVERSED: dict[str, Callable[[Spec, Text, Work], Masked]] = {
    "token": _untoken,
    "fpe": _unfpe,
    "email": _unemail,
}
