import json
from pathlib import Path

import pytest

from pdp.errors import SetupError
from pdp.policy.attributes import Attributes
from pdp.policy.schema import GIVEN, Schemas, knows, parsed, promises, request, schemas
from pdp.policy.sources import read, rego
from pdp.service.mask_scope import _OWN

TABLE = {"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}}}}


def test_reference_policy_is_closed() -> None:
    assert schemas(read([rego()])).resources.keys() == {"table"}


def test_folder_without_schemas_is_open(tmp_path: Path) -> None:
    (tmp_path / "rules.rego").write_text("package policy\n")
    assert schemas(read([tmp_path])) == Schemas()
    assert Attributes(Schemas()).faults("anything", {"any": "thing"}, "do", {"any": "thing"}) == []


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
    (fault,) = Attributes(Schemas({"table": TABLE})).faults("table", {"tags": "secret"})
    assert "secret" not in fault[1]


def test_schema_fetches_nothing() -> None:
    with pytest.raises(SetupError, match=r"table\.json is not a JSON Schema"):
        Attributes(Schemas({"table": {"$ref": "http://127.0.0.1:9/schema.json"}}))
    with pytest.raises(SetupError, match=r"schema/context/pay\.json is not a JSON Schema"):
        Attributes(Schemas(contexts={"pay": {"$ref": "http://127.0.0.1:9/schema.json"}}))


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
    shape = request(Schemas({"table": {**TABLE, "additionalProperties": False}}))
    assert (knows(shape, path.split(".")), promises(shape, path.split("."))) == (known, certain)


PAY = {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}


def with_contexts(folder: Path, **contexts: dict[str, object]) -> Attributes:
    for action, schema in contexts.items():
        path = folder / "schema" / "context" / f"{action}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(schema))
    return Attributes(schemas(read([folder])))


@pytest.mark.parametrize(
    ("action", "context", "paths"),
    [
        ("pay", {"days": 3}, []),
        ("pay", {"days": "3"}, ["context.days"]),
        ("pay", {}, ["context"]),
        ("pay", {"days": 3, "dasy": 4}, ["context"]),
        ("read", {}, []),
        ("read", {"days": 3}, ["context"]),
        ("unmask", {"columns": ["a"], "count": 1, "tokens_sha256": "x"}, []),
        ("unmask", {"count": "1"}, ["context.count"]),
    ],
)
def test_closed_policy_takes_the_context_that_its_schemas_list(
    action: str, context: dict[str, object], paths: list[str], tmp_path: Path
) -> None:
    attributes = with_contexts(tmp_path, pay=PAY)
    assert [path for path, _ in attributes.faults("anything", {"any": "thing"}, action, context)] == paths


def test_what_the_server_sets_is_known_beside_what_the_author_lists(tmp_path: Path) -> None:
    own = {"type": "object", "properties": {"ticket": {"type": "string"}}, "required": ["ticket", "count"]}
    attributes = with_contexts(tmp_path, unmask=own)
    assert attributes.faults("table", {}, "unmask", {"ticket": "T-1"}) == []  # checked before the server adds its own
    assert attributes.faults("table", {}, "unmask", {"ticket": "T-1", "count": 3}) == []
    assert [path for path, _ in attributes.faults("table", {}, "unmask", {"count": 3})] == ["context"]


def test_the_server_sets_what_is_known_to_be_set() -> None:
    assert set(_OWN) <= GIVEN["unmask"].keys()


@pytest.mark.parametrize("path", ["schema/contexts/pay.json", "schema/pay.json", "schema/resources/order.json"])
def test_schema_that_nothing_reads_is_found(path: str, tmp_path: Path) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(PAY))
    (finding,) = parsed(read([tmp_path]))[1]
    assert (finding.file, finding.rule) == (str(file), "stray-file")
