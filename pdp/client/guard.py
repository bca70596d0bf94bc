"""`guard`: a function that runs only with a checked grant for exactly the arguments that it is about to get."""

import asyncio
import functools
import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, ParamSpec, TypeVar, Union, cast, get_args, get_origin

from pdp.client import callee
from pdp.client.argument_copies import copied
from pdp.client.connection import Client
from pdp.client.enforcement import Enforcement, Permit
from pdp.client.hidden_state import holds_model, lacks
from pdp.client.json_value import NoJsonForm, json_value
from pdp.client.question import question, struct
from pdp.text import Text, resembles_json
from pdp.v1.decision_pb2 import AuthorizeRequest

_Connect = Callable[[], AbstractAsyncContextManager[Client]]
_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")
_Told = TypeVar("_Told")
_Arguments = Mapping[str, Any]
_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


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
    `context` all arguments (of a method without `self`), so that other arguments need another approval. The function
    gets copies of lists, dicts, models and the like, made before the question (`argument_copies`). An argument without
    a JSON form (`json_value`) is a `ValueError`: give a `context` that says what matters of it. So is text that begins
    like JSON (`[pii]`), which a policy reads as no list, unless its parameter is declared `str`, or it is `Text`.

    `wait` is how many seconds people have for their reviews; without it `ApprovalPending` comes at once. A call is one
    execution: `request_id`, for example a tool-call id, lets the same call go on later, once. `client` is a `Client`
    for `async` functions, or what makes one for each call; by default one from the environment that `understands` these
    obligations. A plain function waits in its thread, so not in one whose event loop runs.

    Raises `Denied`, `ApprovalPending`, `ArgumentsChanged`, `GrantInvalid` or `CallError` before the function begins. A
    function that gives an awaitable or an iterator is a `TypeError`: what runs after its call is not guarded.
    """
    asking = _Asking(action, resource, subject, on_behalf_of, properties, context, justification, request_id)

    def decorated(function: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
        is_async = callee.is_async(function)
        guarded = _Guarded(function, asking, wait or 0, _connecting(client, understands, is_async=is_async))
        if is_async:

            @functools.wraps(function)
            async def run(*arguments: _Parameters.args, **named: _Parameters.kwargs) -> Any:
                return await guarded.awaited(guarded.call(run, *arguments, **named))

            return cast("Callable[_Parameters, _Result]", run)

        @functools.wraps(function)
        def call(*arguments: _Parameters.args, **named: _Parameters.kwargs) -> _Result:
            return cast("_Result", guarded.called(guarded.call(call, *arguments, **named)))

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

    def request(self, caller: str, call: "_Call", texts: Collection[str], kinds: _Arguments) -> AuthorizeRequest:
        """The request about a call. `texts` are the parameters declared as text, `kinds` what each is declared as."""
        arguments = call.bound.arguments
        context = _told(self.context, arguments)
        asked = question(
            _told(self.subject, arguments) or caller,
            _told(self.action, arguments),
            _told(self.resource, arguments),
            on_behalf_of=_told(self.on_behalf_of, arguments),
            properties=_told(self.properties, arguments),
            context=_as_context(call, texts, kinds) if context is None else context,
        )
        asked.justification = _told(self.justification, arguments)
        asked.request_id = self.request_id(**arguments) if self.request_id else ""
        return asked


@dataclass(frozen=True, slots=True)
class _Call:
    """One call's arguments by parameter, defaults included: these are asked about, and the function gets these.

    `own` is the parameter that holds the method's object, where there is one. `shared` are those that could not be
    copied.
    """

    bound: inspect.BoundArguments
    own: str
    shared: Collection[str]


class _Guarded:
    """One function behind its guard."""

    def __init__(self, function: Callable[..., Any], asking: _Asking, wait: float, connect: _Connect) -> None:
        self._function, self._asking, self._wait, self._connect = function, asking, wait, connect
        self._signature = inspect.signature(function)
        first = next(iter(self._signature.parameters.values()), None)
        self._first = first.name if first is not None and first.kind in _BY_PLACE else ""
        self._texts = {name for name, one in self._signature.parameters.items() if _is_text(one.annotation)}

    def call(self, run: Callable[..., Any], /, *arguments: Any, **named: Any) -> _Call:
        """A call of `run`, as which the function is known."""
        bound = self._signature.bind(*arguments, **named)
        bound.apply_defaults()
        own = self._first if arguments and self._first and callee.is_own(run, arguments[0]) else ""
        made, shared = copied({name: value for name, value in bound.arguments.items() if name != own})
        bound.arguments |= made
        return _Call(bound, own, shared)

    async def awaited(self, call: _Call) -> Any:
        """Ask, run and report, in the running loop."""
        async with self._connect() as client:
            enforcement = Enforcement(client)
            permit = await self._permit(enforcement, call)
            try:
                result = await self._function(*call.bound.args, **call.bound.kwargs)
                await self._require_ended(result)
            except BaseException as error:
                await enforcement.report(permit, succeeded=False, detail=type(error).__name__)
                raise
            await enforcement.report(permit, succeeded=True)
            return result

    def called(self, call: _Call) -> Any:
        """The same around a plain function, which runs in this thread, outside of the loop that asks and reports."""
        if _loop_runs():
            raise RuntimeError("an event loop runs in this thread; guard an async function, or use asyncio.to_thread")
        with asyncio.Runner() as runner:
            closing = AsyncExitStack()
            try:
                enforcement = Enforcement(runner.run(self._entered(closing)))
                permit = runner.run(self._permit(enforcement, call))
                try:
                    result = self._function(*call.bound.args, **call.bound.kwargs)
                    runner.run(self._require_ended(result))
                except BaseException as error:
                    runner.run(enforcement.report(permit, succeeded=False, detail=type(error).__name__))
                    raise
                runner.run(enforcement.report(permit, succeeded=True))
                return result
            finally:
                runner.run(closing.aclose())

    async def _require_ended(self, result: Any) -> None:
        """Raise `TypeError` where the function has not run yet: its result is closed, so that it never does."""
        if what := callee.later(result):
            await callee.closed(result)
            raise TypeError(f"the guarded function gave {what}, which runs after its call; guard what uses it")

    async def _entered(self, closing: AsyncExitStack) -> Client:
        return await closing.enter_async_context(self._connect())

    async def _permit(self, enforcement: Enforcement, call: _Call) -> Permit:
        def build(caller: str) -> AuthorizeRequest:
            return self._asking.request(caller, call, self._texts, callee.declared(self._function))

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


def _told(value: "_Told | Callable[..., _Told]", arguments: _Arguments) -> _Told:
    return value(**arguments) if callable(value) else value


def _is_text(annotation: object) -> bool:
    """Whether a parameter is declared as text: `str`, also in a union, and also as a postponed annotation."""
    if isinstance(annotation, str):
        return "str" in {part.strip() for part in annotation.removeprefix("Optional[").rstrip("]").split("|")}
    return annotation is str or (
        get_origin(annotation) in {Union, UnionType, Annotated} and any(map(_is_text, get_args(annotation)))
    )


def _as_context(call: _Call, texts: Collection[str], kinds: _Arguments) -> _Arguments:
    """The arguments by parameter name, in their JSON forms.

    Text that begins like JSON is refused, unless its parameter is declared as text. So is what could not be copied.
    """
    return {
        name: _member(name, value, kinds.get(name), is_text=name in texts, is_shared=name in call.shared)
        for name, value in call.bound.arguments.items()
        if name != call.own
    }


def _member(name: str, value: Any, kind: Any, *, is_text: bool, is_shared: bool) -> Any:
    if is_shared:
        raise ValueError(f"argument {name} cannot be copied, so it could change before the run; give guard a context")
    try:
        member = _of_declared_class(name, value, json_value(value, name), kind)
    except NoJsonForm as error:
        raise ValueError(f"argument {error}; give guard a context that says what matters of it") from None
    member = Text(member) if is_text and isinstance(member, str) else member
    if isinstance(member, str) and resembles_json(member):
        raise ValueError(f"argument {name} is text that begins like JSON; declare {name}: str, or pass the value")
    try:
        struct({name: member}, name)
    except ValueError:
        raise ValueError(f"argument {name} is a value that JSON cannot hold; give guard a context") from None
    return member


def _of_declared_class(name: str, value: Any, form: Any, kind: Any) -> Any:
    """The form; `NoJsonForm` if it holds a model whose class only the value tells."""
    if holds_model(value) and (found := lacks(value, form, kind)):
        why = f"is of a class that its JSON form does not tell; declare {name} as that class"
        raise NoJsonForm(name + found[0], why)
    return form


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
