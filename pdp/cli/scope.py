"""The options that say who masks which table, and how its file is written. Commands that mask get them here, once."""

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdp.cli import asked, decisions
from pdp.cli.members import Context, ContextTexts, members
from pdp.cli.session import client_command

if TYPE_CHECKING:
    from masker.arrow.formats import Layout
    from pdp.client import Client
    from pdp.v1.mask_pb2 import MaskScope

_OPTIONS = {
    "table": Annotated[str, typer.Option(metavar="NAME", help="The table's name in the policy.")],
    "subject": Annotated[str, typer.Option(metavar="TYPE:ID", help="Who acts; by default the caller.")],
    "on_behalf_of": asked.OnBehalfOf,
    "context": Context,
    "context_texts": ContextTexts,
    "request_id": decisions.RequestId,
    "approval_id": decisions.ApprovalId,
    "justification": decisions.Justification,
    "masked_key_version": Annotated[
        int, typer.Option(help="The key version of fpe columns, if the file's metadata does not name it.")
    ],
    "form": Annotated[
        str,
        typer.Option(
            "--format", help="The format, where no name says it: csv, jsonl, json or arrows; files: parquet, arrow."
        ),
    ],
    "delimiter": Annotated[
        str, typer.Option(metavar="CHARACTER", help="What separates CSV cells; by default a comma, in .tsv a tab.")
    ],
    "encoding": Annotated[
        str, typer.Option(metavar="NAME", help="The encoding of text that is not UTF-8: utf-16, latin-1, cp1252.")
    ],
    "quote": Annotated[
        str, typer.Option(metavar="CHARACTER", help="What encloses CSV cells; '' where a quotation mark is text.")
    ],
    "trim": Annotated[bool, typer.Option("--trim", help="Remove blanks around CSV cells and column names.")],
}
_ALWAYS = (
    "table",
    "subject",
    "on_behalf_of",
    "context",
    "context_texts",
    "form",
    "delimiter",
    "encoding",
    "quote",
    "trim",
)
_FILE = ("form", "delimiter", "encoding", "quote", "trim", "masked_key_version")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a command's options say. `await scope.message(client)` makes the contract's message of it."""

    table: str
    subject: str = ""
    on_behalf_of: list[str] | None = None
    context: list[str] | None = None
    context_texts: list[str] | None = None
    request_id: str = ""
    approval_id: str = ""
    justification: str = ""
    masked_key_version: int = 0
    form: str = ""
    delimiter: str = ""
    encoding: str = ""
    quote: str = '"'
    trim: bool = False

    @property
    def layout(self) -> "Layout":
        """How the file's text is laid out. Raises FileRefused."""
        from masker.arrow.formats import Layout

        return Layout(self.delimiter, self.encoding, self.quote, self.trim)

    async def message(self, client: "Client") -> "MaskScope":
        """The scope of a call. Without --subject the caller itself acts, so the server is asked who that is."""
        from google.protobuf import json_format

        from pdp.v1.mask_pb2 import MaskScope

        scope = {
            "subject": asked.typed(self.subject or await _caller(client), "--subject"),
            "onBehalfOf": [asked.typed(principal, "--on-behalf-of") for principal in self.on_behalf_of or []],
            "table": self.table,
            "context": members(self.context, self.context_texts, "--context"),
            "requestId": self.request_id,
            "approvalId": self.approval_id,
            "justification": self.justification,
            "maskedKeyVersion": self.masked_key_version,
        }
        return json_format.ParseDict(scope, MaskScope())


async def _caller(client: "Client") -> str:
    from pdp.v1.info_pb2 import GetServerInfoRequest

    info = await client.call(client.info.GetServerInfo, GetServerInfoRequest())
    return info.caller.identity


def scope_command(*more: str) -> Callable[[Callable[..., Awaitable[None]]], Callable[..., None]]:
    """Like `client_command`, for a coroutine function whose second parameter is a `Scope`.

    The command gets --table, --subject, --on-behalf-of, --context, the options of how a file is written, and those
    of the other options that `more` names.
    """
    return _with_scope((*_ALWAYS, *more))


def file_command(command: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """The same for a command that only reads a masked file: the options of how that is written."""
    return _with_scope(_FILE)(command)


def _with_scope(names: tuple[str, ...]) -> Callable[[Callable[..., Awaitable[None]]], Callable[..., None]]:
    def decorated(command: Callable[..., Awaitable[None]]) -> Callable[..., None]:
        signature = inspect.signature(command)
        session, _, *own = signature.parameters.values()

        @functools.wraps(command)
        async def with_scope(session: Any, /, **options: Any) -> None:
            scope = Scope(**{"table": "", **{name: options.pop(name) for name in names}})
            with _naming(scope.table):
                await command(session, scope, **options)

        added = [_parameter(name) for name in names]
        with_scope.__signature__ = signature.replace(parameters=[session, *own, *added])  # type: ignore[attr-defined]
        return client_command(with_scope)

    return decorated


@contextmanager
def _naming(table: str) -> Iterator[None]:
    """Name the table in a refusal of its masks: often it is not the one that was meant."""
    import grpc

    from pdp.client.call_error import CallError, call_error

    try:
        yield
    except (grpc.aio.AioRpcError, CallError) as failure:  # a stream raises the first
        error = failure if isinstance(failure, CallError) else call_error(failure)
        if error.reason != "MASK_PLAN_REFUSED":
            raise
        raise CallError(error.code, error.reason, f"table {table}: {error.sentence}") from None


def _parameter(name: str) -> inspect.Parameter:
    (default,) = (field.default for field in fields(Scope) if field.name == name)
    empty = inspect.Parameter.empty
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=empty if default is MISSING else default,
        annotation=_OPTIONS[name],
    )
