"""`pdp lineage`: where data came from and what is in it."""

from pathlib import Path
from typing import Annotated

import typer

from pdp.cli import dataset, lineage_load, lineage_removal, lineage_tags, suggest, suggestions
from pdp.cli.dataset import Data, Namespace
from pdp.cli.session import Session, client_command

app = typer.Typer(name="lineage", help="See where data came from, and say what is in it.", no_args_is_help=True)
app.command()(lineage_load.load)
app.command()(suggest.suggest)
app.add_typer(lineage_tags.app)
app.add_typer(suggestions.app)
lineage_removal.add_to(app)

At = Annotated[int, typer.Option("--at", min=0, metavar="N", help="As of revision N; by default the newest.")]
Column = Annotated[str, typer.Option(metavar="NAME", help="The column; left out, the whole dataset.")]


@app.command()
@client_command
async def show(
    session: Session,
    data: Data,
    namespace: Namespace = "",
    upstream: Annotated[int, typer.Option(min=0, max=100, help="Steps of what it comes from.")] = 3,
    downstream: Annotated[int, typer.Option(min=0, max=100, help="Steps of what comes from it.")] = 3,
    at: At = 0,
    dot: Annotated[bool, typer.Option("--dot", help="Print it for Graphviz.")] = False,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print it for Mermaid.")] = False,
    svg: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a picture.")] = None,
) -> None:
    """Show what data carries, what it comes from and where it goes."""
    from pdp.cli import lineage_display, lineage_picture
    from pdp.v1.lineage_pb2 import GetLineageRequest

    named = dataset.data(data, namespace)
    request = GetLineageRequest(data=named, upstream=upstream, downstream=downstream, at=at)
    async with session.client() as client:
        answer = await client.call(client.lineage.GetLineage, request)
    lineage_tags.require_allowed(answer)
    if dot or mermaid or svg:
        lineage_picture.draw(answer, dot=dot, mermaid=mermaid, svg=svg)
    else:
        session.print(answer, lambda: lineage_display.lineage(answer), answer.datasets)


@app.command()
@client_command
async def path(
    session: Session,
    source: Annotated[str, typer.Argument(metavar="FROM", help="The data where it begins, as DATA of `show`.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="The data where it ends.")],
    at: At = 0,
) -> None:
    """Show the shortest way from one dataset to another."""
    from pdp.cli import lineage_display
    from pdp.v1.lineage_pb2 import GetPathRequest

    request = GetPathRequest(source=dataset.data(source, hint="FROM"), target=dataset.data(target, hint="TO"), at=at)
    async with session.client() as client:
        answer = await client.call(client.lineage.GetPath, request)
    lineage_tags.require_allowed(answer)
    session.print(answer, lambda: lineage_display.path(answer), answer.steps)


@app.command()
@client_command
async def why(
    session: Session,
    data: Data,
    tag: Annotated[str, typer.Option(metavar="TAG", help="The tag, such as pii or pii:masked.")],
    column: Column = "",
    namespace: Namespace = "",
    at: At = 0,
) -> None:
    """Show why a column carries a tag.

    It names the assertion that the tag comes from, and the shortest way from there.
    """
    from pdp.cli import lineage_display
    from pdp.v1.lineage_pb2 import ExplainTagRequest

    request = ExplainTagRequest(data=dataset.data(data, namespace), column=column, tag=tag, at=at)
    async with session.client() as client:
        answer = await client.call(client.lineage.ExplainTag, request)
    lineage_tags.require_allowed(answer)
    session.print(answer, lambda: lineage_display.explanation(answer, tag, column))


@app.command()
@client_command
async def coverage(
    session: Session,
    first: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="How many datasets to name.")] = 20,
    at: At = 0,
) -> None:
    """Show how much is classified, and what to classify first.

    That is the dataset from which most columns get values.
    """
    from pdp.cli import lineage_display
    from pdp.v1.lineage_pb2 import GetCoverageRequest

    async with session.client() as client:
        answer = await client.call(client.lineage.GetCoverage, GetCoverageRequest(first=first, at=at))
    session.print(answer, lambda: lineage_display.coverage(answer))


@app.command()
@client_command
async def problems(
    session: Session,
    everything: Annotated[bool, typer.Option("--all", help="List all pages.")] = False,
    at: At = 0,
) -> None:
    """List what a person should look at.

    Those are names that were not resolved, events that did not name columns, and parts of events that were ignored.
    """
    from pdp.cli import lineage_display
    from pdp.v1.lineage_pb2 import ListProblemsRequest

    asked = ListProblemsRequest(at=at)
    async with session.client() as client:
        answer = await client.call(client.lineage.ListProblems, asked)
        while everything and answer.next_page_token:
            asked.page_token = answer.next_page_token
            more = await client.call(client.lineage.ListProblems, asked)
            answer.next_page_token = more.next_page_token
            answer.problems.extend(more.problems)
    session.print(answer, lambda: lineage_display.problem_table(answer.problems), answer.problems)
