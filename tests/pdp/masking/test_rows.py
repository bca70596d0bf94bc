"""A column is named as it is written; a path is needed only where it is one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pyarrow as pa
import pytest

from pdp.errors import InvalidRequest
from pdp.masking.question import MAX_COLUMNS
from pdp.masking.rows import Shape
from pdp.process.mongod import MongodProcess
from pdp.v1 import mask_pb2
from pdp.v1.request_pb2 import Effect
from tests.masks import arrow, columns, masking, records, scope
from tests.parts import Placet

ODD = ["Card No", "post-code", "a.b", "größe", 'the "x"', "list[]"]


def test_an_odd_name_is_also_what_is_written() -> None:
    schema = pa.schema([(name, pa.string()) for name in ODD])
    asked = {column.name: column.also for column in Shape(schema).columns}
    assert asked == {
        '["Card No"]': ("Card No",),
        "post-code": (),
        '["a.b"]': ("a.b",),
        "größe": (),
        '["the \\"x\\""]': ('the "x"',),
        '["list[]"]': ("list[]",),
    }
    assert Shape(schema).path_of("Card No") == Shape(schema).path_of('["Card No"]') == '["Card No"]'


def test_table_or_records_with_too_many_columns_are_refused() -> None:
    names = [f"c{number}" for number in range(MAX_COLUMNS)]
    nested = pa.schema([("whole", pa.struct([(name, pa.string()) for name in names]))])
    for shape in (Shape(pa.schema([(name, pa.string()) for name in names])), Shape.of_records(names, "shape")):
        assert shape.within("shape") is shape
    for shape in (Shape(nested), Shape.of_records([*names, "more"], "shape")):
        with pytest.raises(InvalidRequest, match="shape: has more than 2000 columns"):
            shape.within("shape")


def test_what_could_be_another_column_stays_a_path() -> None:
    struct = pa.struct([("b", pa.string()), ("c d", pa.string())])
    schema = pa.schema([("a.b", pa.string()), ("a", struct), ("a.c d", pa.string())])
    found = {column.name: (column.also, column.above) for column in Shape(schema).columns}
    assert found['["a.b"]'][0] == ()
    assert found["a.b"] == ((), ("a",))
    assert found['a["c d"]'][0] == found['["a.c d"]'][0] == ()


def test_below_an_odd_name_both_ways_are_around() -> None:
    schema = pa.schema([("Home Address", pa.struct([("zip", pa.string())]))])
    assert Shape(schema).columns[1].above == ('["Home Address"]', "Home Address")
    assert Shape.of_records(['["Home Address"].zip'], "p").columns[0].also == ("Home Address.zip",)


@pytest.fixture(scope="module")
async def server(state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Placet]:
    folder = tmp_path_factory.mktemp("policy")
    names = ", ".join(f"`{name}`" for name in ODD)
    (folder / "data.json").write_text('{"domains": {"odd": {"mask": "token", "kind": "rec", "values": "open"}}}')
    (folder / "odd.rego").write_text(f"""package policy

mask contains {{"rule": "odd", "reason": "odd", "columns": [{names}], "domain": "odd"}} if {{
	input.resource.id == "odd"
}}

mask contains {{"rule": "rest", "reason": "rest", "columns": ["*"], "mask": "clear"}} if {{
	input.resource.id == "odd"
}}

allow contains {{"rule": "odd", "reason": "odd"}} if {{
	input.resource.id == "odd"
}}
""")
    async with masking(state, mongod.uri, policy=(folder,)) as running:
        yield running


async def test_a_rule_masks_the_columns_that_it_names_and_clears_no_other(server: Placet) -> None:
    metadata = server.metadata("report-bot")
    given = {name: ["secret"] for name in ODD} | {"other": ["clear"]}
    request = mask_pb2.MaskRequest(scope=scope("odd"), data=arrow(given))
    masked = (await server.masks.Mask(request, metadata=metadata)).data
    found = columns(masked)
    assert found["other"] == ["clear"]
    assert all(found[name][0].startswith("rec_") for name in ODD)
    back = mask_pb2.UnmaskRequest(scope=scope("odd"), data=masked, columns=["Card No", "a.b"])
    answer = await server.masks.Unmask(back, metadata=metadata)
    assert answer.decision.effect == Effect.EFFECT_ALLOW
    assert {name for name, values in columns(answer.data).items() if values == ["secret"]} == {"Card No", "a.b"}
    text = mask_pb2.MaskRequest(scope=scope("odd"), data=records('{"Card No":"secret","x":"clear"}'))
    [record] = (await server.masks.Mask(text, metadata=metadata)).data.records.records
    assert "secret" not in record
    assert "clear" in record
