"""`pdp lineage suggest`: looks at a file for data that needs tags. What it finds leaves this machine, no value does."""

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from pdp.cli import dataset, exit_code
from pdp.cli.mask_files import opened, refusals
from pdp.cli.scope import Scope, file_command
from pdp.cli.session import Session
from pdp.errors import SetupError
from pdp.say import say
from pdp.visible import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pdp.lineage.suggesting import Found
    from pdp.v1.lineage_pb2 import Suggestion, SuggestRequest

TAG = "pii"
"""The tag that is suggested for every kind of data, unless `--map` says another."""
AT_ONCE = 200
"""Suggestions in a message, as the contract takes them."""


@file_command
async def suggest(
    session: Session,
    scope: Scope,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A file: .parquet, .csv, .tsv, .jsonl, .json, .arrow, text also .gz.")
    ],
    table: Annotated[
        str, typer.Option(metavar="DATA", help="Which data it is: NAMESPACE/NAME, TYPE:ID or a table's name.")
    ] = "",
    mapped: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="KIND=TAG", help=f"The tag for a kind of data, in place of {TAG}; repeatable."),
    ] = None,
    propose: Annotated[
        bool, typer.Option("--propose", help="Send what it finds to the server, where stewards accept or reject it.")
    ] = False,
) -> None:
    """Suggest tags for the columns of a file.

    It looks at their names and at most 1,000 values of each, on this machine, without a server and without a network.
    With --propose only column, tag, score and share of hits leave it. It knows e-mail addresses, phone and card
    numbers, IBANs, IP addresses, wallets and national ids.
    """
    from pdp.v1.lineage_pb2 import SuggestRequest

    if propose and not table:
        raise typer.BadParameter("is needed to propose: which data is this?", param_hint="--table")
    tags = _tags(mapped or [])
    request = SuggestRequest(data=dataset.data(table, hint="--table") if table else None)
    with refusals():
        seen = await asyncio.to_thread(_found, file, scope)
    request.suggestions.extend(_suggestion(one, tags) for one in seen)
    session.print(request, lambda: suggestion_table(request.suggestions), request.suggestions)
    if propose:
        await _propose(session, request)
    elif request.suggestions and sys.stderr.isatty():
        say("nothing was sent; --table DATA --propose sends column, tag, score and hits for a steward to accept")


def suggestion_table(suggestions: "Sequence[Suggestion]") -> str:
    """A line for each, with its id where it has one."""
    from pdp.cli.tables import table

    if not suggestions:
        return "nothing is suggested"
    rows = [
        (
            *_known(one),
            visible(one.column),
            visible(one.tag),
            f"{one.score:.2f}",
            f"{one.hits:.0%}",
            visible(one.recognizer),
        )
        for one in suggestions
    ]
    known = ("ID", "DATASET", "STATE") if suggestions[0].id else ()
    return table((*known, "COLUMN", "TAG", "SCORE", "HITS", "RECOGNIZER"), rows)


def _known(one: "Suggestion") -> tuple[str, ...]:
    """What a server says of a suggestion that it has."""
    from pdp.v1.lineage_pb2 import SuggestionState

    if not one.id:
        return ()
    state = SuggestionState.Name(one.state).removeprefix("SUGGESTION_STATE_")
    return visible(one.id), visible(dataset.written(one.dataset)), state


def _tags(mapped: list[str]) -> dict[str, str]:
    tags = dict(one.partition("=")[::2] for one in mapped)
    if not all(tags.values()) or not all(tags):
        raise typer.BadParameter("is written KIND=TAG, such as email=contact", param_hint="--map")
    return tags


def _found(file: str, scope: Scope) -> "list[Found]":
    from masker.sample import sample
    from pdp.lineage.recognizers import recognizers
    from pdp.lineage.suggesting import found

    try:
        known = recognizers()
    except SetupError as error:
        exit_code.fail(error.sentence, exit_code.FAILURE)
    with opened(file, scope) as source:
        return found(sample(source), known)


def _suggestion(one: "Found", tags: "Mapping[str, str]") -> "Suggestion":
    from pdp.v1.lineage_pb2 import Suggestion

    return Suggestion(
        column=one.column,
        tag=tags.get(one.kind, TAG),
        score=one.score,
        hits=one.hits,
        recognizer=f"{one.recognizer} {one.kind}",
    )


async def _propose(session: Session, request: "SuggestRequest") -> None:
    from pdp.v1.lineage_pb2 import SuggestRequest

    new = known = 0
    async with session.client() as client:
        for start in range(0, len(request.suggestions), AT_ONCE):
            part = SuggestRequest(data=request.data, suggestions=request.suggestions[start : start + AT_ONCE])
            answer = await client.call(client.lineage.Suggest, part)
            new, known = new + len(answer.suggestions), known + answer.known
    say(f"proposed {new}; {known} were known before")
    if new:
        say("a steward accepts or rejects them: pdp lineage suggestions list")
