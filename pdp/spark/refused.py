"""Why a mask job on Spark failed, in one line that also its executors' errors end with."""

import re
from collections.abc import Mapping

from masker.errors import MaskRefused

_LINE = re.compile(r"\bMaskRefused: (.+)")
_COUNTED = " (rows count from 0)"


def in_value(table: str, sentence: str, place: Mapping[str, str], part: int, rows_before: int) -> MaskRefused:
    """The error that a server told of a part, whose `sentence` begins with its `place`: column, row and rule."""
    named = [f"{name} {place[name]}" for name in ("column", "row", "rule") if name in place]
    problem = sentence.removeprefix(f"{', '.join(named)}: ").removesuffix(_COUNTED)
    row = place.get("row", "")
    return MaskRefused(
        problem,
        table=table,
        column=place.get("column", ""),
        part=part,
        row=rows_before + int(row) if row.isdecimal() else None,
    )


def behind(error: BaseException) -> MaskRefused | None:
    """The refusal that an executor's error ends with; None where it failed for another reason."""
    found = _LINE.findall(str(error))
    return MaskRefused(found[-1].strip()) if found else None
