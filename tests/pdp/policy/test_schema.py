from pathlib import Path

import pytest

from pdp.errors import SetupError
from pdp.policy.attributes import Attributes
from pdp.policy.schema import knows, promises, request, schemas
from pdp.policy.sources import read, rego

TABLE = {"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}}}}


def test_reference_policy_is_closed() -> None:
    assert schemas(read([rego()])).keys() == {"table"}


def test_folder_without_schemas_is_open(tmp_path: Path) -> None:
    (tmp_path / "rules.rego").write_text("package policy\n")
    assert schemas(read([tmp_path])) == {}
    assert Attributes({}).faults("anything", {"any": "thing"}) == []


def test_broken_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "schema" / "resource" / "table.json"
    path.parent.mkdir(parents=True)
    path.write_text("[]")
    with pytest.raises(SetupError, match="write a JSON Schema"):
        schemas(read([tmp_path]))


@pytest.mark.parametrize(
    ("kind", "properties", "paths"),
    [
        ("table", {}, []),
        ("table", {"tags": ["pii"]}, []),
        ("table", {"tags": "pii"}, ["resource.properties.tags"]),
        ("table", {"tags": ["pii", 3]}, ["resource.properties.tags[1]"]),
        ("table", {"tgas": ["pii"]}, ["resource.properties"]),
        ("file", {}, []),
        ("file", {"tags": []}, ["resource.properties"]),
    ],
)
def test_closed_policy_takes_what_its_schemas_list(kind: str, properties: dict[str, object], paths: list[str]) -> None:
    attributes = Attributes(schemas(read([rego()])))
    assert [path for path, _ in attributes.faults(kind, properties)] == paths


def test_description_quotes_no_value() -> None:
    (fault,) = Attributes({"table": TABLE}).faults("table", {"tags": "secret"})
    assert "secret" not in fault[1]


def test_schema_fetches_nothing() -> None:
    with pytest.raises(SetupError, match=r"table\.json is not a JSON Schema"):
        Attributes({"table": {"$ref": "http://127.0.0.1:9/schema.json"}})


@pytest.mark.parametrize(
    ("path", "known", "certain"),
    [
        ("subject.id", True, True),
        ("subject.name", False, False),
        ("context", True, True),
        ("context.ticket", True, False),
        ("resource.properties.tags", True, False),
        ("resource.properties.tgs", False, False),
        ("now", True, True),
    ],
)
def test_input_is_known_and_certain(path: str, *, known: bool, certain: bool) -> None:
    shape = request({"table": {**TABLE, "additionalProperties": False}})
    assert (knows(shape, path.split(".")), promises(shape, path.split("."))) == (known, certain)
