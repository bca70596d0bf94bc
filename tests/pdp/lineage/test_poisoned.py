"""What a writer who means harm can do: add tags, never take one away."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pdp.errors import PdpError
from pdp.lineage.fact import Classified, Dataset, Fact
from pdp.lineage.graph import Graph
from pdp.lineage.view import Revision, State
from pdp.lineage.views import Views
from pdp.lineage_settings import LineageSettings
from tests.pdp.openlineage import AT, CRM, MART, columns, dataset, lineage, run, source, taken

ROWS = [json.loads(line) for line in Path("tests/cases/poisoned_events.jsonl").read_text().splitlines()]
PUB, STAGE = Dataset("postgres://pub:5432", "open.rates"), Dataset("postgres://dw:5432", "stage.new")
WRITES = ("postgres://dw:*", "postgres://pub:*", "s3://lake")


def classified(of: Dataset, **tags: list[str]) -> Classified:
    return Classified(by="user:bob", at=AT, dataset=of, columns=tags)


def world() -> list[Fact]:
    """A table with tags, one that a trusted writer derived from it, a public one, and one that nobody classified."""
    facet = lineage(email=[source(CRM, "email", "DIRECT/IDENTITY")])
    load = run(
        [dataset(CRM)],
        [dataset(MART, schema=columns("email"), columnLineage=facet)],
        run={"runId": "base"},
        eventTime="2026-11-01T00:00:00Z",
    )
    return [
        classified(CRM, email=["pii"], id=[]),
        classified(PUB, rate=[]),
        taken(load, may_classify=True),
        taken({"dataset": dataset(STAGE, schema=columns("x"))}),
    ]


def text(row: Mapping[str, Any]) -> bytes:
    """The event of a row: JSON, a text, bytes in hex, or a piece that repeats between two others."""
    if "repeat" in row:
        before, piece, times, after = row["repeat"]
        return f"{before}{piece * times}{after}".encode()
    if "hex" in row:
        return bytes.fromhex(row["hex"])
    return (row["text"] if "text" in row else json.dumps(row["event"])).encode()


def seen(facts: list[Fact]) -> Views:
    graph = Graph()
    views = Views(graph, LineageSettings())
    graph.apply([(1, facts)])
    return views


def tags(views: Views, of: Dataset, column: str) -> set[str]:
    """The tags of a column, by the dataset's full name."""
    [found] = views.columns_of("table", f"{of.namespace}/{of.name}", [column]).values()
    return set(found)


BEFORE = seen(world())
KNOWN = [(CRM, "email"), (CRM, "id"), (MART, "email"), (PUB, "rate"), (STAGE, "x"), (STAGE, "later"), (PUB, "later")]


def test_world_is_as_told() -> None:
    assert [sorted(tags(BEFORE, *one)) for one in KNOWN] == [["pii"], [], ["pii"], [], *3 * [["unclassified"]]]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_poisoned_event_takes_no_tag_away(row: dict[str, Any]) -> None:
    writer = {"namespaces": WRITES} | row.get("writer", {})
    if row.get("refused"):
        with pytest.raises(PdpError):
            taken(text(row), **writer)
        return
    facts: list[Fact] = [*world(), taken(text(row), **writer)]
    for after in (seen(facts), seen([facts[-1], *facts[:-1]])):
        for one in KNOWN:
            assert tags(BEFORE, *one) <= tags(after, *one)
        if "target" in row:
            namespace, name, column, tag = row["target"]
            assert tag in tags(after, Dataset(namespace, name), column)


def test_there_are_many_ways_to_poison() -> None:
    assert len({row["name"] for row in ROWS}) == len(ROWS) > 60


def public(views: Views, resource: str) -> bool:
    """Whether an export of a table would need nobody's approval."""
    view = views.view("table", resource, Revision())
    return view.state is State.KNOWN and not view.tags


TARGET = Dataset("s3://lake", "out/t")
PARTED = Dataset("s3://lake", "crm/customers")


MADE: Sequence[tuple[Dataset, list[Any]]] = [
    (PARTED, [run([dataset(Dataset("s3a://lake", "crm/customers"))], [dataset(TARGET)])]),
    (PARTED, [run([dataset(Dataset("s3n://LAKE/", "//crm//Customers/"))], [dataset(TARGET)])]),
    (PARTED, [run([dataset(Dataset("s3://lake", "crm/customers/year=2026/month=01"))], [dataset(TARGET)])]),
    (PARTED, [run([dataset(PARTED)], [dataset(Dataset("s3a://lake", "out/t/year=2026"))])]),
    (PARTED, [run([dataset(Dataset("s3://lake", "crm"))], [dataset(TARGET)])]),
    (PARTED, [run([dataset(PARTED)], [dataset(Dataset("s3://lake", "out"))])]),
    (PARTED, [run([dataset(PARTED)], [dataset(Dataset("s3://lake", "out/t/part-0.parquet"))])]),
    (
        Dataset(CRM.namespace, "public.t"),
        [run([dataset(Dataset(CRM.namespace, "data.public.t"))], [dataset(TARGET)])],
    ),
    (
        Dataset(CRM.namespace, "data.public.t"),
        [run([dataset(Dataset(CRM.namespace, "public.t"))], [dataset(TARGET)])],
    ),
    (CRM, [run([dataset(CRM)], [dataset(TARGET, schema=columns("email", "n"))])]),
    (CRM, [run([dataset(CRM)], [dataset(TARGET, columnLineage=lineage(email=[source(CRM, "*")]))])]),
    (
        CRM,
        [
            run(
                [dataset(CRM)],
                [dataset(TARGET, columnLineage={"fields": {"*": {"inputFields": [source(CRM, "*")]}}})],
            )
        ],
    ),
    (CRM, [run([dataset(CRM)], [dataset(TARGET, columnLineage=lineage(email=[source(PUB, "rate")]))])]),
    (CRM, [run([dataset(PUB)], [dataset(TARGET, columnLineage=lineage(email=[source(CRM, "email")]))])]),
    (CRM, [run([dataset(CRM)], [], eventType="START"), run([], [dataset(TARGET)])]),
    (CRM, [run([], [dataset(TARGET)]), run([dataset(CRM)], [], eventType="START")]),
    (
        CRM,
        [
            run([dataset(CRM)], [], eventType="START"),
            run([], [dataset(TARGET, columnLineage=lineage(email=[source(PUB, "rate")]))]),
        ],
    ),
    (CRM, [run([dataset(CRM)], [], eventType="FAIL"), run([], [dataset(TARGET)], eventType="ABORT")]),
    (
        CRM,
        [
            run([dataset(CRM, schema=columns("email"))], []),
            run(
                [dataset(CRM, schema=columns("id"))],
                [dataset(TARGET, columnLineage=lineage(email=[source(CRM, "email")]))],
            ),
        ],
    ),
    (CRM, [{"job": {"namespace": "e", "name": "j"}, "inputs": [dataset(CRM)], "outputs": [dataset(TARGET)]}]),
    (CRM, [{"dataset": dataset(TARGET, columnLineage=lineage(email=[source(CRM, "email")]))}]),
    (CRM, [{"dataset": dataset(TARGET, lineage={"inputs": [{"type": "DATASET", **dataset(CRM)}]})}]),
]
"""Ways in which a target is made of personal data, each with the table whose column is tagged."""


@pytest.mark.parametrize(("declared", "events"), MADE)
def test_export_of_what_was_made_of_personal_data_is_never_public(declared: Dataset, events: list[Any]) -> None:
    """Even where somebody has declared the target to need no tags, and the writer is not trusted with anything."""
    facts: list[Fact] = [
        classified(declared, email=["pii"]),
        classified(TARGET, email=[], n=[]),
        classified(PUB, rate=[]),
    ]
    assert public(seen(facts), "s3://lake/out/t")
    views = seen([*facts, *(taken(event) for event in events)])
    assert not public(views, "s3://lake/out/t")
    assert tags(views, TARGET, "email") & {"pii", "unclassified"}
