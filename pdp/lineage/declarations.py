"""Of which columns somebody has said what is in them, also under the other names of their dataset.

A person's declaration counts for the names that the dataset had when the person made it, as long as they are joined. A
name that is joined later is declared by itself: until then its columns are unclassified, and with them all that they
are joined with. So a name that a writer makes up never makes data public, and names that are parted are what they were.
"""

from collections.abc import Iterable

from pdp.lineage.fact import Dataset
from pdp.lineage.nodes import ALL, ROLES
from pdp.lineage.structure import Structure


def declare(structure: Structure, node: int, by: str, at: int, names: Iterable[Dataset] = ()) -> None:
    """Somebody who may has said what is in a column, which lies under these `names`, too."""
    if structure.nodes.role(node) != ROLES:
        return
    structure.ledger.declared[node] = (by, at)
    structure.set_open(node, is_open=False)
    others = frozenset(names)
    if others - structure.ledger.shared.get(node, frozenset()):
        structure.ledger.shared[node] = structure.ledger.shared.get(node, frozenset()) | others
        reconsider(structure, int(structure.nodes.owner.values[node]))


def reconsider(structure: Structure, dataset: int) -> None:
    """Names were joined or parted, or declared together: what is unclassified follows from it anew."""
    if not structure.ledger.shared:
        return
    nodes = structure.nodes
    for one in sorted(nodes.together(dataset)):
        columns = list(nodes.columns[one].values())
        whole = [nodes.first[one] + ALL] if one in structure.ledger.met and not columns else []
        for node in (*columns, *whole):
            structure.set_open(node, is_open=not structure.is_declared(node))
