"""Jobs whose keys are on the executors."""

import dataclasses
import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest
from joserfc.jwk import OKPKey

import masker
from pdp import mask_ticket
from pdp.spark import MaskRefused, keyed_part, watch
from pdp.spark.job_calls import JobCalls, Scope
from pdp.spark.sealed import Sealed
from pdp.spark.tally import Tally
from pdp.spark.values import counted
from tests.mask_jobs import FAILED, TABLE, rows, values
from tests.spark.placed import Placed


def keys(stack: Placed) -> str:
    return str(stack.stage.server.state / "keys/mask.json")


@pytest.fixture
def sealed(stack: Placed) -> Sealed:
    """What a job gives to executors."""

    async def start() -> Any:
        async with stack.client() as client:
            scope = Scope("people", {"run": uuid4().hex}, on_behalf_of=["user:alice"])
            return await JobCalls(client).start(scope, TABLE, keys_here=True, understands=())

    begun = stack.run(start())
    return Sealed(begun.plan_json, begun.ticket, begun.ticket_key)


def test_executors_with_the_keys_make_the_tokens_of_the_server(spark: Any, stack: Placed, people: Any) -> None:
    with stack.job(spark) as job:
        streamed = {tuple(row) for row in job.masked(people).collect()}
    with stack.job(spark, keys=keys(stack)) as job:
        masked = job.masked(people)
        assert {tuple(row) for row in masked.collect()} == streamed
    ended = stack.get(job.id)
    assert (ended.parts, ended.rows, ended.other_attempts, values(ended)) == (3, 7, 0, {"id": 6})
    assert stack.record(job.id)["mask_job"]["counted_by"] == "caller"
    with pytest.raises(Exception, match="destroyed"):
        masked.collect()


def test_a_stricter_policy_ends_what_runs_at_the_next_look(
    spark: Any, stack: Placed, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.2)
    try:
        with pytest.raises(MaskRefused, match="the table is closed"), stack.job(spark, keys=keys(stack)) as job:  # noqa: PT012
            masked = job.masked(people)
            masked.count()
            stack.run(stack.stage.change(closed=True))
            for _ in range(1000):
                masked.count()
    finally:
        stack.run(stack.stage.change(closed=False))
    assert stack.get(job.id).outcome == FAILED


def test_a_part_is_masked_and_counted_where_the_keys_are(stack: Placed, sealed: Sealed) -> None:
    *batches, tally = keyed_part.masked(sealed, keys(stack), "people", (2, 9), iter([rows("a", None), rows("a")]))
    assert [batch.num_rows for batch in batches] == [2, 1]
    assert tally == Tally({(2, 9): 3}, {"id": 2})


def other(sealed: Sealed, change: str) -> tuple[Sealed, str, float]:
    """What an executor gets, with one thing wrong."""
    plan = json.loads(sealed.plan_json)
    match change:
        case "forged":
            key = OKPKey.generate_key("Ed25519", parameters={"kid": "forged"})
            text = mask_ticket.read(sealed.ticket, sealed.ticket_key, 0).signed(key)
            return dataclasses.replace(sealed, ticket=text), "people", 0
        case "table":
            return sealed, "salaries", 0
        case "end":
            return sealed, "people", time.time() + 13 * 3600
        case "plan":
            plan["masks"] = [{**mask, "mask": "clear"} for mask in plan["masks"]]
            plan["masks"] = [{k: v for k, v in mask.items() if k != "domain"} for mask in plan["masks"]]
            return dataclasses.replace(sealed, plan_json=json.dumps(plan)), "people", 0
        case _:
            return dataclasses.replace(sealed, plan_json="{}"), "people", 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("forged", "the ticket is refused"),
        ("table", "the ticket is of another job"),
        ("end", "its time is over"),
        ("plan", "the plan is not that of the ticket"),
        ("no plan", "the plan is refused"),
    ],
)
def test_what_is_not_of_one_job_is_refused_offline(sealed: Sealed, change: str, said: str) -> None:
    wrong, table, now = other(sealed, change)
    with pytest.raises(MaskRefused, match=f"table {table}: .*{said}"):
        keyed_part.require_whole(wrong, table, now)


def test_a_missing_key_file_or_one_of_another_realm_is_refused(stack: Placed, sealed: Sealed, tmp_path: Path) -> None:
    keyed_part._MASKERS.clear()
    with pytest.raises(MaskRefused, match="table people, part 0: "):
        list(keyed_part.masked(sealed, str(tmp_path / "none"), "people", (0, 0), iter([rows("a")])))
    text = json.loads(Path(keys(stack)).read_text())
    (tmp_path / "other").touch(0o600)
    (tmp_path / "other").write_text(json.dumps({**text, "realm": "elsewhere"}))
    with pytest.raises(MaskRefused, match="the realm elsewhere"):
        list(keyed_part.masked(sealed, str(tmp_path / "other"), "people", (0, 0), iter([rows("a")])))


def test_values_count_by_column_and_in_documents_too() -> None:
    schema = pa.schema([("doc", pa.string()), ("id", pa.string()), ("x", pa.string())])
    paths = {"a": {"domain": "d"}, "b": {"mask": "clear"}}
    masks = [
        {"column": "doc", "mask": "json", "paths": paths},
        {"column": "id", "domain": "d"},
        {"column": "x", "mask": "redact"},
    ]
    plan = masker.plan(schema, masks, {"d": {"mask": "token"}}, key_version=1)
    batch = pa.record_batch([['{"a": 1, "b": 2}', '{"a": null}', None], ["i", None, "j"], ["x", "y", "z"]], schema)
    assert dict(counted(plan, batch)) == {"doc": 1, "id": 2}
