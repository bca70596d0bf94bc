"""Tags from the command line."""

import pytest

from tests.cli.terminal import Terminal


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
        '{"datasets": [{"namespace": "n", "name": "t", "names": [{"namespace": "n", "name": "u", "columns": ["c"]}]}]}',
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


async def test_file_without_an_end_is_refused(pdp: Terminal) -> None:
    done = await pdp("lineage", "tags", "load", "/dev/zero", "--as", "bob")
    assert (done.status, "it has more than 256 MiB" in done.err) == (2, True)


@pytest.mark.usefixtures("server")
async def test_column_that_data_does_not_have_is_taken_with_a_hint(pdp: Terminal) -> None:
    add = ["lineage", "tags", "add", "postgres://crm:5432/crm.public.contacts", "pii", "--as", "bob", "--column"]
    first, again, misspelt = [await pdp(*add, column) for column in ("email", "EMail", "emial")]
    assert [done.status for done in (first, again, misspelt)] == [0, 0, 0]
    assert "new column" not in first.err + again.err
    assert "emial is a new column of this data; did you mean email?" in misspelt.err
