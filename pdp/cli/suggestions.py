"""`pdp lineage suggestions`: what recognizers proposed, and what stewards make of it."""

from enum import StrEnum
from typing import Annotated

import typer

from pdp.cli.session import Session, client_command

app = typer.Typer(name="suggestions", help="Accept or reject tags that were proposed.", no_args_is_help=True)


class _State(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ALL = "all"


_Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of suggestions, sug_…")]
_Reason = Annotated[str, typer.Option(help="Why; it is kept with the suggestion.")]


@app.command("list")
@client_command
async def list_suggestions(
    session: Session,
    state: Annotated[_State, typer.Option(help="Which ones.")] = _State.PENDING,
) -> None:
    """List suggestions, the oldest first."""
    from pdp.cli.suggest import suggestion_table
    from pdp.v1.lineage_pb2 import ListSuggestionsRequest

    name = "UNSPECIFIED" if state is _State.ALL else state.value.upper()
    asked = ListSuggestionsRequest(state=f"SUGGESTION_STATE_{name}", page_size=1000)
    async with session.client() as client:
        answer = await client.call(client.lineage.ListSuggestions, asked)
        while answer.next_page_token:
            asked.page_token = answer.next_page_token
            more = await client.call(client.lineage.ListSuggestions, asked)
            answer.next_page_token = more.next_page_token
            answer.suggestions.extend(more.suggestions)
    session.print(answer, lambda: suggestion_table(answer.suggestions), answer.suggestions)


@app.command()
@client_command
async def accept(session: Session, ids: _Ids, reason: _Reason = "") -> None:
    """Accept suggestions, which sets their tags."""
    await _settle(session, ids, reason, accept=True)


@app.command()
@client_command
async def reject(session: Session, ids: _Ids, reason: _Reason = "") -> None:
    """Reject suggestions. The same recognizer does not propose them again."""
    await _settle(session, ids, reason, accept=False)


async def _settle(session: Session, ids: list[str], reason: str, *, accept: bool) -> None:
    from pdp.cli.suggest import suggestion_table
    from pdp.v1.lineage_pb2 import ListSuggestionsResponse, SettleSuggestionRequest

    settled = ListSuggestionsResponse()
    async with session.client() as client:
        for one in ids:
            request = SettleSuggestionRequest(suggestion_id=one, accept=accept, reason=reason)
            answer = await client.call(client.lineage.SettleSuggestion, request)
            settled.suggestions.append(answer.suggestion)
            settled.revision.CopyFrom(answer.revision)
    session.print(settled, lambda: suggestion_table(settled.suggestions), settled.suggestions)
