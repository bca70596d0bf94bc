"""The file of declared tags."""

import pytest

from pdp.cli.lineage_tags import AT_ONCE, exported, read
from pdp.v1.dataset_pb2 import DatasetName, TagAssertion, TagSource
from pdp.v1.lineage_pb2 import ClassifyRequest, TagRequest
from tests.cli.terminal import Terminal

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


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"datasets": [{"name": "t"}]}',
        '{"datasets": [1]}',
        '{"datasets": [{"namespace": "n", "name": "t", "tags": "pii"}]}',
        '{"datasets": [{"namespace": "n", "name": "t", "columns": {"c": "pii"}}]}',
        '{"datasets": [{"namespace": "n", "name": "t", "columns": {"c": [1]}}]}',
    ],
)
async def test_what_is_not_such_a_file_is_refused(pdp: Terminal, text: str) -> None:
    done = await pdp("lineage", "tags", "load", "tags.json", "--as", "bob")
    assert done.status == 2
    (pdp.folder / "tags.json").write_text(text)
    done = await pdp("lineage", "tags", "load", "tags.json", "--as", "bob")
    assert done.status == 2
    assert "tags.json cannot be read as a file of tags: " in done.err
    assert "Error" not in done.err, "a class of ours says nothing"
