"""Count the customers who read the newsletter, by their tokens, and write that of who spent most to one.csv."""

import csv
from pathlib import Path

import pyarrow.dataset

customers = pyarrow.dataset.dataset("share/spending").to_table().to_pylist()
with Path("masked-newsletter.csv").open(newline="") as rows:
    readers = {row["email"] for row in csv.DictReader(rows)}
print(sum(row["email"] in readers for row in customers), "customers read the newsletter")
most = max(customers, key=lambda row: row["spent"])
Path("one.csv").write_text(f"email\n{most['email']}\n")
