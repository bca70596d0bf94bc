"""The table of errors in docs/wire.md, from the classes of `pdp.errors` and the reasons of `pdp.reasons`."""

import importlib
import inspect
from collections.abc import Iterator, Mapping

from pages.markdown import prose, table

from pdp.errors import NotAllowed, NotFound, PdpError, SetupError
from pdp.grant import GrantInvalid
from pdp.reasons import NOT_ALLOWED, NOT_FOUND

BEGIN, END = "<!-- `make gen` makes the table -->", "<!-- the table ends -->"
SERVER = ("pdp.server.running", "pdp.service.mask")
"""The modules that import every part of a server, and so every error that it can send."""
_NEVER_SENT = (GrantInvalid, SetupError)
"""Raised where it is found: by a client, or before a server runs."""
_SOMETIMES = frozenset({"OUT_OF_TIME", "QUOTA_EXCEEDED", "REVIEW_TOO_SOON"})
"""Reasons of which an error says by itself whether a retry can help."""
_MANY: Mapping[type[PdpError], Mapping[str, str]] = {NotAllowed: NOT_ALLOWED, NotFound: NOT_FOUND}
_ELSEWHERE = ("pdp.client", "pdp.cli", "pdp.displayed")


def written(page: str) -> str:
    """The page with the table as it is now; as it is where it has no place for one."""
    if BEGIN not in page:
        return page
    before, rest = page.split(BEGIN)
    return "\n".join([f"{before}{BEGIN}", "", *rows(), f"{END}{rest.split(END)[1]}"])


def rows() -> Iterator[str]:
    """A line for each reason, by code."""
    for name in SERVER:
        importlib.import_module(name)
    found = {
        (kind.code, reason): (meaning, _retries(kind))
        for kind in _below(PdpError)
        if not issubclass(kind, _NEVER_SENT) and not kind.__module__.startswith(_ELSEWHERE)
        for reason, meaning in _MANY.get(kind, {kind.reason: inspect.getdoc(kind) or ""}).items()
    }
    found["INTERNAL", "INTERNAL"] = (
        "The server failed; the metadata has the `error_id` under which its log says how.",
        "",
    )
    lines = [(code, f"`{reason}`", prose(meaning), retry) for (code, reason), (meaning, retry) in sorted(found.items())]
    yield from table(("code", "reason", "meaning", "RetryInfo"), lines)


def _below(kind: type[PdpError]) -> Iterator[type[PdpError]]:
    """The subclasses; one with the reason of its base is told as that."""
    for below in kind.__subclasses__():
        if below.reason != kind.reason or below in _MANY:
            yield below
        yield from _below(below)


def _retries(kind: type[PdpError]) -> str:
    if kind.retry_seconds is not None:
        return "yes"
    return "where it can help" if kind.reason in _SOMETIMES else ""
