"""Spark: a function for `DataFrame.mapInArrow`, where data outgrows a machine.

Every executor reads the key file: a person who can read that file on an executor can unmask.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from masker.keys import Keyring
from masker.plan import MaskPlan
from masker.run import Masker


def masking(plan_json: str, key_file: str = "") -> Callable[[Iterable[Any]], Iterator[Any]]:
    """Return the function that masks record batches by a plan in JSON. It loads the keys where it runs."""

    def run(batches: Iterable[Any]) -> Iterator[Any]:
        masker = Masker(MaskPlan.from_json(plan_json), Keyring.load(key_file) if key_file else None)
        for batch in batches:
            yield masker.batch(batch)

    return run
