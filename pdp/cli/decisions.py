"""`pdp authorize`: ask, once or in a batch."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from pdp.cli import exit_code
from pdp.cli.session import Output, Session, client_command, fail_with, json_text

if TYPE_CHECKING:
    from pdp.client import Client
    from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse, BatchAuthorizeResult

BATCH_ITEMS = 1000


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("authorize")(authorize)


@client_command
async def authorize(
    session: Session,
    file: Annotated[
        str,
        typer.Option("-f", "--file", help="An AuthorizeRequest in JSON; JSON Lines are a batch; - is standard input."),
    ] = "",
    subject: Annotated[str, typer.Option(help="Who acts: <type>:<id>.")] = "",
    on_behalf_of: Annotated[list[str] | None, typer.Option(help="For whom: <type>:<id>; outermost last.")] = None,
    action: Annotated[str, typer.Option(help="What is about to be done.")] = "",
    resource: Annotated[str, typer.Option(help="To what: <type>:<id>.")] = "",
    properties: Annotated[
        list[str] | None, typer.Option("--property", help="Of the resource: NAME=JSON, or NAME=text.")
    ] = None,
    context: Annotated[list[str] | None, typer.Option(help="NAME=JSON, or NAME=text.")] = None,
    request_id: Annotated[str, typer.Option(help="Names this one execution.")] = "",
    approval_id: Annotated[str, typer.Option(help="The approval to use.")] = "",
    justification: Annotated[str, typer.Option(help="Your words for the reviewers.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Open and use no approval.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say every rule that fired.")] = False,
) -> None:
    """Ask whether something may happen.

    Exit status: 0 allow, 10 deny, 11 needs approval, 12 the approval does not count; a batch: 0 when all were answered.
    """
    if file:
        requests = _read(file)
    else:
        asked = {
            "subject": typed(subject, "--subject"),
            "onBehalfOf": [typed(principal, "--on-behalf-of") for principal in on_behalf_of or []],
            "action": {"name": action},
            "resource": {**typed(resource, "--resource"), "properties": members(properties, "--property")},
            "context": members(context, "--context"),
            "requestId": request_id,
            "approvalId": approval_id,
            "justification": justification,
            "dryRun": dry_run,
            "explain": explain,
        }
        requests = [asked]
    async with session.client() as client:
        parsed = [_request(asked, index) for index, asked in enumerate(requests)]
        if len(parsed) == 1:
            await _one(session, client, parsed[0])
        else:
            await _many(session, client, parsed)


async def _one(session: Session, client: "Client", request: "AuthorizeRequest") -> None:
    decision = await client.decide(request)
    if decision.error is not None:
        fail_with(decision.error)
    session.print([decision.response], lambda: _display(decision.response))
    raise typer.Exit(status(decision.response))


async def _many(session: Session, client: "Client", requests: "list[AuthorizeRequest]") -> None:
    from pdp.v1.decision_pb2 import BatchAuthorizeRequest

    unanswered = 0
    for at in range(0, len(requests), BATCH_ITEMS):
        batch = BatchAuthorizeRequest(items=requests[at : at + BATCH_ITEMS])
        answer = await client.decisions.BatchAuthorize(batch, metadata=client.metadata, timeout=client.timeout)
        for result in answer.results:
            typer.echo(_line(session, result))
            unanswered += result.HasField("error")
    if unanswered:
        exit_code.fail(f"{unanswered} of {len(requests)} requests got no answer")


def _line(session: Session, result: "BatchAuthorizeResult") -> str:
    if session.output is Output.TABLE and result.HasField("decision"):
        return _display(result.decision)
    return json_text(result.decision if result.HasField("decision") else result)


def _display(answer: "AuthorizeResponse") -> str:
    from pdp.cli import display

    return display.decision(answer)


def status(answer: "AuthorizeResponse") -> int:
    """The exit status that says this decision."""
    from pdp.v1.request_pb2 import Effect

    if answer.effect == Effect.EFFECT_ALLOW:
        return exit_code.OK
    if answer.effect == Effect.EFFECT_NEEDS_APPROVAL:
        return exit_code.NEEDS_APPROVAL
    ended = any(reason.rule.startswith("pdp.approval_") for reason in answer.reasons)
    return exit_code.APPROVAL_ENDED if ended else exit_code.DENY


def _read(file: str) -> list[dict[str, Any]]:
    """The objects in a JSON or JSON Lines file."""
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        exit_code.fail(f"cannot read {file}: {error.strerror}", exit_code.USAGE)
    try:
        return [_object(orjson.loads(content))]
    except ValueError:
        return list(_lines(content, file))


def _lines(content: bytes, file: str) -> Iterator[dict[str, Any]]:
    found = False
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        found = True
        try:
            yield _object(orjson.loads(line))
        except ValueError:
            exit_code.fail(f"{file}, line {number}: not a JSON object", exit_code.USAGE)
    if not found:
        exit_code.fail(f"{file} holds no request", exit_code.USAGE)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError  # noqa: TRY004  # as orjson raises for other bad text
    return value


def _request(asked: dict[str, Any], index: int) -> "AuthorizeRequest":
    from google.protobuf import json_format

    from pdp.v1.decision_pb2 import AuthorizeRequest

    try:
        return json_format.ParseDict(asked, AuthorizeRequest())
    except json_format.ParseError as error:
        exit_code.fail(f"request {index + 1} is no AuthorizeRequest: {error}", exit_code.USAGE)


def typed(text: str, option: str) -> dict[str, str]:
    """`<type>:<id>` as the members of a subject or a resource."""
    kind, colon, identifier = text.partition(":")
    if not colon:
        exit_code.fail(f"{option} must be <type>:<id>, for example table:customers (or give -f FILE)", exit_code.USAGE)
    return {"type": kind, "id": identifier}


def members(assignments: Iterable[str] | None, option: str) -> dict[str, Any]:
    """NAME=JSON or NAME=text, each."""
    found = {}
    for assignment in assignments or ():
        name, equals, text = assignment.partition("=")
        if not equals:
            exit_code.fail(f"{option} must be NAME=VALUE", exit_code.USAGE)
        try:
            found[name] = orjson.loads(text)
        except ValueError:
            found[name] = text
    return found
