"""`pdp authorize`: asks for one decision, or for a batch of them."""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Annotated, NoReturn
from uuid import uuid4

import typer

from pdp import blocking
from pdp.cli import asked, exit_code, stuck
from pdp.cli.members import Context, ContextTexts, Properties, PropertyTexts
from pdp.cli.session import Output, Session, client_command, json_text
from pdp.say import give, say, tell
from pdp.visible import visible

if TYPE_CHECKING:
    from pdp.client import Client, Decision
    from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse, BatchAuthorizeRequest, BatchAuthorizeResult

BATCH_ITEMS, BATCH_BYTES = 250, 1024 * 1024
"""Items and bytes of one call: a quarter of what the contract allows, so that a call ends in time and its answer, with
the approvals in it, fits into one message."""

RequestId = Annotated[str, typer.Option(metavar="ID", help="A name for this one execution.")]
ApprovalId = Annotated[str, typer.Option(metavar="ID", help="The approval to use.")]
Justification = Annotated[str, typer.Option(metavar="TEXT", help="Your words for the reviewers.")]
BlockExit = Annotated[
    int | None,
    typer.Option(
        "--block-exit",
        metavar="STATUS",
        min=1,
        max=255,
        help="For hooks: end with STATUS at everything but a clear allow, with the reason on standard error.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("authorize")(authorize)


@client_command
async def authorize(
    session: Session,
    file: asked.File = "",
    subject: asked.Subject = "",
    on_behalf_of: asked.OnBehalfOf = None,
    action: asked.Action = "",
    resource: asked.Resource = "",
    properties: Properties = None,
    property_texts: PropertyTexts = None,
    context: Context = None,
    context_texts: ContextTexts = None,
    request_id: RequestId = "",
    approval_id: ApprovalId = "",
    justification: Justification = "",
    supersedes: Annotated[
        str, typer.Option(metavar="ID", help="The sent-back approval that this request answers.")
    ] = "",
    want_grant: Annotated[
        bool, typer.Option("--want-grant", help="Ask for a grant also if no approval is needed.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Decide, but do not open or use an approval.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show every rule that fired.")] = False,
    understands: Annotated[
        list[str] | None,
        typer.Option(metavar="TYPE", help="An obligation that you will meet; any other obligation counts as a deny."),
    ] = None,
    block_exit: BlockExit = None,
) -> None:
    """Ask whether an action is allowed.

    Exit status: 0 it is allowed, 10 it is denied, 11 people have to review it first, 12 the approval does not count. A
    batch ends with 0 if every request got an answer. With --block-exit 0 means that everything is allowed.
    """
    described = asked.Described(
        subject, on_behalf_of, action, resource, properties, property_texts, context, context_texts
    )
    requests, batch = described.requests(file)
    asked.about_the_call(
        requests,
        batch=batch,
        request_id=request_id,
        approval_id=approval_id,
        justification=justification,
        supersedes=supersedes,
        want_grant=want_grant,
        dry_run=dry_run,
        explain=explain,
    )
    async with session.client(understands or ()) as client:
        if batch:
            decisions = await _many(session, client, requests, understands or ())
        else:
            decisions = [await _one(session, client, requests[0])]
    if block_exit:
        _block(decisions, block_exit)
    if not batch:
        _end(decisions[0])


def _block(decisions: "list[Decision]", status: int) -> None:
    """End with `status` unless every decision is a clear allow. A dry run never is."""
    if refused := [decision for decision in decisions if not decision.allowed]:
        exit_code.fail("\n".join(_why(decision) for decision in refused), status)
    blocking.allowed()


def _why(decision: "Decision") -> str:
    if not decision.needs_approval:
        return decision.why
    waits = decision.response.approval.approval_id
    return f"{decision.why}; people have to review {waits}: ask again with --approval-id {waits} once they have"


async def _one(session: Session, client: "Client", request: "AuthorizeRequest") -> "Decision":
    decision = await client.decide(request)
    if decision.error is not None:
        session.fail(decision.error)
    session.print(decision.response, lambda: _display(decision.response))
    if decision.needs_approval and request.explain:
        for line in await stuck.hints(client, decision.response.approval):
            say(line)
    return decision


def _end(decision: "Decision") -> NoReturn:
    code = status(decision.response)
    if code == exit_code.OK and decision.unknown_obligations:
        types = ", ".join(map(visible, decision.unknown_obligations))
        exit_code.fail(
            f"this counts as a deny, unless you meet these obligations and say so with --understands: {types}",
            exit_code.DENY,
        )
    raise typer.Exit(code)


async def _many(
    session: Session, client: "Client", requests: "list[AuthorizeRequest]", understands: Collection[str]
) -> "list[Decision]":
    from pdp.client import Decision

    unanswered, decisions = 0, list[Decision]()
    for batch in _batches(requests):
        answer = await client.call(client.decisions.BatchAuthorize, batch)
        for result in answer.results:
            is_shown = session.output is Output.TABLE and result.HasField("decision")
            tell(_display(result.decision)) if is_shown else give(_json(result))
            unanswered += result.HasField("error")
            decisions.append(Decision(result.decision, frozenset(understands)))
    if unanswered:
        exit_code.fail(f"{unanswered} of {len(requests)} requests got no answer")
    return decisions


def _batches(requests: "list[AuthorizeRequest]") -> "Iterator[BatchAuthorizeRequest]":
    """The requests, each an attempt of its own, cut into calls of at most `BATCH_ITEMS` and `BATCH_BYTES`."""
    from pdp.v1.decision_pb2 import BatchAuthorizeRequest

    batch, size = BatchAuthorizeRequest(), 0
    for request in requests:
        request.attempt_id = request.attempt_id or uuid4().hex
        if batch.items and (len(batch.items) == BATCH_ITEMS or size + request.ByteSize() > BATCH_BYTES):
            yield batch
            batch, size = BatchAuthorizeRequest(), 0
        batch.items.append(request)
        size += request.ByteSize()
    yield batch


def _json(result: "BatchAuthorizeResult") -> str:
    return json_text(result.decision if result.HasField("decision") else result)


def _display(answer: "AuthorizeResponse") -> str:
    from pdp.cli import display

    return display.decision(answer)


def status(answer: "AuthorizeResponse") -> int:
    """The exit status for a decision."""
    from pdp.v1.request_pb2 import Effect

    if answer.effect == Effect.EFFECT_ALLOW:
        return exit_code.OK
    if answer.effect == Effect.EFFECT_NEEDS_APPROVAL:
        return exit_code.NEEDS_APPROVAL
    ended = any(reason.rule.startswith(("pdp.approval_", "pdp.lineage_grew")) for reason in answer.reasons)
    return exit_code.APPROVAL_ENDED if ended else exit_code.DENY
