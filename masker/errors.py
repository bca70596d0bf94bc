"""Every failure of the library: what went wrong and where, never the value itself."""


class MaskError(Exception):
    """The root of all failures; `reason` is stable and safe to show."""

    reason = "MASK_FAILED"


class PlanRefused(MaskError):
    """The rules do not fit the schema, so not a single row was touched."""

    reason = "PLAN_REFUSED"

    def __init__(self, problem: str, *, column: str = "", rule: str = "") -> None:
        self.problem, self.column, self.rule = problem, column, rule
        super().__init__(f"{_where(column, None, rule)}{problem}")


class ValueRefused(MaskError):
    """A value does not fit its rule; `row` counts from 0 in the table or record list."""

    reason = "VALUE_REFUSED"

    def __init__(self, problem: str, *, column: str = "", row: int | None = None, rule: str = "") -> None:
        self.problem, self.column, self.row, self.rule = problem, column, row, rule
        counted = "" if row is None else " (rows count from 0)"
        super().__init__(f"{_where(column, row, rule)}{problem}{counted}")

    def moved(self, rows: int) -> "ValueRefused":
        """Return the same error, `rows` further down."""
        row = None if self.row is None else self.row + rows
        return ValueRefused(self.problem, column=self.column, row=row, rule=self.rule)


class MaskRefused(MaskError):
    """A part of a table that is masked in parts is refused; the text is one line, which ends what Spark prints.

    `part` counts from 0 as Spark does, and `row` from 0 in its part; None where it is not known.
    """

    reason = "MASK_REFUSED"

    def __init__(
        self, problem: str, *, table: str = "", column: str = "", part: int | None = None, row: int | None = None
    ) -> None:
        self.problem, self.table, self.column, self.part, self.row = problem, table, column, part, row
        place = [
            f"table {table}" if table else "",
            f"column {column}" if column else "",
            f"part {part:,}" if part is not None else "",
            f"row {row:,}" if row is not None else "",
        ]
        where = ", ".join(filter(None, place))
        super().__init__(f"{where}: {problem}" if where else problem)

    @staticmethod
    def of(error: MaskError, *, table: str, part: int | None) -> "MaskRefused":
        """Return any failure of the library as one of a part."""
        problem, column = getattr(error, "problem", str(error)), getattr(error, "column", "")
        return MaskRefused(problem, table=table, column=column, part=part, row=getattr(error, "row", None))


class KeyRefused(MaskError):
    """A key file, version or key id cannot be used."""

    reason = "KEY_REFUSED"


class FileRefused(MaskError):
    """A file cannot be read or written as the format that its name says."""

    reason = "FILE_REFUSED"


def _where(column: str, row: int | None, rule: str) -> str:
    parts = [
        f"column {column}" if column else "",
        f"row {row}" if row is not None else "",
        f"rule {rule}" if rule else "",
    ]
    place = ", ".join(part for part in parts if part)
    return f"{place}: " if place else ""
