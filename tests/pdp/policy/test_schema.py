import json
from pathlib import Path

import pytest

from pdp.errors import SetupError
from pdp.policy.asked import request
from pdp.policy.schema import GIVEN, Schema, Schemas, closed, parsed, promises, resolved, schemas
from pdp.policy.sources import read, rego
from pdp.service.mask_scope import _OWN

TABLE = {"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}}}}


def test_reference_policy_is_closed() -> None:
    assert schemas(read([rego()])).resources.keys() == {"table"}


def test_folder_without_schemas_is_open(tmp_path: Path) -> None:
    (tmp_path / "rules.rego").write_text("package policy\n")
    assert schemas(read([tmp_path])) == Schemas()


def test_broken_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "schema" / "resource" / "table.json"
    path.parent.mkdir(parents=True)
    path.write_text("[]")
    with pytest.raises(SetupError, match="write a JSON Schema"):
        schemas(read([tmp_path]))


@pytest.mark.parametrize(
    ("path", "certain"),
    [
        ("subject.id", True),
        ("context", True),
        ("context.ticket", False),
        ("resource.properties.tags", False),
        ("now", True),
    ],
)
def test_what_every_request_has(path: str, *, certain: bool) -> None:
    assert promises(request(Schemas({"table": closed(TABLE)})), path.split(".")) is certain


def test_choices_beside_properties_leave_these_as_they_are() -> None:
    schema = {**TABLE, "anyOf": [{"required": ["tags"]}, {"required": ["owner"]}]}
    assert resolved(schema, schema)["properties"] == TABLE["properties"]
    assert "anyOf" in resolved({"oneOf": [TABLE]}, {})


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        ({"$ref": "#/$defs/n"}, {"type": "integer"}),
        ({"$ref": "#lim"}, {}),
        ({"$ref": "other.json#/$defs/n"}, {}),
        ({"allOf": [{"$ref": "#/$defs/n"}]}, {"type": "integer"}),
        ({"minimum": 1, "allOf": [{}, {"type": "integer"}]}, {"minimum": 1, "type": "integer"}),
        (
            {
                "allOf": [
                    {"properties": {"a": {}}},
                    {"properties": {"a": {"type": "null"}}, "additionalProperties": False},
                ]
            },
            {"properties": {"a": {"type": "null"}}, "additionalProperties": False},
        ),
    ],
)
def test_what_a_reference_or_all_parts_say(schema: Schema, wanted: Schema) -> None:
    root: Schema = {"type": "object", "$defs": {"n": {"type": "integer"}, "l": {"$anchor": "lim", "type": "object"}}}
    assert resolved(schema, root) == wanted


PAY = {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}


def test_the_server_sets_what_is_known_to_be_set() -> None:
    assert set(_OWN) <= GIVEN["unmask"].keys()


@pytest.mark.parametrize("folder", ["resource", "context", "subject", "action"])
def test_schema_is_read_from_its_folder(folder: str, tmp_path: Path) -> None:
    file = tmp_path / "schema" / folder / "pay.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(PAY))
    listed = [each for each in schemas(read([tmp_path])) if each]
    assert listed == [{"pay": closed(PAY)}]


@pytest.mark.parametrize("path", ["schema/contexts/pay.json", "schema/pay.json", "schema/resources/order.json"])
def test_schema_that_nothing_reads_is_found(path: str, tmp_path: Path) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(PAY))
    (finding,) = parsed(read([tmp_path]))[1]
    assert (finding.file, finding.rule) == (str(file), "stray-file")
