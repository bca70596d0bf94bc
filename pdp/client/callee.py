"""What a guarded function is: when it runs, what it gives, and which of its arguments is a method's own object."""

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any

_GENERATOR = "a generator runs after its call has ended; guard the function that uses it"


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling it gives an awaitable.

    `TypeError` for what runs only after its call: a generator, and a plain wrapper around a generator or coroutine
    function.
    """
    if isinstance(function, classmethod | staticmethod):
        raise TypeError("guard the function itself: write @guard below @classmethod or @staticmethod")
    if _is_generator(function):
        raise TypeError(_GENERATOR)
    if _is_coroutine(function):
        return True
    for wrapped in _wrapped_by(function):
        if _is_generator(wrapped):
            raise TypeError(_GENERATOR)
        if _is_coroutine(wrapped):
            raise TypeError("a plain wrapper of an async function gives what runs after its call; make it async")
    return False


def declared(function: Callable[..., Any]) -> dict[str, Any]:
    """What each parameter is declared as, where that can be found: of `*rest: int` it is a tuple."""
    try:
        parameters = inspect.signature(function, eval_str=True).parameters
    except Exception:  # noqa: BLE001  # what a postponed annotation raises as it is evaluated
        parameters = inspect.signature(function).parameters
    return {name: _kind(one) for name, one in parameters.items() if one.annotation is not inspect.Parameter.empty}


def _kind(parameter: inspect.Parameter) -> Any:
    kind: Any = parameter.annotation
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        return tuple[kind, ...]
    return dict[str, kind] if parameter.kind is inspect.Parameter.VAR_KEYWORD else kind


def later(result: Any) -> str:
    """What a result is that stands for a run that comes later. Empty for any other."""
    if inspect.isawaitable(result):
        return "an awaitable"
    return "an iterator" if isinstance(result, Iterator | AsyncIterator) else ""


async def closed(result: Any) -> None:
    """End what would run later, so that it does not."""
    with suppress(Exception):  # it has its error already
        for name in ("aclose", "close", "cancel"):
            end = getattr(result, name, None)
            if callable(end):
                ended = end()
                if inspect.isawaitable(ended):
                    await ended
                return


def is_own(run: Callable[..., Any], first: Any) -> bool:
    """Whether `first`, the first argument of a call of `run`, is the object or class whose method that is.

    It is where its class keeps `run` as a method, under any name and decorators that show what they wrap. A static
    method has no such argument.
    """
    return any(_keeps(kind, run, classmethod) for kind in getattr(first, "__mro__", ()) if isinstance(first, type)) or (
        any(_keeps(kind, run, None) for kind in type(first).__mro__)
    )


def _keeps(kind: type, run: Callable[..., Any], through: type | None) -> bool:
    """Whether a class keeps `run` as a class method, or else as a method."""
    for held in vars(kind).values():
        bound = held
        if through is not None:
            if not isinstance(held, through):
                continue
            bound = held.__func__  # type: ignore[attr-defined]
        elif isinstance(held, classmethod | staticmethod):
            continue
        elif isinstance(held, property):
            bound = held.fget
        if bound is run or any(wrapped is run for wrapped in _wrapped_by(bound)):
            return True
    return False


def _wrapped_by(function: Any) -> Iterator[Any]:
    """What a function says it wraps, layer by layer."""
    seen = set[int]()
    while id(function) not in seen:
        seen.add(id(function))
        inner = _inner(function)
        if inner is None:
            return
        function = inner
        yield function


def _inner(function: Any) -> Any:
    """What one layer wraps; no answer counts that an object makes up for any name."""
    if isinstance(function, functools.partial):
        return function.func
    if inspect.ismethod(function):
        return function.__func__
    return inspect.getattr_static(function, "__wrapped__", None)


def _is_generator(function: Any) -> bool:
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def _is_coroutine(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)
