"""`pdp lineage tags`: what people declare to be in data, one by one or as a file to keep in git."""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdp.cli import dataset, exit_code
from pdp.cli.dataset import Data, Namespace
from pdp.cli.decisions import status
from pdp.cli.session import Session, client_command
from pdp.say import give, say

if TYPE_CHECKING:
    from pdp.client import Client
    from pdp.v1.dataset_pb2 import DatasetName, TagAssertion
    from pdp.v1.lineage_pb2 import ClassifyRequest, ListTagsResponse, TagRequest

app = typer.Typer(name="tags", help="Say what is in data.", no_args_is_help=True)
AT_ONCE = 500
"""Columns of one message: with 64 tags each they stay below its 64 KiB as a rule; what does not fit is refused."""
_Reason = Annotated[str, typer.Option(help="Why; it is kept with the tag.")]


@app.command()
@client_command
async def add(
    session: Session,
    data: Data,
    tags: Annotated[list[str], typer.Argument(metavar="TAG...", help="Tags, such as pii or pii=email.")],
    column: Annotated[str, typer.Option(metavar="NAME", help="The column; left out, the whole dataset.")] = "",
    namespace: Namespace = "",
    reason: _Reason = "",
) -> None:
    """Add tags to a column or to a whole dataset. They take effect at once, also on data that comes from it."""
    from pdp.v1.lineage_pb2 import TagRequest

    async with session.client() as client:
        for tag in tags:
            request = TagRequest(data=dataset.data(data, namespace), column=column, tag=tag, reason=reason)
            answer = await client.call(client.lineage.Tag, request)
    session.print(answer, lambda: f"{dataset.written(answer.dataset)} as of revision {answer.revision.n}")


@app.command()
@client_command
async def classify(
    session: Session,
    data: Data,
    columns: Annotated[
        list[str],
        typer.Argument(metavar="COLUMN[=TAG,TAG...]...", help="Columns with their tags; one without needs none."),
    ],
    namespace: Namespace = "",
    reason: _Reason = "",
) -> None:
    """Say what is in columns, also that nothing in them needs a tag. They are no longer unclassified."""
    from pdp.v1.lineage_pb2 import ClassifyRequest, LineageColumn

    request = ClassifyRequest(data=dataset.data(data, namespace), reason=reason)
    for text in columns:
        name, _, tags = text.partition("=")
        request.columns.append(LineageColumn(name=name, tags=[tag for tag in tags.split(",") if tag]))
    async with session.client() as client:
        answer = await client.call(client.lineage.Classify, request)
    session.print(answer, lambda: f"{dataset.written(answer.dataset)} as of revision {answer.revision.n}")


@app.command("list")
@client_command
async def list_tags(
    session: Session,
    data: Annotated[str, typer.Argument(metavar="[DATA]", help="Only those of this data.")] = "",
    namespace: Namespace = "",
    at: Annotated[int, typer.Option("--at", min=0, metavar="N", help="As of revision N; by default the newest.")] = 0,
) -> None:
    """List what people and events declared."""
    from pdp.cli.lineage_display import assertion_table

    async with session.client() as client:
        answer = await _listed(client, data, namespace, at)
    session.print(answer, lambda: assertion_table(answer.assertions), answer.assertions)


@app.command()
@client_command
async def export(session: Session) -> None:
    """Print all that people declared, as one file.

    It is sorted, so that a version control system shows what changed. `pdp lineage tags load` reads it.
    """
    async with session.client() as client:
        answer = await _listed(client, "", "", 0)
    give(json.dumps(exported(answer.assertions), indent=2, ensure_ascii=False))


@app.command()
@client_command
async def load(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `pdp lineage tags export` printed.")],
    reason: _Reason = "",
) -> None:
    """Declare what is in a file. It adds tags and takes none away."""
    from pdp.v1.lineage_pb2 import TagRequest

    try:
        datasets, messages = read(file.read_bytes(), reason)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        exit_code.fail(f"{file} cannot be read as a file of tags: {_why(error)}", exit_code.USAGE)
    async with session.client() as client:
        for message in messages:
            if isinstance(message, TagRequest):
                await client.call(client.lineage.Tag, message)
            else:
                await client.call(client.lineage.Classify, message)
    say(f"{datasets} dataset{'s' * (datasets != 1)} declared")


def _why(error: Exception) -> str:
    """What is wrong with a file, without what it holds."""
    if isinstance(error, OSError):
        return error.strerror or "it cannot be opened"
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno} is not JSON"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return "it has another form than `pdp lineage tags export` prints"


def require_allowed(answer: Any) -> None:
    """Print a decision that is not an allow, and exit with its status."""
    from pdp.cli import display

    if answer.HasField("decision") and (ended := status(answer.decision)):
        say(display.decision(answer.decision))
        raise typer.Exit(ended)


def exported(assertions: "Sequence[TagAssertion]") -> dict[str, Any]:
    """What people declared, by dataset: its own tags, and each column with its tags."""
    from pdp.v1.dataset_pb2 import TagSource

    people = {TagSource.TAG_SOURCE_PERSON, TagSource.TAG_SOURCE_SUGGESTION}
    said = [one for one in assertions if one.source in people]
    datasets = []
    for (namespace, name), group in groupby(said, key=lambda one: (one.dataset.namespace, one.dataset.name)):
        columns: dict[str, set[str]] = {}
        for one in group:
            columns.setdefault(one.column, set()).update({one.tag} - {""})
        own = sorted(columns.pop("", ()))
        sorted_columns = {column: sorted(tags) for column, tags in sorted(columns.items())}
        datasets.append({"namespace": namespace, "name": name, "tags": own, "columns": sorted_columns})
    return {"datasets": datasets}


def read(text: bytes, reason: str) -> "tuple[int, list[TagRequest | ClassifyRequest]]":
    """How many datasets a file has, and the messages that declare them. Raises what parsing raises."""
    from pdp.v1.dataset_pb2 import DatasetName

    found = json.loads(text)["datasets"]
    messages: list[TagRequest | ClassifyRequest] = []
    for one in found:
        name = DatasetName(namespace=one["namespace"], name=one["name"])
        tags, columns = (
            _texts(one.get("tags", [])),
            {name: _texts(some) for name, some in one.get("columns", {}).items()},
        )
        messages += _messages(name, tags, columns, reason)
    return len(found), messages


def _texts(found: object) -> list[str]:
    """A list of texts. Raises `TypeError`: a text is also a sequence of texts."""
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise TypeError
    return found


def _messages(
    name: "DatasetName", tags: list[str], columns: dict[str, list[str]], reason: str
) -> "Iterator[TagRequest | ClassifyRequest]":
    from pdp.v1.lineage_pb2 import ClassifyRequest, DataName, LineageColumn, TagRequest

    data = DataName(dataset=name)
    for tag in tags:
        yield TagRequest(data=data, tag=tag, reason=reason)
    listed = [LineageColumn(name=column, tags=some) for column, some in columns.items()]
    for start in range(0, len(listed), AT_ONCE):
        yield ClassifyRequest(data=data, columns=listed[start : start + AT_ONCE], reason=reason)


async def _listed(client: "Client", data: str, namespace: str, at: int) -> "ListTagsResponse":
    """All pages, of one revision."""
    from pdp.v1.lineage_pb2 import ListTagsRequest

    asked = ListTagsRequest(data=dataset.data(data, namespace) if data else None, page_size=1000, at=at)
    answer = await client.call(client.lineage.ListTags, asked)
    while answer.next_page_token:
        asked.page_token, asked.at = answer.next_page_token, answer.revision.n
        more = await client.call(client.lineage.ListTags, asked)
        answer.next_page_token = more.next_page_token
        answer.assertions.extend(more.assertions)
    return answer
