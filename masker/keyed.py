"""Masks with a key on plain columns, and back: tokens, pseudonyms, format-preserving encryption, e-mail addresses."""

import numpy as np

from masker.context import Context
from masker.kernels import fpe, prf, siv, text
from masker.kernels.canonical import canonical
from masker.kernels.column import SHORT, Flags, Masked, Text, fitting, merge
from masker.spec import Spec

HALVES_END = b".masked.invalid"
"""The end of an address whose host is a token (RFC 2606: such a name never resolves)."""


def token(spec: Spec, values: Text, context: Context) -> Masked:
    """Seal each value; equal values of a domain are equal tokens."""
    return fitting(context.schedules.sealer(spec, context.version).seal(canonical(values, spec["canonical"])))


def untoken(spec: Spec, values: Text, context: Context) -> Masked:
    """Open tokens of any version that may still be read; UNFIT for everything else."""
    return siv.open_tokens(values, context.schedules.readable(spec))


def pseudonym(spec: Spec, values: Text, context: Context) -> Masked:
    """Replace each value by 26 characters that only the key connects with it; there is no way back."""
    keyed = context.schedules.prf(spec, context.version)
    return fitting(prf.pseudonyms(canonical(values, spec["canonical"]), keyed))


def encrypted(spec: Spec, values: Text, context: Context) -> Masked:
    """Encrypt in the format of the domain; a value that is too short becomes a token where the domain says so."""
    values = canonical(values, spec["canonical"])
    masked = fpe.run(values, spec.form, _fpe_key(spec, context))
    short = masked.status == SHORT
    if spec["on_short"] != "token" or not short.any():
        return masked
    tokens = context.schedules.sealer(spec, context.version).seal(values.only(short))
    return Masked(merge(masked.values, tokens), np.where(short, np.uint8(0), masked.status))


def decrypted(spec: Spec, values: Text, context: Context) -> Masked:
    """Reverse `encrypted`; `context.version` is the key version that masked."""
    tokens = np.zeros(len(values), np.bool_)
    if spec["on_short"] == "token":  # such a domain does not encrypt `_`, so a value with one is a token
        tokens = values.valid & _with_underscore(values)
    masked = fpe.run(values.only(~tokens), spec.form, _fpe_key(spec, context), decrypt=True)
    if not tokens.any():
        return masked
    opened = untoken(spec, values.only(tokens), context)
    return Masked(merge(masked.values, opened.values), masked.status | opened.status)


def email(spec: Spec, values: Text, context: Context) -> Masked:
    """Make an address of a token, or of a token for each half; UNFIT without exactly one `@`."""
    values = canonical(values, spec["canonical"])
    local, host, status = text.halves(values)
    if not spec.children:
        tokens = context.schedules.sealer(spec, context.version).seal(values.only(local.valid))
        return Masked(text.join(tokens, text.MASKED_HOST, None, b""), status)
    first, second = (child for _, _, child in spec.children)
    left, right = token(first, local, context).values, token(second, host, context).values
    return Masked(text.join(left, b"@", right, HALVES_END), status)


def unemail(spec: Spec, values: Text, context: Context) -> Masked:
    """Reverse `email`."""
    cut = text.cut(values, HALVES_END if spec.children else text.MASKED_HOST)
    if not spec.children:
        opened = untoken(spec, cut.values, context)
        return Masked(opened.values, cut.status | opened.status)
    local, host, status = text.halves(cut.values)
    first, second = (child for _, _, child in spec.children)
    left, right = untoken(first, local, context), untoken(second, host, context)
    both = left.values.valid & right.values.valid
    joined = text.join(left.values.only(both), b"@", right.values.only(both), b"")
    return Masked(joined, cut.status | status | left.status | right.status)


def _fpe_key(spec: Spec, context: Context) -> bytes:
    return context.schedules.keys.derive(spec.domain, "fpe", context.version)


def _with_underscore(values: Text) -> Flags:
    seen = np.concatenate(([0], np.cumsum(values.data == ord("_"))))
    return seen[values.offsets[1:]] > seen[values.offsets[:-1]]
