import json
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.errors import InvalidRequest, NotAllowed, PdpError
from pdp.lineage.entry import decode, encode
from pdp.lineage.fact import Dataset, Edge, Event, Way
from tests.pdp.openlineage import AT, CRM, MART, columns, dataset, lineage, run, source, taken

DEEP = b'{"run":{},"x":' + b"[" * 64 + b"]" * 64 + b"}"
CANARY = "canary-4711"


def problems(event: Event) -> list[str]:
    return [path for path, _ in event.problems]


def test_run_event_becomes_a_fact_without_anything_else() -> None:
    facet = lineage(email=[source(CRM, "Email", "DIRECT/IDENTITY")])
    found = taken(
        run(
            [dataset(CRM, schema=columns("id", "Email"))], [dataset(MART, schema=columns("email"), columnLineage=facet)]
        )
    )
    assert found.by == "workload:etl"
    assert (found.at, found.event_time) == (AT, int(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp() * 1000))
    assert (found.run, found.job) == ("01890000-0000-7000-8000-000000000001", ("etl", "load"))
    assert (found.inputs, found.schemas) == ((CRM,), {CRM: ("id", "email")})
    [output] = found.outputs
    assert (output.dataset, output.columns, output.named) == (MART, ("email",), ("email",))
    assert output.edges == (Edge("email", CRM, "email", Way.CARRY, "DIRECT/IDENTITY"),)
    assert not any([output.is_complete, output.is_tainted, output.replaces, found.classifies, found.problems])
    assert decode(encode(found)) == found


def test_event_has_one_digest_however_it_is_written() -> None:
    one = run([dataset(CRM)])
    assert taken(one).event == taken(json.dumps(dict(reversed(one.items())), indent=2).encode()).event
    assert taken(one).event != taken(run([dataset(MART)])).event


def test_what_others_wrote_into_an_event_is_left_behind() -> None:
    facet = lineage(email=[source(CRM, "email", "DIRECT/IDENTITY", note=CANARY)])
    facet["fields"]["email"] |= {"transformationDescription": CANARY}
    subset = {"subset": {"inputCondition": {"type": "literal", "value": CANARY}}}
    event = run(
        [dataset(CRM, dataQualityMetrics={"columnMetrics": {CANARY: {"min": CANARY}}}) | {"inputFacets": subset}],
        [dataset(MART, columnLineage=facet, documentation={"description": CANARY}, ownership={"owners": [CANARY]})],
        job={"namespace": "etl", "name": "load", "facets": {"sql": {"query": f"select '{CANARY}'"}}},
        producer=CANARY,
        strange={CANARY: CANARY},
    )
    event["run"]["facets"] = {"errorMessage": {"message": CANARY}, "spark.logicalPlan": [CANARY]}
    event["outputs"][0]["facets"]["columnLineage"]["fields"]["email"]["inputFields"][0]["transformations"] += [
        {"type": CANARY, "subtype": CANARY, "description": CANARY}
    ]
    assert CANARY.encode() not in encode(taken(event))


@pytest.mark.parametrize(
    ("event", "path"),
    [
        (b"", "event"),
        (b"[]", "event"),
        (b"7", "event"),
        (b"{", "event"),
        (b'{"run":NaN}', "event"),
        (b'{"run":{"runId":"\xff"}}', "event"),
        (b'{"run":{"runId":"\\ud800"}}', "event"),
        (b'{"run":{}}{}', "event"),
        (DEEP, "event"),
        (b"[" * 1_000_000, "event"),
        (b'{"run":{},"x":[' + b"[]," * 250_000 + b"0]}", "event"),
        (b'{"run":{"runId":"' + b"x" * (4 * 1024 * 1024) + b'"}}', "event"),
        (b'{"run":{"runId":"a","runId":"b"}}', "run.runId"),
        (b'{"run":{},"outputs":[{"facets":{"x":[{"a":1,"a":2}]}}]}', "outputs[0].facets.x[0].a"),
        ({}, "event"),
        ({"outputs": [dataset(MART)]}, "event"),
        ({"run": []}, "run"),
        ({"job": "x"}, "job"),
        ({"dataset": []}, "dataset"),
        (run(inputs={"a": 1}), "inputs"),
        (run([7]), "inputs[0]"),
        (run([{"name": "t"}]), "inputs[0].namespace"),
        (run([{"namespace": "n"}]), "inputs[0].name"),
        (run([{"namespace": "n", "name": ""}]), "inputs[0].name"),
        (run([{"namespace": "n", "name": 7}]), "inputs[0].name"),
        (run([{"namespace": "n", "name": "a\nb"}]), "inputs[0].name"),
        (run(outputs=[{"namespace": "n", "name": "é" * 600}]), "outputs[0].name"),
        (run([dataset(Dataset("n", f"t{n}")) for n in range(1001)]), "event"),
        (run([dataset(CRM, schema=columns(*map(str, range(10_001))))]), "inputs[0].facets.schema.fields"),
        (run([dataset(CRM, schema=columns("x" * 1025))]), "inputs[0].facets.schema.fields[0].name"),
        (run([dataset(CRM, tags={"tags": [{"key": f"t{n}"} for n in range(65)]})]), "inputs[0].facets.tags"),
    ],
)
def test_what_can_never_be_read_is_refused_with_its_path(event: Any, path: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        taken(event)
    assert [where for where, _ in refused.value.violations] == [path]


def test_event_with_too_many_edges_is_refused() -> None:
    nested = ["a" + ".a" * depth for depth in range(17)]
    inner = {"namespace": "n", "name": "t", "field": nested[-1]}
    inputs = [dataset(Dataset("n", "t"), schema=columns(*nested[:-1]))]
    with pytest.raises(InvalidRequest, match="has more than 200000 edges"):
        taken(run(inputs, [dataset(MART, columnLineage=lineage(**{f"o{n}": [inner] for n in range(10_000)}))] * 2))


@pytest.mark.parametrize(
    "text",
    [
        b'{"run":{},"x":[' + b"{}," * 1_390_000 + b"0]}",
        b'{"run":{},"x":[' + b"[]," * 249_990 + b"0]}",
        b'{"run":{},' + b"".join(b'"%x":1,' % n for n in range(400_000)) + b'"a":1,"a":1}',
        b'{"run":{},"outputs":[' + b'{"namespace":"n","name":"t"},' * 130_000 + b'{"namespace":"n","name":"t"}]}',
        b'{"run":{},"inputs":[' + b'{"namespace":"s3://b","name":"' + b"/a" * 500 + b'"}]}',
        b'{"run":{},"inputs":['
        + b",".join(b'{"namespace":"s3://b","name":"%d%s"}' % (n, b"/\xc3\x9f" * 250) for n in range(999))
        + b"]}",
        b'{"run":{},"x":"' + b'\\"' * 1_000_000 + b'"}',
    ],
)
def test_large_event_is_read_or_refused_within_a_second(text: bytes) -> None:
    assert len(text) <= 4 * 1024 * 1024
    begun = time.process_time()
    with suppress(InvalidRequest):
        taken(text)
    assert time.process_time() - begun < 1


def test_foreign_output_refuses_the_whole_event() -> None:
    event = run([dataset(CRM)], [dataset(MART), dataset(CRM)])
    with pytest.raises(NotAllowed) as refused:
        taken(event, namespaces=("postgres://dw:*",))
    assert (refused.value.reason, "outputs[1]" in refused.value.sentence) == ("DATASET_FOREIGN", True)
    assert taken(event, namespaces=("postgres://dw:*", "postgresql://crm"))
    for other in ({"dataset": dataset(CRM)}, {"job": {"namespace": "e", "name": "j"}, "outputs": [dataset(CRM)]}):
        with pytest.raises(NotAllowed):
            taken(other, namespaces=("postgres://dw:*",))


def test_input_that_a_job_of_rdds_names_as_output_was_only_read() -> None:
    """So Spark's listener tells that Spark read the footers of a Parquet folder: nothing in it flows anywhere."""
    job = {"namespace": "shop", "name": "export.map_partitions_parallel_collection"}
    kind = {"processingType": "BATCH", "integration": "SPARK", "jobType": "RDD_JOB"}
    read = run([dataset(CRM)], [dataset(CRM), dataset(MART)], job=job | {"facets": {"jobType": kind}})
    assert [output.dataset for output in taken(read, namespaces=("postgres://dw:*",)).outputs] == [MART]
    for other in ({"jobType": kind | {"jobType": "SQL_JOB"}}, {"jobType": kind | {"integration": "FLINK"}}, [], {}):
        written = taken(read | {"job": job | {"facets": other}})
        assert [output.dataset for output in written.outputs] == [CRM, MART]
    told = run([dataset(CRM)], [dataset(CRM, columnLineage=lineage(email=[source(CRM, "name")]))], job=read["job"])
    assert [output.dataset for output in taken(told).outputs] == [CRM]


@pytest.mark.parametrize(
    ("time", "milliseconds"),
    [
        ("2020-12-28T19:51:01.641Z", 1609185061641),
        ("2020-12-28T19:51:01.641499", 1609185061641),
        ("2020-12-28T19:51:01.641499123Z", 1609185061641),
        ("2020-12-28T19:52:00.001+10:00", 1609149120001),
        ("2020-12-28T19:52:00.001+10:00[Australia/Brisbane]", 1609149120001),
        ("{{ now }}", None),
        (7, None),
        (None, None),
    ],
)
def test_time_is_read_with_and_without_a_time_zone(time: Any, milliseconds: int | None) -> None:
    found = taken(run(eventTime=time))
    assert found.event_time == milliseconds
    assert problems(found) == (["eventTime"] if milliseconds is None and time is not None else [])


def test_event_without_run_id_or_job_name_is_taken_and_says_so() -> None:
    found = taken({"eventType": "COMPLETE", "run": {}, "job": {"namespace": "etl"}, "inputs": [dataset(CRM)]})
    assert (found.run, found.job, found.inputs) == ("", None, (CRM,))
    assert problems(found) == ["job.name", "run.runId"]


def test_dataset_event_takes_the_datasets_that_its_facet_names_as_inputs() -> None:
    facet = lineage(email=[source(CRM, "email")])
    found = taken({"dataset": dataset(MART, schema=columns("email", "n"), columnLineage=facet)})
    [output] = found.outputs
    assert (found.run, found.job, found.inputs) == ("", None, (CRM,))
    assert (output.named, output.is_tainted) == (("email",), False)


def test_job_event_is_read_as_a_run_event_without_a_run() -> None:
    found = taken({"job": {"namespace": "etl", "name": "load"}, "inputs": [dataset(CRM)], "outputs": [dataset(MART)]})
    assert (found.run, found.job, found.inputs) == ("", ("etl", "load"), (CRM,))
    assert [output.dataset for output in found.outputs] == [MART]


@pytest.mark.parametrize(
    ("change", "members", "writer", "replaces"),
    [
        ("OVERWRITE", {}, {"may_replace": True}, True),
        ("CREATE", {}, {"may_replace": True}, True),
        ("DROP", {}, {"may_replace": True}, True),
        ("TRUNCATE", {}, {"may_replace": True}, True),
        ("ALTER", {}, {"may_replace": True}, False),
        ("OVERWRITE", {}, {}, False),
        ("OVERWRITE", {"eventType": "START"}, {"may_replace": True}, False),
        ("OVERWRITE", {"eventType": "FAIL"}, {"may_replace": True}, False),
        ("OVERWRITE", {"eventTime": None}, {"may_replace": True}, False),
        ("OVERWRITE", {"eventTime": "9999-01-01T00:00:00Z"}, {"may_replace": True}, False),
    ],
)
def test_only_a_trusted_event_that_completes_in_our_time_ends_edges(
    change: str,
    members: dict[str, Any],
    writer: dict[str, Any],
    replaces: bool,  # noqa: FBT001
) -> None:
    event = run(outputs=[dataset(MART, lifecycleStateChange={"lifecycleStateChange": change})], **members)
    assert taken(event, **writer).outputs[0].replaces is replaces


def test_other_names_join_within_what_the_writer_may_write() -> None:
    path = Dataset("s3://lake", "crm/customers")
    links = {"identifiers": [{"namespace": "s3a://lake", "name": "crm//customers/", "type": "LOCATION"}]}
    old = {
        "lifecycleStateChange": "RENAME",
        "previousIdentifier": {"namespace": CRM.namespace, "name": "crm.public.old"},
    }
    event = run([dataset(CRM, symlinks=links)], [dataset(MART, lifecycleStateChange=old)])
    before = Dataset(CRM.namespace, "crm.public.old")
    assert taken(event).aliases == ((CRM, path), (MART, before))
    found = taken(event, namespaces=("postgres://dw:*",))
    assert not found.aliases
    assert found.inputs == (CRM, path)
    assert found.outputs[0].edges == (Edge("", before, "", Way.CARRY, "SYMLINK"),)
    assert problems(found) == ["inputs[0]", "outputs[0]"]


def test_writer_who_tags_what_it_may_not_write_declares_nothing() -> None:
    tags = {"tags": [{"key": "pii", "field": "email"}]}
    event = run([dataset(CRM, tags=tags)], [dataset(MART)])
    assert taken(event, may_classify=True).classifies
    found = taken(event, may_classify=True, namespaces=("postgres://dw:*",))
    assert not found.classifies
    assert [(one.dataset, one.column, one.tag) for one in found.tags] == [(CRM, "email", "pii")]


def test_explicit_lineage_of_a_job_names_targets_sources_and_jobs() -> None:
    entries = [
        {
            "type": "DATASET",
            **dataset(MART),
            "inputs": [{"type": "DATASET", **dataset(CRM)}, {"type": "JOB", "namespace": "air", "name": "enrich"}],
            "fields": {
                "email": {"inputs": [{"type": "DATASET", **dataset(CRM), "field": "email"}]},
                "made": {"inputs": [{"type": "JOB"}]},
                "mixed": {"inputs": [{"type": "JOB", "namespace": "air", "name": "enrich"}]},
            },
        },
        {"type": "JOB", "inputs": [{"type": "DATASET", **dataset(CRM)}]},
    ]
    job = {"namespace": "etl", "name": "load", "facets": {"lineage": {"entries": entries}}}
    found = taken(run(outputs=[dataset(MART, schema=columns("email"))], job=job))
    enrich, load = Dataset("job:air", "enrich()"), Dataset("job:etl", "load()")
    assert found.inputs == (CRM, enrich)
    table, own = found.outputs
    assert (table.dataset, table.columns, table.named) == (MART, ("email", "made"), ("email", "mixed"))
    assert set(table.edges) == {Edge("email", CRM, "email"), Edge("mixed", enrich, "")}
    assert not taken(run(outputs=[dataset(MART)], job=job), facet_is_complete=True).outputs[0].is_complete
    assert (own.dataset, own.edges) == (load, (Edge("", CRM, ""),))
    with pytest.raises(NotAllowed):
        taken(run(job=job), namespaces=("s3://*",))
    assert problems(taken(run(job=job | {"facets": {"lineage": {"entries": 7}}}))) == ["job.facets.lineage.entries"]


def test_problems_are_counted() -> None:
    tags = {"tags": [{"key": "pii", "value": "false"}] * 200}
    found = taken(run([dataset(CRM, tags=tags)]))
    assert len(found.problems) == 101
    assert found.problems[-1][0] == "event"


real = [path.read_bytes() for path in sorted(Path("tests/cases/openlineage").glob("*.json"))]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """An event with other values in some places, or other bytes."""
    facet = lineage([source(CRM, "id", "INDIRECT/JOIN")], email=[source(CRM, "email", "DIRECT/IDENTITY")])
    tags = {"tags": [{"key": "pii", "value": "true", "field": "email"}]}
    links = {"identifiers": [{"namespace": "s3://lake", "name": "x"}]}
    change = {"lifecycleStateChange": "RENAME", "previousIdentifier": {"namespace": "n", "name": "old"}}
    entry = {"type": "DATASET", **dataset(MART), "inputs": [{"type": "JOB"}], "fields": {"a": {"inputs": []}}}
    event: Any = run(
        [dataset(CRM, schema=columns("id", "email"), tags=tags, symlinks=links)],
        [dataset(MART, schema=columns("email"), columnLineage=facet, lifecycleStateChange=change)],
        job={"namespace": "etl", "name": "load", "facets": {"lineage": {"entries": [entry]}}},
    )
    for _ in range(draw(st.integers(1, 3))):
        place, key = event, draw(st.sampled_from(sorted(event)))
        while draw(st.integers(0, 5)) and isinstance(place[key], dict | list) and place[key]:
            place = place[key]
            key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else list(range(len(place)))))
        place[key] = draw(json_values)
    return json.dumps(event).encode()


@st.composite
def torn(draw: st.DrawFn) -> bytes:
    """Bytes of a real event, some of them changed."""
    text = bytearray(draw(st.sampled_from(real)))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(text) - 1))
        text[place : place + draw(st.integers(0, 3))] = draw(
            st.binary(max_size=3) | st.sampled_from([b"[", b'"', b"{}"])
        )
    return bytes(text)


@settings(max_examples=400, deadline=None)
@given(mutated() | torn() | st.binary(max_size=60), st.booleans())
def test_any_bytes_are_an_event_or_an_error_of_ours(text: bytes, is_trusted: bool) -> None:  # noqa: FBT001
    begun = time.monotonic()
    with suppress(PdpError):
        found = taken(text, may_classify=is_trusted, may_replace=is_trusted, trust_masking=is_trusted)
        assert decode(encode(found)) == found
    assert time.monotonic() - begun < 1
