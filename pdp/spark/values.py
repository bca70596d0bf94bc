"""How many values a plan masks with keys in a batch, by column: what the server counts where it sees the rows."""

from collections import Counter
from typing import Any

from masker import MaskPlan, methods, records
from masker.arrow import buffers
from pdp.arrow.table import Batch
from pdp.arrow.tokens import at_path, present


def counted(plan: MaskPlan, batch: Batch) -> Counter[str]:
    """The values by column, without nulls; of JSON documents those in them, by the column that they are in."""
    found = Counter[str]()
    for leaf in plan.leaves:
        array = at_path(batch, leaf.column)
        if array is None:
            continue
        if leaf.spec.mask == "json":
            paths = [path for path, _, spec in leaf.spec.children if methods.counts(spec, "mask")]
            found[leaf.column] += _in_documents(array, paths)
        elif methods.counts(leaf.spec, "mask"):
            found[leaf.column] += present(array)
    return +found


def _in_documents(array: Any, paths: list[str]) -> int:
    return records.counts(buffers.text(array), paths).total() if paths else 0
