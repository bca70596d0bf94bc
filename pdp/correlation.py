"""The id by which the caller knows the present HTTP request (`X-Request-ID`). Each line of the log about it has it.

It is not the idempotent `request_id` of a question.
"""

from contextvars import ContextVar

_present: ContextVar[str] = ContextVar("request_id", default="")


def begin(request_id: str) -> None:
    """A request begins. What its call starts and awaits belongs to it, too."""
    _present.set(request_id)


def present() -> str:
    """The id of the present request; empty outside of one."""
    return _present.get()
