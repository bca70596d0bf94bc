"""Why a mask job on Spark failed, in one line that also its executors' errors end with."""

import re
from collections.abc import Mapping

from pdp.errors import PdpError

_LINE = re.compile(r"\bMaskRefused: (.+)")
_COUNTED = " (rows count from 0)"


class MaskRefused(PdpError):
    """The job cannot mask this. Its sentence names table, column, part and row where they are known, and no value."""

    code = "FAILED_PRECONDITION"
    reason = "MASK_REFUSED"

    @classmethod
    def at(
        cls, table: str, problem: str, *, column: str = "", part: int | None = None, row: int | None = None
    ) -> "MaskRefused":
        """The error at one place of a table; rows count from 0 in their part."""
        place = [
            f"table {table}",
            f"column {column}" if column else "",
            f"part {part}" if part is not None else "",
            f"row {row:,}" if row is not None else "",
        ]
        return cls(f"{', '.join(filter(None, place))}: {problem}")


def in_value(table: str, sentence: str, place: Mapping[str, str], part: int, rows_before: int) -> MaskRefused:
    """The error about a value or a plan, whose `sentence` begins with the same `place`: column, row and rule."""
    named = [f"{name} {place[name]}" for name in ("column", "row", "rule") if name in place]
    problem = sentence.removeprefix(f"{', '.join(named)}: ").removesuffix(_COUNTED)
    row = place.get("row", "")
    rule = f" (rule {place['rule']})" if "rule" in place else ""
    return MaskRefused.at(
        table,
        problem + rule,
        column=place.get("column", ""),
        part=part,
        row=rows_before + int(row) if row.isdecimal() else None,
    )


def behind(error: BaseException) -> MaskRefused | None:
    """The refusal that an executor's error ends with; None where it failed for another reason."""
    found = _LINE.findall(str(error))
    return MaskRefused(found[-1].strip()) if found else None
