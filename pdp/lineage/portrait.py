"""One dataset for people: its columns, and what each of them carries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pdp.lineage.fact import Dataset
from pdp.lineage.graph import Graph
from pdp.lineage.nodes import ALL
from pdp.lineage.tag_bits import tags_of


@dataclass(frozen=True, slots=True)
class Portrait:
    """A dataset: the union of its tags, the tags of each column that has any, and the names of all columns, sorted."""

    dataset: Dataset
    tags: Sequence[str]
    columns: Mapping[str, Sequence[str]]
    names: Sequence[str]
    is_coarse: bool


def portrait(graph: Graph, dataset: Dataset) -> Portrait | None:
    """A dataset as it is known; None where it is not."""
    with graph.lock:
        nodes, names = graph.structure.nodes, graph.structure.tags.names
        number = nodes.numbers.get(dataset)
        if number is None:
            return None
        columns = {
            name: tags
            for name, node in sorted(nodes.columns[number].items())
            if (tags := tags_of(names, graph.bits[:, node].tolist()))
        }
        tags = tags_of(names, graph.bits[:, nodes.first[number] + ALL].tolist())
        is_coarse = number in graph.structure.coarse
        return Portrait(dataset, tags, columns, sorted(nodes.columns[number]), is_coarse)
