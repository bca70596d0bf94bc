"""`pdp run`: starts a command only with a checked grant for exactly this command."""

import functools
import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from pdp.cli import asked, child, decisions, exit_code
from pdp.cli.members import Properties, PropertyTexts, members
from pdp.cli.session import Session, client_command
from pdp.environment import Environment
from pdp.errors import SetupError
from pdp.say import say

if TYPE_CHECKING:
    from pdp.client import Decision
    from pdp.client.enforcement import Build, Enforcement, Permit
    from pdp.v1.approval_pb2 import Approval
    from pdp.v1.decision_pb2 import AuthorizeRequest

TOKEN = "PDP_TOKEN"  # noqa: S105  # the variable's name, not a token
_TOKENS = {TOKEN, f"{TOKEN}_FILE"}


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run", context_settings={"allow_interspersed_args": False})(run)


@dataclass(frozen=True, slots=True)
class Program:
    """What is about to run: the command line, the file that it starts, its folder and its environment.

    `shown` are the names of the variables that are part of the request.
    """

    command: Sequence[str]
    executable: Path
    folder: Path
    variables: Mapping[str, str]
    shown: Sequence[str]

    @classmethod
    def named(cls, command: Sequence[str], shown: Sequence[str], *, with_token: bool) -> "Program":
        """The program that a shell would start.

        Ends this command if there is no such program, or if a variable of `shown` is not set.
        """
        left_out = set() if with_token else _TOKENS
        variables = {name: value for name, value in Environment.inherited().items() if name not in left_out}
        found = shutil.which(command[0])
        if found is None:
            exit_code.fail(f"there is no command {command[0]}", exit_code.USAGE)
        for name in shown:
            if name not in variables:
                exit_code.fail(f"--env {name}: the command's environment has no {name}", exit_code.USAGE)
        return cls(command, Path(found).absolute(), Path.cwd(), variables, shown)

    def context(self) -> dict[str, Any]:
        """The context of the request. Reviewers see it, and it binds the approval. Each call reads the file again."""
        return {
            "command": list(self.command),
            "executable": {"path": str(self.executable), "sha256": _sha256(self.executable)},
            "cwd": str(self.folder),
            "env": {name: self.variables[name] for name in self.shown},
        }


@client_command
async def run(
    session: Session,
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="The command to run.")],
    action: Annotated[str, typer.Option(metavar="NAME", help="The action that the command does.")],
    resource: Annotated[str, typer.Option(metavar="TYPE:ID", help="What the action is done to.")],
    subject: Annotated[str, typer.Option(metavar="TYPE:ID", help="Who acts; by default the caller.")] = "",
    on_behalf_of: asked.OnBehalfOf = None,
    properties: Properties = None,
    property_texts: PropertyTexts = None,
    env: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="A variable that is part of the request: its value is shown, recorded and approved."
        ),
    ] = None,
    wait: Annotated[
        str,
        typer.Option(metavar="DURATION", help="How long to wait for people, for example 10m; by default not at all."),
    ] = "",
    request_id: decisions.RequestId = "",
    approval_id: decisions.ApprovalId = "",
    justification: decisions.Justification = "",
    with_token: Annotated[
        bool, typer.Option("--with-token", help=f"Leave {TOKEN} and {TOKEN}_FILE in the command's environment.")
    ] = False,
) -> None:
    """Run a command if it is allowed, and report how it ended. If people must approve it first, --wait waits for them.

    The request consists of the command line, the file that it starts with its SHA-256, the folder, and the variables of
    --env.

    Exit status: the command's own, or 128 + n after signal n. If nothing ran: 10 it is denied, 11 people have to review
    it first, 12 the approval does not count, 69 the server does not answer, 77 you may not ask, or what was allowed has
    changed.
    """
    from pdp.client.enforcement import Enforcement
    from pdp.v1.decision_pb2 import AuthorizeRequest

    program = Program.named(command, env or (), with_token=with_token)
    for text, option in ((subject, "--subject"), (resource, "--resource")):
        _ = text and asked.typed(text, option)
    about = {"on_behalf_of": on_behalf_of or (), "properties": members(properties, property_texts, "--property")}
    own = AuthorizeRequest(request_id=request_id, approval_id=approval_id, justification=justification)
    build = functools.partial(_request, program, subject, action, resource, about, own)
    seconds = _seconds(wait)
    async with session.client() as client:
        enforcement = Enforcement(client)
        permit = await _permit(session, enforcement, build, seconds)
        raise typer.Exit(await _run(program, enforcement, permit))


def _request(
    program: Program,
    subject: str,
    action: str,
    resource: str,
    about: Mapping[str, Any],
    own: "AuthorizeRequest",
    caller: str,
) -> "AuthorizeRequest":
    """The request about the program as it is now."""
    from pdp.client.question import question

    try:
        request = question(subject or caller, action, resource, **about, context=program.context())
    except ValueError as error:
        exit_code.fail(str(error), exit_code.USAGE)
    request.MergeFrom(own)
    return request


async def _permit(session: Session, enforcement: "Enforcement", build: "Build", seconds: float) -> "Permit":
    """A permit. Without one, ends the command with the exit status that says why."""
    from pdp.client import ApprovalPending, Denied

    def waiting(approval: "Approval") -> None:
        say(f"waiting for people to review {approval.approval_id}")

    try:
        return await enforcement.permit(build, wait=seconds, waiting=waiting)
    except ApprovalPending as pending:
        exit_code.fail(
            f"NEEDS_APPROVAL: {pending.sentence}; then run this again with --approval-id {pending.approval_id}",
            exit_code.NEEDS_APPROVAL,
        )
    except Denied as denied:
        _refuse(session, denied.decision)


def _refuse(session: Session, decision: "Decision") -> NoReturn:
    if decision.error is not None:
        session.fail(decision.error)
    exit_code.fail(decision.why, decisions.status(decision.response) or exit_code.DENY)  # an allow with obligations


async def _run(program: Program, enforcement: "Enforcement", permit: "Permit") -> int:
    """Run the program, report how it ended, and return its exit status."""
    try:
        status = await child.run(program.executable, program.command, program.variables)
    except OSError as error:
        await enforcement.report(permit, succeeded=False, detail="it could not be started")
        raise SetupError(f"cannot run {program.executable}: {error.strerror}") from None
    await enforcement.report(permit, succeeded=status == 0, detail=f"exit status {status}")
    return status


def _sha256(executable: Path) -> str:
    try:
        with executable.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SetupError(f"cannot read {executable}, so reviewers could not know what runs: {error.strerror}") from None


def _seconds(wait: str) -> float:
    from pdp.duration import duration_ms

    milliseconds = duration_ms(wait) if wait else 0
    if milliseconds is None:
        exit_code.fail("--wait takes a duration such as 30s, 10m or 4h", exit_code.USAGE)
    return milliseconds / 1000
