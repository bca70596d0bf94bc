"""Where the tags of an approval's data come from, for the person who reviews it."""

from pdp.cli.lineage_steps import assertion, step
from pdp.view.origins import Arrival, Provenance


def lines(came: Provenance) -> list[str]:
    """Who says so, where, and each job between there and here."""
    found = [line for one in came.told for line in _told(one)]
    if came.more:
        found.append("  of others: pdp lineage why DATA --column NAME --tag TAG")
    return ["", "where the tags come from:", *found] if found else []


def _told(one: Arrival) -> list[str]:
    columns = ", ".join(each.visible or "the data itself" for each in one.columns)
    said = [f"    {line}" for each in one.said for line in assertion(each)]
    begins = said or ["    nobody has classified the data where this begins"]
    return [f"  {columns}: {one.tag.visible}", *begins, *(f"    {step(each)}" for each in one.steps)]
