"""`pdp policy init` and `pdp policy eval`: begin a policy, and try it without a server."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pdp.cli import asked, decisions, exit_code
from pdp.cli.members import Context, ContextTexts, Properties, PropertyTexts
from pdp.cli.session import FORMAT, Output, Session, format_of
from pdp.environment import Environment
from pdp.errors import InvalidRequest, PdpError, SetupError
from pdp.say import say, tell
from pdp.visible import visible

if TYPE_CHECKING:
    from pdp.caller import Caller
    from pdp.decision import Reason, Verdict
    from pdp.v1 import request_pb2
    from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse

NANOSECONDS = 1_000_000_000
"""Nanoseconds of a second; the policy's `input.now` counts them."""


def add_to(app: typer.Typer) -> None:
    """Add the commands to `pdp policy`."""
    app.command()(init)
    app.command("eval")(evaluate)


def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The folder to write into.")] = Path("policy"),
) -> None:
    """Write a policy to begin with: rules, data, schema and tests."""
    from pdp.policy.starter import write

    try:
        written = write(folder)
    except SetupError as error:
        exit_code.fail(error.sentence, exit_code.USAGE)
    for file in written:
        tell(str(file))
    say(
        f"next:\n  pdp policy test {folder}\n"
        f"  pdp policy eval {folder} --subject agent:my-agent --action write --resource table:orders\n"
        f"  pdp dev --policy {folder}"
    )


def evaluate(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[DIR]...", help="Folders of Rego and data; by default the reference policy."),
    ] = None,
    file: asked.File = "",
    subject: asked.Subject = "",
    on_behalf_of: asked.OnBehalfOf = None,
    action: asked.Action = "",
    resource: asked.Resource = "",
    properties: Properties = None,
    property_texts: PropertyTexts = None,
    context: Context = None,
    context_texts: ContextTexts = None,
    caller: Annotated[str, typer.Option(metavar="TYPE:ID", help="Who asks; by default the subject.")] = "",
    groups: Annotated[
        list[str] | None,
        typer.Option("--group", metavar="NAME", help="A group of the caller's token; may be repeated."),
    ] = None,
    person_types: Annotated[
        list[str] | None,
        typer.Option("--person-type", metavar="TYPE", help="A type of identities that are people; by default user."),
    ] = None,
    at: Annotated[
        datetime | None, typer.Option(metavar="TIME", help="The time (UTC) that the policy sees; by default now.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show every rule that fired.")] = False,
    output: FORMAT = None,
) -> None:
    """Decide a request by a policy on this machine, without a server.

    It records nothing and asks no reviewer. Exit status: 0 it would be allowed, 10 denied, 11 people would have to
    review it, 3 the policy is invalid. A batch ends with 0.
    """
    described = asked.Described(
        subject, on_behalf_of, action, resource, properties, property_texts, context, context_texts
    )
    requests, batch = described.requests(file)
    asked.about_the_call(requests, batch=batch, explain=explain)
    people = frozenset(person_types or ["user"])
    asks = [(request, _caller(request, caller, groups or (), people)) for request in requests]
    now_ns = int(at.replace(tzinfo=UTC).timestamp()) * NANOSECONDS if at else time.time_ns()
    answers = [_answer(verdict) for verdict in _verdicts(folders, asks, now_ns, people)]
    session = Session("", "", 0, Output.JSONL if batch and format_of(output) is Output.JSON else format_of(output))
    for answer in answers:
        session.print(answer, partial(_shown, answer))
    if not batch:
        raise typer.Exit(decisions.status(answers[0]))


def _verdicts(
    folders: list[Path] | None, asks: "Sequence[tuple[AuthorizeRequest, Caller]]", now_ns: int, people: frozenset[str]
) -> "list[Verdict]":
    from pdp.opa.trial import verdicts
    from pdp.policy.sources import rego
    from pdp.process import toolcache

    try:
        opa = toolcache.opa(Environment.read().tool_cache)
        return asyncio.run(
            verdicts(opa, folders or [rego()], asks, now_ns=now_ns, person_types=people, say=lambda _: None)
        )
    except InvalidRequest as error:
        exit_code.fail(f"{error.reason}: {error.sentence}", exit_code.USAGE)
    except PdpError as error:
        exit_code.fail(error.sentence, exit_code.POLICY_ERROR)


def _caller(request: "AuthorizeRequest", named: str, groups: Sequence[str], person_types: frozenset[str]) -> "Caller":
    """Who asks, as the policy sees it."""
    import orjson

    from pdp.caller import Caller, identity

    _ = named and asked.typed(named, "--caller")
    name = named or identity(request.subject)
    kind = "person" if name.partition(":")[0] in person_types else "workload"
    described = orjson.dumps({"identity": name, "kind": kind, "groups": list(groups)})
    return Caller(name, kind, frozenset(), tuple(groups), described)


def _answer(verdict: "Verdict") -> "AuthorizeResponse":
    """A verdict as a dry run shows it; an approval lists only what would be required."""
    from pdp.v1.decision_pb2 import AuthorizeResponse, Fired

    answer = AuthorizeResponse(
        effect=f"EFFECT_{verdict.effect}",
        reasons=_reasons(verdict.reasons),
        policy_revision=verdict.revision,
        dry_run=True,
        fired=Fired(**{name: _reasons(reasons) for name, reasons in verdict.fired.items()}) if verdict.fired else None,
    )
    for duty in verdict.obligations:
        owed = answer.obligations.add(rule=duty.rule, reason=duty.reason, type=duty.type)
        owed.properties.update(dict(duty.properties))
    for one in verdict.requirements:
        made = answer.approval.requirements.add(rule=one.rule, reason=one.reason, count=one.count)
        made.groups.extend(one.groups)
        made.identities.extend(one.identities)
        made.individual = one.individual
        if one.claims:
            made.claims.update(dict(one.claims))
    return answer


def _shown(answer: "AuthorizeResponse") -> str:
    """The answer for people. It has no id, because it is not recorded."""
    from pdp.cli import display
    from pdp.v1.decision_pb2 import AuthorizeResponse

    bare = AuthorizeResponse()
    bare.CopyFrom(answer)
    bare.ClearField("approval")
    lines = display.decision(bare).splitlines()[:-1]
    for one in answer.approval.requirements:
        who = ", ".join(map(visible, [*one.groups, *one.identities, *sorted(one.claims)]))
        lines.append(f"  needs     {one.count} of {who}  [{visible(one.rule)}]")
    return "\n".join([*lines, f"  policy    {answer.policy_revision[:12]}"])


def _reasons(reasons: "Sequence[Reason]") -> "list[request_pb2.Reason]":
    from pdp.v1 import request_pb2

    return [request_pb2.Reason(rule=reason.rule, reason=reason.reason) for reason in reasons]
