"""The file of declared tags."""

import json

from pdp.cli.tags_file import AT_ONCE, exported, read
from pdp.v1.dataset_pb2 import DatasetName, TagAssertion, TagSource
from pdp.v1.lineage_pb2 import ClassifyRequest, TagRequest

CRM = DatasetName(namespace="postgres://crm:5432", name="crm.public.customers")


def said(column: str, tag: str, source: TagSource = TagSource.TAG_SOURCE_PERSON) -> TagAssertion:
    return TagAssertion(dataset=CRM, column=column, tag=tag, source=source)


def test_file_holds_what_people_declared_and_reads_back_as_that() -> None:
    written = exported(
        [
            said("", "internal"),
            said("email", "contact"),
            said("email", "pii", TagSource.TAG_SOURCE_SUGGESTION),
            said("id", ""),
            said("note", "secret", TagSource.TAG_SOURCE_EVENT),
        ]
    )
    assert written == {
        "datasets": [
            {
                "namespace": "postgres://crm:5432",
                "name": "crm.public.customers",
                "tags": ["internal"],
                "columns": {"email": ["contact", "pii"], "id": []},
            }
        ]
    }


def test_columns_go_in_parts_and_datasets_tags_by_themselves() -> None:
    columns = ", ".join(f'"c{n}": ["pii"]' for n in range(AT_ONCE + 1))
    text = f'{{"datasets": [{{"namespace": "n", "name": "t", "tags": ["a", "b"], "columns": {{{columns}}}}}]}}'
    count, messages = read(text.encode(), "because")
    assert count == 1
    assert [one.tag for one in messages if isinstance(one, TagRequest)] == ["a", "b"]
    parts = [one for one in messages if isinstance(one, ClassifyRequest)]
    assert [len(one.columns) for one in parts] == [AT_ONCE, 1]
    assert {one.reason for one in messages} == {"because"}


def test_columns_are_declared_for_the_names_that_the_file_lists_and_for_no_other() -> None:
    other = DatasetName(namespace="s3://crm", name="customers")
    email, plain = said("email", "pii"), said("id", "")
    email.names.append(other)
    written = exported([email, plain])
    assert written["datasets"][0]["names"] == [{"namespace": "s3://crm", "name": "customers", "columns": ["email"]}]
    _, messages = read(json.dumps(written).encode(), "")
    sent = [one for one in messages if isinstance(one, ClassifyRequest)]
    assert [([column.name for column in one.columns], list(one.names.names)) for one in sent] == [
        (["email"], [other]),
        (["id"], []),
    ]
    assert all(one.HasField("names") for one in messages), "without names it would be all of now"
