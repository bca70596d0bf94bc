"""Whether the schema of a part is that of its job, in what matters: names, order and types.

Metadata, nullability and the names of a map's parts do not matter. A time zone is a label of instants: `UTC` and
`Etc/UTC` mask alike, but with and without a zone do not.
"""

from itertools import zip_longest
from typing import Any

from masker.arrow.schema import children, walk
from masker.path import render
from pdp.arrow.table import Schema
from pdp.errors import InvalidRequest
from pdp.masking.refusals import shortened


def require_same(found: Schema, wanted: Schema, path: str) -> None:
    """Raise `InvalidRequest` that names the first column that differs, and how."""
    pairs = zip_longest(walk(found), walk(wanted))
    for here, there in pairs:
        if here is None:
            raise InvalidRequest.field(path, f"column {_name(there)} of the job is missing")
        if there is None:
            raise InvalidRequest.field(path, f"column {_name(here)} is not in the job")
        if here[0] != there[0]:
            raise InvalidRequest.field(path, f"column {_name(here)} stands where the job has {_name(there)}")
        if _described(here[1].type) != _described(there[1].type):
            what = f"is {here[1].type} here and {there[1].type} in the job"
            raise InvalidRequest.field(path, f"column {_name(here)} {what}")


def _name(found: Any) -> str:
    return shortened(render(found[0]))


def _described(kind: Any) -> tuple[str, ...]:
    """A type without what does not matter; of a nested one its own kind alone, as those below are compared apart."""
    if children(kind):
        size = getattr(kind, "list_size", "")
        return (type(kind).__name__, str(size))
    if getattr(kind, "tz", None) is not None:
        return (f"timestamp[{kind.unit}]", "with a time zone")
    return (str(kind),)
