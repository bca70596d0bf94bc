"""What all client commands share: the server's address, the caller's credentials, and how to print."""

import asyncio
import functools
import inspect
import json
import os
import sys
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TextIO

import typer

from pdp.cli import exit_code
from pdp.environment import DEFAULT_ADDRESS, Environment
from pdp.errors import PdpError
from pdp.say import give, say, tell
from pdp.visible import printable, visible, wrapped

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from pdp.client import Client
    from pdp.client.token import Source

KEEPALIVE_SECONDS = 30.0
"""Seconds between two pings, as `pdp.client` has them; it is not imported here, because that takes a while."""
UNKNOWN_COLUMNS = 80
"""Columns of a terminal that does not tell its width: the width of a classic terminal."""


class Output(StrEnum):
    """How data is printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


FORMAT = Annotated[
    Output | None, typer.Option("-o", "--output", help="The format; by default table on a terminal, else json.")
]


def format_of(output: Output | None) -> Output:
    """The format that was asked for, or else the one that fits where standard output goes."""
    return output or (Output.TABLE if sys.stdout.isatty() else Output.JSON)


_OPTIONS = {
    "address": Annotated[
        str,
        typer.Option(
            envvar="PDP_ADDRESS",
            show_envvar=True,
            metavar="ADDRESS",
            help=f"The server: host:port or unix:/path; by default {DEFAULT_ADDRESS}, with --as that of `pdp dev`.",
        ),
    ],
    "token": Annotated[
        str, typer.Option(envvar="PDP_TOKEN", show_envvar=True, metavar="TOKEN", help="A bearer token.")
    ],
    "as_name": Annotated[
        str, typer.Option("--as", metavar="NAME", help="Call as a demo person of `pdp dev`, in place of --token.")
    ],
    "token_file": Annotated[
        str,
        typer.Option(
            envvar="PDP_TOKEN_FILE", show_envvar=True, metavar="FILE", help="A file with the token; it may be renewed."
        ),
    ],
    "ca": Annotated[
        str,
        typer.Option(
            envvar="PDP_CA", show_envvar=True, metavar="FILE", help="Use TLS; FILE is the server's authority in PEM."
        ),
    ],
    "certificate": Annotated[
        str,
        typer.Option(envvar="PDP_CERTIFICATE", show_envvar=True, metavar="FILE", help="Your certificate in PEM."),
    ],
    "key": Annotated[
        str, typer.Option(envvar="PDP_KEY", show_envvar=True, metavar="FILE", help="The certificate's key in PEM.")
    ],
    "keepalive": Annotated[
        float,
        typer.Option(
            envvar="PDP_KEEPALIVE", show_envvar=True, min=0.1, metavar="SECONDS", help="The pause between pings."
        ),
    ],
    "timeout": Annotated[float, typer.Option(min=0.01, metavar="SECONDS", help="How long a call may take.")],
    "output": FORMAT,
}


@dataclass(slots=True)
class Session:
    """The connection of one command and its way of printing."""

    address: str
    token: "str | Source"
    timeout: float
    output: Output
    token_file: str = ""
    keepalive: float = KEEPALIVE_SECONDS
    ca: str = ""
    certificate: str = ""
    key: str = ""

    def client(self, understands: Collection[str] = ()) -> "Client":
        """A client for this session; use it with `async with`."""
        from pdp.client import Client

        try:
            return Client(
                self.address,
                None if self.token_file else self.token,
                token_file=self.token_file or None,
                keepalive=self.keepalive,
                ca=self.ca,
                certificate=self.certificate,
                key=self.key,
                timeout=self.timeout,
                understands=understands,
            )
        except ValueError as error:
            exit_code.fail(str(error), exit_code.USAGE)

    def fail(self, error: PdpError) -> NoReturn:
        """Print an error of the server and what to do about it, and exit with its status."""
        hint = {
            "UNAUTHENTICATED": "Pass --token, set PDP_TOKEN or PDP_TOKEN_FILE, or with a `pdp dev` use --as NAME.",
            "UNAVAILABLE": self._silence() if error.reason == error.code == "UNAVAILABLE" else "",
            "DEADLINE_EXCEEDED": f"no answer from {self.address} within {self.timeout:g} s; --timeout gives it longer.",
        }.get(error.reason, "")
        if page := error.metadata.get("page"):
            tell(visible(page) if self.output is Output.TABLE else json.dumps({"page": page}))
        sentences = (hint,) if error.reason == error.code != "UNAUTHENTICATED" and hint else (error.sentence, hint)
        exit_code.fail(f"{error.reason}: " + "\n".join(filter(None, sentences)), exit_code.of_error(error))

    def _silence(self) -> str:
        from pdp.client.diagnosis import silence

        return silence(self.address, self.ca, self.certificate, self.key)

    def print(self, answer: "Message", table: Callable[[], str], lines: "Sequence[Message] | None" = None) -> None:
        """Print an answer on standard output.

        A table is what `table` makes for people. JSON is the whole answer; JSON Lines has one line for each of `lines`.
        """
        if self.output is Output.TABLE:
            _print_in_colour(table())
        elif self.output is Output.JSON:
            give(json_text(answer, indent=2))
        else:
            for message in (answer,) if lines is None else lines:
                give(json_text(message))


_COLOURS = {
    r"\A(ALLOW)\b|\A\s*approval +apr_\w{32} +(APPROVED|CONSUMED)\b": "bold green",
    r"\A(DENY)\b|\A\s*approval +apr_\w{32} +(DENIED|EXPIRED|VOIDED)\b": "bold red",
    r"\A(NEEDS_APPROVAL)\b|\A\s*approval +apr_\w{32} +(PENDING)\b": "bold yellow",
}
"""Only the effect or the state, in its place at the top, gets a colour. A colour on text of a request would make it
look like the server's own word."""


def _print_in_colour(text: str) -> None:
    if not sys.stdout.isatty():
        tell(text)
        return
    from rich.console import Console
    from rich.text import Text

    painted = Text(printable(text))
    for pattern, colour in _COLOURS.items():
        painted.highlight_regex(pattern, colour)
    Console(highlight=False).print(painted, soft_wrap=True)


def show_text(text: str, stream: TextIO) -> None:
    """Print text for people. We break long lines on a terminal: a part must not look like a line of its own."""
    if stream.isatty():
        text = wrapped(printable(text), os.get_terminal_size(stream.fileno()).columns or UNKNOWN_COLUMNS)
    say(text, stream)


def json_text(message: "Message", indent: int | None = None) -> str:
    """A message in canonical proto JSON, on one line unless indented."""
    from google.protobuf import json_format

    return json_format.MessageToJson(message, indent=indent)


def client_command(command: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Make a command of a coroutine function whose first parameter is a `Session`.

    The command gets the shared options, and an error of the server becomes a sentence and an exit status.
    """
    signature = inspect.signature(command)
    own = list(signature.parameters.values())[1:]
    names = _OPTIONS.keys() - signature.parameters.keys()  # a command's own option replaces a shared one

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        session = _session(**{**_defaults(), **{name: options.pop(name) for name in names}})
        asyncio.run(_call(command, session, *arguments, **options))

    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=_OPTIONS[name])
        for name, default in _defaults().items()
        if name in names
    ]
    run.__signature__ = signature.replace(parameters=[*own, *shared], return_annotation=None)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *shared]}
    return run


def _defaults() -> dict[str, Any]:
    environment = Environment.read()
    return {
        "address": "",
        "token": "",
        "token_file": "",
        "as_name": "",
        "ca": environment.ca,
        "certificate": environment.certificate,
        "key": environment.key,
        "keepalive": KEEPALIVE_SECONDS,
        "timeout": 5.0,
        "output": None,
    }


def _session(
    *, address: str, token: str, token_file: str, as_name: str, output: Output | None, **shared: Any
) -> Session:
    environment = Environment.read()
    if token != environment.token or token_file == environment.token_file:
        token_file = "" if token else token_file  # a token goes before a file, unless only the file is an option
    source: str | Source = token
    if as_name:
        token_file, (source, address) = "", _minted(as_name, address)
    return Session(
        token=source,
        token_file=token_file,
        address=address or DEFAULT_ADDRESS,
        output=format_of(output),
        **shared,
    )


def _minted(name: str, address: str) -> "tuple[Source, str]":
    """A source of tokens for a demo person, and the address of its stack, unless another one was named."""
    from pdp.dev import identity, presence

    environment = Environment.read()
    try:
        state, found = presence.meant(environment, address)
        identity.token(state, name)
    except PdpError as error:
        exit_code.fail(error.sentence, exit_code.USAGE)
    if not (address or found):
        named = ", which PDP_STATE names" if environment.names_state else ""
        exit_code.fail(
            f"no `pdp dev` runs on {state}{named}; start it, or name the server with --address",
            exit_code.UNAVAILABLE,
        )
    return functools.partial(identity.token, state, name), address or found


async def _call(command: Callable[..., Awaitable[None]], session: Session, /, *arguments: Any, **options: Any) -> None:
    import grpc

    from pdp.client.call_error import call_error

    try:
        await command(session, *arguments, **options)
    except grpc.aio.AioRpcError as error:  # a stream raises it
        session.fail(call_error(error))
    except PdpError as error:
        session.fail(error)
