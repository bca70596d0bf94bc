"""The options that describe a request: who does what to which resource, and why it matters."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdp.cli import exit_code, request_file
from pdp.cli.members import members

if TYPE_CHECKING:
    from pdp.v1.decision_pb2 import AuthorizeRequest

_FILE = typer.Option(
    "-f",
    "--file",
    metavar="FILE",
    help="An AuthorizeRequest in JSON; JSON Lines or a NAME.jsonl is a batch. - is standard input.",
)
File = Annotated[str, _FILE]
Files = Annotated[list[str] | None, _FILE]
Subject = Annotated[str, typer.Option(metavar="TYPE:ID", help="Who acts.")]
OnBehalfOf = Annotated[
    list[str] | None, typer.Option(metavar="TYPE:ID", help="For whom it acts; may be repeated, outermost last.")
]
Action = Annotated[str, typer.Option(metavar="NAME", help="What is about to be done.")]
Resource = Annotated[str, typer.Option(metavar="TYPE:ID", help="What it is done to.")]
_EXAMPLES = {
    "--subject": "agent:report-bot",
    "--on-behalf-of": "user:alice",
    "--caller": "agent:report-bot",
    "--action": "read",
    "--resource": "table:customers",
}
_ONE_ONLY = {"request_id": "--request-id", "approval_id": "--approval-id", "supersedes": "--supersedes"}
"""What names one execution, so it cannot hold for each request of a batch."""


@dataclass(frozen=True, slots=True)
class Described:
    """A request as options describe it."""

    subject: str
    on_behalf_of: list[str] | None
    action: str
    resource: str
    properties: list[str] | None
    property_texts: list[str] | None
    context: list[str] | None
    context_texts: list[str] | None

    def requests(self, file: str) -> "tuple[list[AuthorizeRequest], bool]":
        """The request, or those of `file`, and whether they are a batch. Ends the command where both are given."""
        from pdp.v1.decision_pb2 import AuthorizeRequest

        if not file:
            return [request_file.parsed(json.dumps(self._members()), AuthorizeRequest())], False
        if any((self.subject, self.on_behalf_of, self.action, self.resource, self.properties, self.context)) or any(
            (self.property_texts, self.context_texts)
        ):
            exit_code.fail(f"{file} describes the request; leave out the options that do so, too", exit_code.USAGE)
        return request_file.read(file)

    def _members(self) -> dict[str, Any]:
        _require(subject=self.subject, action=self.action, resource=self.resource)
        held = members(self.properties, self.property_texts, "--property")
        return {
            "subject": typed(self.subject, "--subject"),
            "onBehalfOf": [typed(principal, "--on-behalf-of") for principal in self.on_behalf_of or []],
            "action": {"name": self.action},
            "resource": {**typed(self.resource, "--resource"), "properties": held},
            "context": members(self.context, self.context_texts, "--context"),
        }


def about_the_call(requests: "list[AuthorizeRequest]", *, batch: bool, **said: str | bool) -> None:
    """Set in each request what options say of the call itself. They go before what a file says.

    Ends the command if one that names a single execution is given for a batch.
    """
    for field, option in _ONE_ONLY.items():
        if batch and said.get(field):
            exit_code.fail(f"{option} is for one request, not for a batch; write it into the lines", exit_code.USAGE)
    for request in requests:
        for field, value in said.items():
            if value:
                setattr(request, field, value)


def typed(text: str, option: str) -> dict[str, str]:
    """The members of a subject or a resource from `<type>:<id>`. Ends the command where the option has another form."""
    kind, _, identifier = text.partition(":")
    if not (kind and identifier):
        exit_code.fail(f"{option} must be TYPE:ID, for example {_EXAMPLES[option]}", exit_code.USAGE)
    return {"type": kind, "id": identifier}


def _require(**given: str) -> None:
    """End the command where options are missing that only a file makes superfluous. It names all of them."""
    missing = [f"--{name}" for name, text in given.items() if not text]
    if missing:
        example = " ".join(f"{option} {_EXAMPLES[option]}" for option in missing)
        verb = "is" if len(missing) == 1 else "are"
        sentence = f"{', '.join(missing)} {verb} missing, for example {example} (or give -f FILE)"
        exit_code.fail(sentence, exit_code.USAGE)
