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
