"""What a guarded function is, as it is decorated, as its class keeps it, and by what it gives."""

import asyncio
import functools
import io
from collections.abc import Callable
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from pdp.client import callee


async def later() -> int:
    return 1


def rows() -> Any:
    yield 1


async def pages() -> Any:
    yield 1


def wrapper(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        return function(*arguments, **named)

    return wrapped


class Later:
    async def __call__(self) -> int:
        return 1


@pytest.mark.parametrize("function", [later, functools.partial(later), Later()])
def test_what_gives_an_awaitable_is_async(function: Any) -> None:
    assert callee.is_async(function)


@pytest.mark.parametrize("function", [print, wrapper(print), lambda: 1, functools.partial(print, 1)])
def test_what_runs_in_its_call_is_plain(function: Any) -> None:
    assert not callee.is_async(function)


@pytest.mark.parametrize(
    "function",
    [
        rows,
        pages,
        wrapper(rows),
        wrapper(wrapper(later)),
        wrapper(pages),
        functools.partial(wrapper(later)),
        functools.lru_cache(later),
        contextmanager(rows),
        asynccontextmanager(pages),
        classmethod(print),
        staticmethod(print),
    ],
)
def test_what_runs_after_its_call_is_refused_as_it_is_decorated(function: Any) -> None:
    with pytest.raises(TypeError, match=r"after its call|below @classmethod"):
        callee.is_async(function)


async def test_results_of_runs_that_come_later_are_told_and_end() -> None:
    waits, task, pages_ = later(), asyncio.create_task(asyncio.sleep(60)), pages()
    generator, file = rows(), io.StringIO("a")
    kinds = {"an awaitable": (waits, task), "an iterator": (generator, pages_, file, map(str, []))}
    for what, results in kinds.items():
        for result in results:
            assert callee.later(result) == what
            await callee.closed(result)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert file.closed
    assert list(generator) == []
    assert [page async for page in pages_] == []
    with pytest.raises(RuntimeError, match="cannot reuse already awaited"):
        await waits
    for result in ([], "text", {1: 2}, None, range(3), object()):
        assert callee.later(result) == ""


def keeps(run: Callable[..., Any]) -> type:
    class Base:
        method = run
        other_name = wrapper(run)
        of_the_class = classmethod(run)
        value = property(run)

    class Derived(Base):
        pass

    return Derived


def test_method_is_known_by_where_its_class_keeps_it() -> None:
    def run(this: object) -> object:
        return this

    kind = keeps(run)
    assert callee.is_own(run, kind())
    assert callee.is_own(run, kind)
    assert not callee.is_own(run, object())
    assert not callee.is_own(run, "self")

    class Static:
        method = staticmethod(run)

    class Partly(Static):
        other = functools.partial(run)

    assert not callee.is_own(run, Static())
    assert not callee.is_own(run, Static)
    assert callee.is_own(run, Partly())


def test_object_that_answers_to_every_name_wraps_nothing() -> None:
    class Anything:
        def __getattr__(self, name: str) -> "Anything":
            return Anything()

    class Holds:
        anything = Anything()

    def run() -> None:
        """A function."""

    assert not callee.is_own(run, Holds())
    assert not callee.is_async(Anything().call)  # type: ignore[arg-type]
