"""`guard`: a function that runs only with a checked grant for exactly the arguments that it is about to get."""

import asyncio
import functools
import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, ParamSpec, TypeVar, Union, cast, get_args, get_origin

from pdp.client.connection import Client
from pdp.client.enforcement import Enforcement, Permit
from pdp.client.question import question, struct
from pdp.text import Text, resembles_json
from pdp.v1.decision_pb2 import AuthorizeRequest

_Connect = Callable[[], AbstractAsyncContextManager[Client]]
_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")
_Told = TypeVar("_Told")
_Arguments = Mapping[str, Any]


def guard(
    *,
    action: str | Callable[..., str],
    resource: str | Callable[..., str],
    subject: str | Callable[..., str] = "",
    on_behalf_of: Sequence[str] | Callable[..., Sequence[str]] = (),
    properties: Mapping[str, Any] | Callable[..., Mapping[str, Any]] | None = None,
    context: Mapping[str, Any] | Callable[..., Mapping[str, Any]] | None = None,
    justification: str | Callable[..., str] = "",
    request_id: Callable[..., str] | None = None,
    wait: float | None = None,
    client: Client | Callable[[], Client] | None = None,
    understands: Collection[str] = (),
) -> Callable[[Callable[_Parameters, _Result]], Callable[_Parameters, _Result]]:
    """Let a function, plain or `async`, run only as Placet allows it, call by call.

        @guard(action="export", resource=lambda table, **_: f"table:{table}", wait=3600)
        async def export(table: str, limit: int = 100) -> None: ...

    What is asked may be callables of the call's arguments, which they get by parameter name, defaults included; they
    are called again right before the run and must then say the same. `subject` is by default the caller itself,
    `context` all arguments (of a method without `self`), so that other arguments need another approval. An argument
    that JSON cannot hold is a `ValueError`: give a `context` that says what matters of it. So is text that begins like
    JSON (`[pii]`), which a policy would not read as a list, unless its parameter is declared `str` or it is `Text`.

    `wait` is how many seconds people have for their reviews; without it `ApprovalPending` comes at once. A call is one
    execution: `request_id`, for example a tool-call id, lets the same call go on later. `client` is a `Client` for
    `async` functions, or what makes one for each call; by default one from the environment that `understands` these
    obligations. A plain function waits in its thread, so not in one whose event loop runs.

    Raises `Denied`, `ApprovalPending`, `ArgumentsChanged`, `GrantInvalid` or `CallError` before the function begins.
    """
    asking = _Asking(action, resource, subject, on_behalf_of, properties, context, justification, request_id)

    def decorated(function: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
        is_async = _is_async(function)
        guarded = _Guarded(function, asking, wait or 0, _connecting(client, understands, is_async=is_async))
        if is_async:

            @functools.wraps(function)
            async def run(*arguments: _Parameters.args, **named: _Parameters.kwargs) -> Any:
                return await guarded.awaited(guarded.bound(*arguments, **named))

            return cast("Callable[_Parameters, _Result]", run)

        @functools.wraps(function)
        def call(*arguments: _Parameters.args, **named: _Parameters.kwargs) -> _Result:
            return cast("_Result", guarded.called(guarded.bound(*arguments, **named)))

        return call

    return decorated


@dataclass(frozen=True, slots=True)
class _Asking:
    """What a call is asked about, as values or callables of its arguments."""

    action: str | Callable[..., str]
    resource: str | Callable[..., str]
    subject: str | Callable[..., str]
    on_behalf_of: Sequence[str] | Callable[..., Sequence[str]]
    properties: Mapping[str, Any] | Callable[..., Mapping[str, Any]] | None
    context: Mapping[str, Any] | Callable[..., Mapping[str, Any]] | None
    justification: str | Callable[..., str]
    request_id: Callable[..., str] | None

    def request(self, caller: str, arguments: _Arguments, own: str, texts: Collection[str]) -> AuthorizeRequest:
        """The request about a call; `own` is the parameter that holds the method's object, where there is one.

        `texts` are the parameters that are declared as text.
        """
        context = _told(self.context, arguments)
        asked = question(
            _told(self.subject, arguments) or caller,
            _told(self.action, arguments),
            _told(self.resource, arguments),
            on_behalf_of=_told(self.on_behalf_of, arguments),
            properties=_told(self.properties, arguments),
            context=_as_context(arguments, own, texts) if context is None else context,
        )
        asked.justification = _told(self.justification, arguments)
        asked.request_id = self.request_id(**arguments) if self.request_id else ""
        return asked


class _Guarded:
    """One function behind its guard."""

    def __init__(self, function: Callable[..., Any], asking: _Asking, wait: float, connect: _Connect) -> None:
        self._function, self._asking, self._wait, self._connect = function, asking, wait, connect
        self._signature = inspect.signature(function)
        self._own = _own_parameter(function, self._signature)
        self._texts = {name for name, one in self._signature.parameters.items() if _is_text(one.annotation)}

    def bound(self, *arguments: Any, **named: Any) -> inspect.BoundArguments:
        """The arguments by parameter, defaults included: these are looked at, and the function gets these."""
        bound = self._signature.bind(*arguments, **named)
        bound.apply_defaults()
        return bound

    async def awaited(self, bound: inspect.BoundArguments) -> Any:
        """Ask, run and report, in the running loop."""
        async with self._connect() as client:
            enforcement = Enforcement(client)
            permit = await self._permit(enforcement, bound)
            try:
                result = await self._function(*bound.args, **bound.kwargs)
            except BaseException as error:
                await enforcement.report(permit, succeeded=False, detail=type(error).__name__)
                raise
            await enforcement.report(permit, succeeded=True)
            return result

    def called(self, bound: inspect.BoundArguments) -> Any:
        """The same around a plain function, which runs in this thread, outside of the loop that asks and reports."""
        if _loop_runs():
            raise RuntimeError("an event loop runs in this thread; guard an async function, or use asyncio.to_thread")
        with asyncio.Runner() as runner:
            closing = AsyncExitStack()
            try:
                enforcement = Enforcement(runner.run(self._entered(closing)))
                permit = runner.run(self._permit(enforcement, bound))
                try:
                    result = self._function(*bound.args, **bound.kwargs)
                except BaseException as error:
                    runner.run(enforcement.report(permit, succeeded=False, detail=type(error).__name__))
                    raise
                runner.run(enforcement.report(permit, succeeded=True))
                return result
            finally:
                runner.run(closing.aclose())

    async def _entered(self, closing: AsyncExitStack) -> Client:
        return await closing.enter_async_context(self._connect())

    async def _permit(self, enforcement: Enforcement, bound: inspect.BoundArguments) -> Permit:
        def build(caller: str) -> AuthorizeRequest:
            return self._asking.request(caller, bound.arguments, self._own, self._texts)

        return await enforcement.permit(build, wait=self._wait)


def _connecting(given: Client | _Connect | None, understands: Collection[str], *, is_async: bool) -> _Connect:
    """What gives each call its client; one that was given stays open."""
    if given is None:
        return functools.partial(_from_environment, understands)
    if understands:
        raise TypeError("understands is for the client from the environment; give it to the Client instead")
    if callable(given):
        return given
    if not is_async:
        raise TypeError("a Client belongs to its event loop; give a plain function what makes one: lambda: Client()")
    return lambda: nullcontext(given)


def _from_environment(understands: Collection[str]) -> Client:
    return Client(understands=understands)


def _is_async(function: Callable[..., Any]) -> bool:
    """Whether calling it gives an awaitable. `TypeError` for a generator, which runs only after its call."""
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError("a generator runs after its call has ended; guard the function that uses it")
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def _own_parameter(function: Callable[..., Any], signature: inspect.Signature) -> str:
    """The parameter that holds a method's object or class; empty for a plain function."""
    scope = getattr(function, "__qualname__", "").rpartition(".")[0]
    first = next(iter(signature.parameters), "")
    return first if scope and not scope.endswith("<locals>") and first in {"self", "cls"} else ""


def _told(value: "_Told | Callable[..., _Told]", arguments: _Arguments) -> _Told:
    return value(**arguments) if callable(value) else value


def _is_text(annotation: object) -> bool:
    """Whether a parameter is declared as text: `str`, also in a union, and also as a postponed annotation."""
    if isinstance(annotation, str):
        return "str" in {part.strip() for part in annotation.removeprefix("Optional[").rstrip("]").split("|")}
    return annotation is str or (
        get_origin(annotation) in {Union, UnionType, Annotated} and any(map(_is_text, get_args(annotation)))
    )


def _as_context(arguments: _Arguments, own: str, texts: Collection[str]) -> _Arguments:
    """The arguments by parameter name, if JSON can hold them.

    Text that begins like JSON is refused, unless its parameter is declared as text.
    """
    context = {name: value for name, value in arguments.items() if name != own}
    for name, value in context.items():
        if isinstance(value, str) and name in texts:
            context[name] = Text(value)
        elif isinstance(value, str) and resembles_json(value):
            raise ValueError(f"argument {name} is text that begins like JSON; declare {name}: str, or pass the value")
        try:
            struct({name: context[name]}, name)
        except ValueError:
            raise ValueError(f"argument {name} is a value that JSON cannot hold; give guard a context") from None
    return context


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
