"""What a concern of the HTTP face offers and gets: routes, calls and answers, without a word of aiohttp.

1. A `Route` is for programs: it takes a credential and no cookie.
2. A `Page` is for people: it takes a session's cookie and no credential. An `Entrance` is a page without a session.
3. An `OpenRoute` is for everybody, and a `Hook` for another service, whose signature is its credential.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import orjson

from pdp.caller import ROLES, Caller
from pdp.deadline import DEFAULT_SECONDS, MAX_SECONDS
from pdp.errors import NotAllowed
from pdp.session import form_token
from pdp.workflow.sessions import Present

SMALL_BYTES = 64 * 1024
"""Bytes of a body with one question. A request has at most 32 KiB in canonical form; the rest is room for spaces."""
HOOK_BYTES = 512 * 1024
"""Bytes of a message of another service: a modal with its texts, percent-encoded in a form."""
LARGE_BYTES = 4 * 1024 * 1024
"""Bytes of a body with many."""
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Call:
    """A call whose caller is known and may call: everything that a behaviour needs of it.

    `parameters` are those of the path, `headers` the call's with names in lower case, `query` those of the target.
    `admitted` holds its place among all calls while its block runs; it is told how many questions the call is.
    """

    caller: Caller
    body: bytes
    headers: Mapping[str, str]
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    admitted: Callable[[int], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What leaves: `content` as JSON, or its bytes as they are."""

    content: Any
    status: int = 200
    media: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        """The bytes of the content."""
        return self.content if isinstance(self.content, bytes) else orjson.dumps(self.content)


@dataclass(frozen=True, slots=True)
class Stream(Answer):
    """An answer that goes on: its content is an asynchronous generator of bytes, and ends with it."""


Behaviour: TypeAlias = Callable[[Call], Awaitable[Answer]]
OpenBehaviour: TypeAlias = Callable[[Mapping[str, str]], Awaitable[Answer]]
"""What answers an open route: it gets the call's headers, with names in lower case."""


@dataclass(frozen=True, slots=True)
class Route:
    """One path of the face. `rpc` names the RPC whose row of the role table it takes.

    `seconds` is the limit of a call that waits for people; such a call has room of its own. Others that set no limit
    themselves have `usual_seconds`. `needs_body` says that there is no call without a body, `takes_gzip` that it may be
    compressed; `most_bytes` count when it is not. `searches` says that it takes the privilege to search, too.
    """

    method: str
    path: str
    rpc: str
    behaviour: Behaviour
    most_bytes: int = SMALL_BYTES
    seconds: float | None = None
    needs_body: bool = True
    searches: bool = False
    takes_gzip: bool = False
    usual_seconds: float = DEFAULT_SECONDS
    media: str = JSON

    def admit(self, caller: Caller) -> None:
        """Raise `NotAllowed` unless this caller may call."""
        caller.may_call(self.rpc)
        if self.searches:
            caller.require_search()


@dataclass(frozen=True, slots=True)
class OpenRoute:
    """A path for everybody, without a credential."""

    path: str
    behaviour: OpenBehaviour
    method: str = "GET"


class Holder(NamedTuple):
    """Whose session it is, and what its forms carry: the header of every page shows the one and sends the other."""

    identity: str
    form_token: str


@dataclass(frozen=True, slots=True)
class PageCall:
    """A call of a page by a person who is logged in. `form` has exactly the fields that the page names.

    `lasts` says whether the session still counts, as it is stored now.
    """

    caller: Caller
    present: Present
    form: Mapping[str, str]
    headers: Mapping[str, str]
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    admitted: Callable[[int], AbstractAsyncContextManager[None]]
    lasts: Callable[[], Awaitable[bool]]

    @property
    def form_token(self) -> str:
        """What each form of this session carries in its field `form`."""
        return form_token(self.present.secret)

    @property
    def holder(self) -> Holder:
        """Who is logged in."""
        return Holder(self.caller.identity, self.form_token)


@dataclass(frozen=True, slots=True)
class Visit:
    """A call of a page by somebody who need not be logged in. `source` is the address that it comes from."""

    source: str
    form: Mapping[str, str]
    headers: Mapping[str, str]
    query: Mapping[str, str]
    cookies: Mapping[str, str]


PageBehaviour: TypeAlias = Callable[[PageCall], Awaitable[Answer]]
EntranceBehaviour: TypeAlias = Callable[[Visit], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Page:
    """A page for a person with a session. `rpc` names the RPC whose row of the role table it takes.

    A POST has a form with exactly `fields`, each once, perhaps such as `others` names, and the session's token. What a
    person typed into those of `words` stays on the page where the POST is refused. `is_use` is false for what an open
    page asks by itself: its session does not last longer by that. Whom its row does not let in, a page that `hides`
    answers as if it did not exist.
    """

    method: str
    path: str
    rpc: str
    behaviour: PageBehaviour
    fields: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    most_bytes: int = SMALL_BYTES
    media: str = FORM
    needs_body: bool = True
    takes_gzip: bool = False
    is_use: bool = True
    others: re.Pattern[str] | None = None
    usual_seconds: float = DEFAULT_SECONDS
    hides: bool = False

    def admit(self, caller: Caller) -> None:
        """Raise `NotAllowed` unless this person may open it. It speaks of roles, for people know no RPC."""
        try:
            caller.may_call(self.rpc)
        except NotAllowed as error:
            raise NotAllowed(error.reason, _needed(caller, self.rpc)) from None


@dataclass(frozen=True, slots=True)
class Entrance:
    """A page without a session. Its form is read as it comes, and its behaviour looks for itself who sent it."""

    method: str
    path: str
    behaviour: EntranceBehaviour
    most_bytes: int = SMALL_BYTES
    media: str = FORM
    needs_body: bool = True
    takes_gzip: bool = False
    usual_seconds: float = MAX_SECONDS


@dataclass(frozen=True, slots=True)
class Hook:
    """A path for another service, which signs what it sends. `rpc` names the RPC that its messages lead to.

    `require` raises `Unauthenticated` by the headers (names in lower case), before the body is read. `behaviour` gets
    the raw body, and raises it where the signature does not fit.
    """

    path: str
    rpc: str
    require: Callable[[Mapping[str, str]], Awaitable[None]]
    behaviour: Callable[[Mapping[str, str], bytes], Awaitable[Answer]]
    media: str = FORM
    most_bytes: int = HOOK_BYTES
    method: str = "POST"
    needs_body: bool = True
    takes_gzip: bool = False
    usual_seconds: float = DEFAULT_SECONDS


AnyRoute: TypeAlias = Route | OpenRoute | Page | Entrance | Hook


def _needed(caller: Caller, rpc: str) -> str:
    """What a person lacks for a page, and what to do."""
    if caller.roles & ROLES[rpc]:
        return "this page is for people who act for themselves, and your login says that you act for somebody else"
    wanted = " or ".join(sorted(ROLES[rpc]))
    has = f"has {', '.join(sorted(caller.roles))}" if caller.roles else "has no role"
    return (
        f"this page needs the role {wanted}, and {caller.identity} {has}; "
        "ask those who run Placet for the role, then log out and log in again"
    )
