"""Dates as counts of days: keyed shifts, periods, ages.

Days count from 1970-01-01 in the proleptic Gregorian calendar; timestamps are UTC.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from masker.kernels import device, kernel
from masker.kernels.column import Fixed, Masked
from masker.kernels.vector import get, get_pair, put, remainder
from masker.kernels.word import U, swap

PERIODS = {"month": 1, "quarter": 3, "year": 12, "5years": 60}
"""Months of the periods that a date can go back to the beginning of."""
LEAST, MOST = -719_162, 2_932_896
"""Days of 0001-01-01 and 9999-12-31: the first and last day whose year four digits can write."""
_TABLE = 1 << 16
"""Days that a table may have beyond the number of values; it is 512 KiB, and stays in cache."""

Days = NDArray[np.int64]


def offsets_from(digests: NDArray[np.uint64], reach: int, unit: int) -> Days:
    """Map digests of 128 bits to -reach..reach without 0, times `unit` days."""
    output = np.zeros(digests.shape[0], np.int64)
    spread(digests, reach, U((1 << 64) // (2 * reach)), unit, output)
    return output


def shifted(dates: Fixed, days: Days, per_day: int) -> Masked:
    """Add whole days to counts of which `per_day` make a day; UNFIT where the sum overflows."""
    output = np.zeros_like(dates.values)
    status = np.zeros(len(dates), np.uint8)
    limits = np.iinfo(dates.values.dtype)
    shift(dates.values, dates.valid, days, per_day, limits.min, limits.max, output, status)
    return Masked(Fixed(output, dates.valid & (status == 0)), status)


def truncated(dates: Fixed, months: int, per_day: int) -> Masked:
    """Go back to the first day of the period; UNFIT where the type cannot hold that day."""
    days = dates.values if per_day == 1 else dates.values // per_day
    low, high = (int(days.min()), int(days.max())) if days.size else (0, 0)
    if high - low > days.size + _TABLE:
        first = np.zeros(len(dates), np.int64)
        truncate(days, months, first)
    else:  # far fewer days than values: each is worked out once
        table = np.zeros(high - low + 1, np.int64)
        truncate(np.arange(low, high + 1, dtype=days.dtype), months, table)
        first = table[days - low]
    unfit = first < -(-int(np.iinfo(dates.values.dtype).min) // per_day)
    status = (unfit & dates.valid).view(np.uint8)
    values = (np.where(unfit, 0, first) * per_day).astype(dates.values.dtype)
    return Masked(Fixed(values, dates.valid & ~unfit), status)


def ages(dates: Fixed, per_day: int, today: int, cap: int) -> Masked:
    """Return whole years from each date to the day `today`, at most `cap`; a date after it is UNFIT."""
    output = np.zeros(len(dates), np.int32)
    status = np.zeros(len(dates), np.uint8)
    years_until(dates.values, dates.valid, per_day, today, cap, output, status)
    return Masked(Fixed(output, dates.valid & (status == 0)), status)


@kernel
def spread(digests: Any, reach: Any, inverse: Any, unit: Any, output: Any) -> None:
    """Take the first 8 bytes, big-endian, mod 2n: the lower half of the results goes to -n..-1, the upper to 1..n."""
    for i in range(output.size):
        word, _ = get_pair(digests, 0, i)
        number = np.int64(remainder(swap(word), U(2 * reach), inverse))
        put(output, 0, i, unit * (number - reach + np.int64(number >= reach)))


@kernel
def shift(values: Any, valid: Any, days: Any, per_day: Any, least: Any, most: Any, output: Any, status: Any) -> None:
    """Add days. A sum that wrapped has another sign than both of its parts."""
    for i in range(valid.size):
        value, change = np.int64(get(values, 0, i)), get(days, 0, i) * per_day
        moved = value + change
        wrong = (((value ^ moved) & (change ^ moved)) < 0) | (moved < least) | (moved > most)
        put(status, 0, i, wrong & get(valid, 0, i))
        put(output, 0, i, 0 if wrong | (not get(valid, 0, i)) else moved)


@kernel
def truncate(days: Any, months: Any, first: Any) -> None:
    """Find the first day of each period. Years count from 0, so that periods of five begin in 0 and 5."""
    for i in range(days.size):
        year, month, _ = civil(np.int64(days[i]))
        count = (year * 12 + month - 1) // months * months
        first[i] = days_of(count // 12, count % 12 + 1, 1)


@kernel
def years_until(values: Any, valid: Any, per_day: Any, today: Any, cap: Any, output: Any, status: Any) -> None:
    """Count the birthdays from each date to `today`."""
    year, month, day = civil(today)
    for i in range(valid.size):
        if valid[i]:
            born, its_month, its_day = civil(np.int64(values[i]) // per_day)
            age = year - born
            if month < its_month or (month == its_month and day < its_day):
                age -= 1
            if age < 0:
                status[i] = 1
            else:
                output[i] = age if age < cap else cap


@device
def civil(days: Any) -> Any:
    """Return year, month, day (Hinnant, "chrono-compatible low-level date algorithms")."""
    days += 719468
    era = days // 146097
    of_era = days - era * 146097
    years = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * years + years // 4 - years // 100)
    march = (5 * of_year + 2) // 153
    day = of_year - (153 * march + 2) // 5 + 1
    month = march + 3 if march < 10 else march - 9
    return years + era * 400 + (1 if month <= 2 else 0), month, day


@device
def days_of(year: Any, month: Any, day: Any) -> Any:
    """Return the day of a date; the inverse of `civil`."""
    if month <= 2:
        year -= 1
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
