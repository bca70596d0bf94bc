"""Join two CSV files: python join.py LEFT COLUMN RIGHT COLUMN prints how many pairs of rows have equal values."""

import csv
import sys
from collections import Counter
from pathlib import Path


def values(file: str, column: str) -> Counter[str]:
    """How often each value of a column occurs."""
    with Path(file).open(newline="") as rows:
        return Counter(row[column] for row in csv.DictReader(rows))


if __name__ == "__main__":
    left, left_column, right, right_column = sys.argv[1:]
    ours, theirs = values(left, left_column), values(right, right_column)
    print(sum(ours[value] * theirs[value] for value in ours), "pairs")
