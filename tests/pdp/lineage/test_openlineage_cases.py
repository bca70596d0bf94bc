"""Real events of others against the table beside them, which says what each one is for us."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pdp.errors import PdpError
from pdp.lineage.entry import decode, encode
from pdp.lineage.fact import Dataset, Edge, Event, Output, Way
from tests.pdp.openlineage import AT, CRM, MART, dataset, run, taken

FOLDER = Path("tests/cases/openlineage")
ROWS = [json.loads(line) for line in (FOLDER / "table.jsonl").read_text().splitlines()]
WRAPPED = {
    "input": lambda facets: run([dataset(CRM, **facets)], [dataset(MART)]),
    "output": lambda facets: run(outputs=[dataset(MART, **facets)]),
    "job": lambda facets: run([dataset(CRM)], [dataset(MART)], job={"namespace": "e", "name": "j", "facets": facets}),
}
"""Where a file that holds one facet is put into an event."""


def events(row: dict[str, Any]) -> Any:
    """The event of a row: a file, one of a file that is a list, or one around a facet."""
    read = json.loads((FOLDER / row["file"]).read_text())
    read = read[row["number"]] if "number" in row else read
    return WRAPPED[row["as"]](read) if "as" in row else read


def name(of: Dataset) -> str:
    return f"{of.namespace} {of.name}"


def arrow(edge: Edge) -> str:
    way = "" if edge.way is Way.CARRY else f" ({edge.way.value})"
    return f"{edge.column or '*'} <- {name(edge.source)} {edge.source_column or '*'}{way}"


def coarse(output: Output) -> list[str]:
    """The columns that get every tag of every input; `*` is all of them."""
    if output.named is None or output.is_tainted:
        return ["*"]
    return [column for column in output.columns if column not in output.named]


def told(event: Event) -> dict[str, Any]:
    """A fact as the table tells it, without what is empty."""
    outputs = {
        name(one.dataset): {
            "columns": list(one.columns),
            "coarse": coarse(one),
            "edges": sorted(arrow(edge) for edge in one.edges),
        }
        for one in event.outputs
    }
    found = {
        "inputs": [name(one) for one in event.inputs],
        "outputs": {of: {key: value for key, value in one.items() if value} for of, one in outputs.items()},
        "aliases": [f"{name(one)} = {name(other)}" for one, other in event.aliases],
        "tags": [f"{name(one.dataset)} {one.column or '*'}: {one.tag}" for one in event.tags],
        "problems": [path for path, _ in event.problems],
    }
    return {key: value for key, value in found.items() if value}


def masking(trusted: Event, untrusted: Event) -> list[str]:
    """The columns whose edges mask where the writer is believed."""
    pairs = zip(trusted.outputs, untrusted.outputs, strict=True)
    return sorted({edge.column for one, other in pairs for edge in set(one.edges) - set(other.edges)})


def rows() -> Iterator[dict[str, Any]]:
    """The table as the code would write it: to be looked at, not believed."""
    for file in sorted(FOLDER.glob("*.json")):
        read = json.loads(file.read_text())
        numbers = [{"number": number} for number in range(len(read))] if isinstance(read, list) else [{}]
        is_facet = file.name.startswith("spec__") and "Facet" in file.name
        kinds = [{}, *({"as": kind} for kind in WRAPPED if is_facet)]
        yield from (row_of({"file": file.name, **number, **kind}) for number in numbers for kind in kinds)


def row_of(row: dict[str, Any]) -> dict[str, Any]:
    try:
        untrusted = taken(events(row))
    except PdpError as refused:
        return {**row, "refused": [path for path, _ in refused.violations]}
    masks = masking(taken(events(row), trust_masking=True), untrusted)
    return {**row, "taken": told(untrusted), **({"masking": masks} if masks else {})}


@pytest.mark.parametrize(
    "row", ROWS, ids=lambda row: "-".join(str(row[key]) for key in ("file", "number", "as") if key in row)
)
def test_real_event_is_taken_or_refused_as_the_table_says(row: dict[str, Any]) -> None:
    assert row_of({key: row[key] for key in ("file", "number", "as") if key in row}) == row


def test_event_with_a_facet_twice_is_taken_as_it_came() -> None:
    text = (FOLDER / "spark_footersStart.json").read_bytes()
    assert text.count(b'"processing_engine":') == 2
    found = taken(text)
    assert (found.inputs, found.outputs) == ((Dataset("file", "/shop/lake/spending"),), ())


def test_every_file_has_its_rows() -> None:
    assert {row["file"] for row in ROWS} == {file.name for file in FOLDER.glob("*.json")}
    assert {row["file"] for row in rows()} == {row["file"] for row in ROWS}
    assert sum(1 for _ in rows()) >= len(ROWS) > 75


def test_every_real_event_fits_into_the_log() -> None:
    for row in ROWS:
        if "taken" in row:
            found = taken(events(row), trust_masking=True)
            assert decode(encode(found)) == found
            assert found.at == AT
