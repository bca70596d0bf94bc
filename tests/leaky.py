"""Events that hold a secret wherever nobody here needs what stands there, good ones and bad ones."""

import gzip
import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from pdp.lineage.strict_json import MAX_BYTES
from tests.pdp.openlineage import CRM, MART, columns, dataset, lineage, run, source

CANARY = "canary7f3a"
SQL = f"MERGE INTO mart.customers USING crm.public.customers ON email = '{CANARY}'"


def leaky(**members: Any) -> dict[str, Any]:
    """A good event with the canary in every facet whose texts and values are of no use here."""
    read = dataset(
        CRM,
        schema={"fields": [{"name": "email", "type": CANARY, "description": CANARY, "fields": [CANARY]}]},
        dataSource={"name": CANARY, "uri": f"postgres://crm:5432/{CANARY}"},
        documentation={"description": CANARY, "contentType": CANARY},
        ownership={"owners": [{"name": CANARY, "type": CANARY}]},
        version={"datasetVersion": CANARY},
        tags={"tags": [{"key": "pii", "value": "true", "source": CANARY, "field": "email"}]},
        **{f"{CANARY}_facet": {"members": [CANARY, {CANARY: CANARY}]}},
    )
    statistics = {"min": CANARY, "max": CANARY, "quantiles": {CANARY: 1.0}}
    read["inputFacets"] = {
        "dataQualityMetrics": {"rowCount": 1, "columnMetrics": {"email": statistics}},
        "dataQualityAssertions": {"assertions": [{"assertion": CANARY, "success": False, "column": "email"}]},
        "subset": {"inputCondition": {"type": "compare", "left": CANARY, "right": CANARY}},
    }
    edge = source(CRM, "email", f"DIRECT/{CANARY}")
    edge["transformations"][0] |= {"description": SQL, CANARY: CANARY}
    facet = {
        "fields": {
            "email": {
                "inputFields": [edge],
                "transformationDescription": SQL,
                "transformationType": CANARY,
                CANARY: CANARY,
            }
        }
    }
    write = dataset(MART, schema=columns("email"), columnLineage=facet)
    write["outputFacets"] = {"outputStatistics": {"rowCount": 1, CANARY: CANARY}}
    parted = {"namespace": "s3://lake", "name": f"crm/customers/email={CANARY}/part-0.parquet"}
    whole = run(
        [read, parted],
        [write],
        run={"runId": str(uuid4()), "facets": run_facets()},
        job={"namespace": "etl", "name": "load", "facets": job_facets()},
        producer=f"https://example.com/{CANARY}",
        schemaURL=f"https://example.com/{CANARY}",
        **{CANARY: CANARY},
    )
    return whole | members


def run_facets() -> dict[str, Any]:
    return {
        "errorMessage": {"message": SQL, "programmingLanguage": CANARY, "stackTrace": f"at {CANARY}"},
        "extractionError": {"errors": [{"errorMessage": CANARY, "stackTrace": CANARY, "task": SQL}]},
        "processing_engine": {"version": CANARY, "name": CANARY, "openlineageAdapterVersion": CANARY},
        "nominalTime": {"nominalStartTime": CANARY, "nominalEndTime": CANARY},
        "parent": {"run": {"runId": CANARY}, "job": {"namespace": CANARY, "name": CANARY}},
        "environmentVariables": {"environmentVariables": [{"name": "PASSWORD", "value": CANARY}]},
        "externalQuery": {"externalQueryId": CANARY, "source": CANARY},
        "spark.logicalPlan": {"plan": [{"condition": SQL}]},
        "tags": {"tags": [{"key": CANARY, "value": CANARY}]},
    }


def job_facets() -> dict[str, Any]:
    return {
        "sql": {"query": SQL, "dialect": CANARY},
        "sourceCode": {"language": CANARY, "sourceCode": SQL},
        "sourceCodeLocation": {"type": "git", "url": f"https://example.com/{CANARY}.git", "path": CANARY},
        "documentation": {"description": SQL},
        "ownership": {"owners": [{"name": CANARY}]},
        "jobType": {"processingType": CANARY, "integration": CANARY, "jobType": CANARY},
        "tags": {"tags": [{"key": CANARY, "value": CANARY}]},
    }


def with_output(**facets: Any) -> dict[str, Any]:
    return leaky(outputs=[dataset(MART, **facets)])


def with_field(**members: Any) -> dict[str, Any]:
    """One whose column facet has an input field like this."""
    return with_output(columnLineage=lineage(email=[source(CRM, "email") | members]))


EVENTS: Mapping[str, Any] = {
    "good": leaky(),
    "of a job": {"job": leaky()["job"], "inputs": leaky()["inputs"], "outputs": leaky()["outputs"], CANARY: CANARY},
    "of a dataset": {"dataset": leaky()["outputs"][0], "producer": CANARY},
    "failed": leaky(eventType="FAIL"),
    "unknown type": leaky(eventType=CANARY),
    "time": leaky(eventTime=CANARY),
    "inputs": leaky(inputs=CANARY),
    "input": leaky(inputs=[CANARY]),
    "outputs": leaky(outputs={CANARY: CANARY}),
    "run": leaky(run=CANARY),
    "run's facets": leaky(run={"runId": str(uuid4()), "facets": CANARY}),
    "job": leaky(job=CANARY),
    "job's facets": leaky(job={"namespace": "etl", "name": "load", "facets": {"lineage": CANARY}}),
    "entry": leaky(job={"namespace": "etl", "name": "load", "facets": {"lineage": {"entries": [CANARY]}}}),
    "name with a control character": leaky(inputs=[{"namespace": f"{CANARY}\n", "name": CANARY}]),
    "name that is too long": leaky(inputs=[{"namespace": "s3://b", "name": CANARY * 110}]),
    "name that is a list": leaky(inputs=[{"namespace": [CANARY], "name": CANARY}]),
    "facets": leaky(outputs=[{"namespace": MART.namespace, "name": MART.name, "facets": CANARY}]),
    "schema": with_output(schema={"fields": CANARY}),
    "column without a name": with_output(schema={"fields": [{"name": [CANARY]}]}),
    "column facet": with_output(columnLineage=CANARY),
    "fields": with_output(columnLineage={"fields": [CANARY]}),
    "input fields": with_output(columnLineage={"fields": {"email": {"inputFields": CANARY}}}),
    "input field": with_output(columnLineage={"fields": {"email": {"inputFields": [CANARY]}}}),
    "transformations": with_field(transformations=CANARY),
    "transformation": with_field(transformations=[CANARY]),
    "masking": with_field(transformations=[{"type": [CANARY], "subtype": {CANARY: 1}, "masking": CANARY}]),
    "symlinks": with_output(symlinks={"identifiers": CANARY}),
    "change": with_output(lifecycleStateChange={"lifecycleStateChange": CANARY, "previousIdentifier": CANARY}),
    "tags": with_output(tags={"tags": CANARY}),
    "tag that is none": with_output(tags={"tags": [{"key": f"{CANARY}!", "value": f"{CANARY}!"}]}),
    "tag that is denied": with_output(tags={"tags": [{"key": f"{CANARY}", "value": "false"}]}),
    "value that no tag has": with_output(tags={"tags": [{"key": "pii", "value": f"{CANARY} @"}]}),
    "not an object": CANARY,
}
"""Events as JSON, taken or refused."""

WHOLE = json.dumps(leaky()).encode()
TEXTS: Mapping[str, bytes] = {
    "cut": WHOLE[:-20],
    "plain text": SQL.encode(),
    "invalid UTF-8": WHOLE.replace(b"MERGE", b"\xff"),
    "name twice": WHOLE.replace(b'"query":', f'"query": "{CANARY}", "query":'.encode()),
    "too deep": WHOLE[:-1] + b', "deep": ' + b"[" * 70 + WHOLE + b"]" * 70 + b"}",
    "too large": WHOLE[:-1] + f', "large": "{CANARY * (MAX_BYTES // len(CANARY))}"}}'.encode(),
    "half of a pair": WHOLE.replace(b"MERGE", b"\\ud800"),
    "not a number": WHOLE[:-1] + b', "x": NaN}',
    "list": b"[" + WHOLE + b"]",
}
"""Events that are not JSON as it should be."""

PACKED: Mapping[str, bytes] = {
    "not gzip": WHOLE,
    "cut": gzip.compress(WHOLE)[:-9],
    "more behind it": gzip.compress(WHOLE) + WHOLE,
    "bomb": gzip.compress(WHOLE + CANARY.encode() * (1 << 24)),
}
"""Bodies that say that they are gzip."""


def texts() -> Mapping[str, bytes]:
    """Each event as it is sent."""
    return {name: json.dumps(one).encode() for name, one in EVENTS.items()} | TEXTS
