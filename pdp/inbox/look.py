"""How the pages look: templates that escape all that they are given, and show what would deceive people.

1. Every value is text. It passes `visible`, unless it is `Exact`, and then the escaping of HTML; nothing that others
   wrote becomes markup.
2. A template that misses a value fails, and shows nothing instead.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from pdp.http.pages import Failure
from pdp.http.route import HTML, Answer, Holder
from pdp.view.theirs import Theirs
from pdp.visible import foreign, visible

NAVIGATION = (("/inbox", "Queue"), ("/inbox/history", "History"), ("/inbox/me", "Me"))
"""Where each page leads. The template of a page says where it is: `{% set here = "/inbox/me" %}`."""


SUBJECTS: Mapping[str, str] = MappingProxyType(
    {
        "approval.created": "that it waits",
        "approval.reviewed": "how far it is",
        "approval.closed": "how it ended",
        "approval.consumed": "that it was used",
        "approval.reminded": "that it still waits",
        "approval.denial_taken_back": "that the denial was taken back",
        "outcome": "what came of it",
    }
)
"""What a message was about, by the name of its event, for people who do not know the names of events."""
_PLACES: Mapping[str, str] = MappingProxyType(
    {"API": "the terminal or a program", "WEB": "the inbox", "SLACK": "Slack", "TEAMS": "Microsoft Teams"}
)
"""Where a verdict was given, or counts, by the channel's name in the contract."""
_TITLES: Mapping[HTTPStatus, str] = MappingProxyType(
    {
        HTTPStatus.BAD_REQUEST: "That cannot be taken",
        HTTPStatus.UNAUTHORIZED: "You are not logged in",
        HTTPStatus.FORBIDDEN: "That is not allowed",
        HTTPStatus.NOT_FOUND: "Nothing is here",
        HTTPStatus.CONFLICT: "That does not fit how things are now",
        HTTPStatus.TOO_MANY_REQUESTS: "Too much at once",
        HTTPStatus.SERVICE_UNAVAILABLE: "Not available at the moment",
        HTTPStatus.GATEWAY_TIMEOUT: "That took too long",
    }
)
"""What a page of a failure is called: people do not know the words of HTTP."""


class Exact(NamedTuple):
    """A text that is escaped and otherwise as it is: one that is visible already, or one that a person edits."""

    text: str

    def __bool__(self) -> bool:
        """Whether there is any text."""
        return bool(self.text)


def _shown(value: Any) -> Any:
    """What a template writes of a value. Markup is of the templates themselves, as what a block or macro made."""
    if isinstance(value, Exact):
        return value.text
    if isinstance(value, Theirs):
        return value.visible
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _said(word: str) -> str:
    """A word of the contract as one reads it: `CHANGES_REQUESTED` is "changes requested"."""
    return word.replace("_", " ").lower()


def _place(channel: str) -> str:
    """A channel of reviews as people call it."""
    return _PLACES.get(channel, _said(channel))


def _foreign(text: str | Theirs) -> str:
    """The note of the characters outside ASCII of a text; empty without any."""
    return foreign(_shown(text))


def _utc(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


_ENVIRONMENT = Environment(
    loader=PackageLoader("pdp.inbox"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_shown,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_ENVIRONMENT.globals |= {"navigation": NAVIGATION, "subjects": SUBJECTS}
_ENVIRONMENT.filters |= {"exact": Exact, "foreign": _foreign, "place": _place, "said": _said, "utc": _utc}


def now() -> datetime:
    """The time of now, by which ages are told."""
    return datetime.now(UTC)


def page(template: str, members: Mapping[str, Any], holder: Holder | None = None) -> bytes:
    """The HTML of a template of this folder. Its header says whose session it is, and logs out."""
    return _ENVIRONMENT.get_template(f"{template}.html").render({**members, "holder": holder}).encode()


def shown(template: str, members: Mapping[str, Any], holder: Holder | None = None) -> Answer:
    """The answer with that page."""
    return Answer(page(template, members, holder), media=HTML)


def failed(failure: Failure) -> bytes:
    """The page of a failure."""
    title = _TITLES.get(failure.status, "That did not work")
    told = {**asdict(failure), "status": failure.status.value, "title": title}
    return page("failed", told, failure.holder)


def logged_out() -> bytes:
    """The page at the end of a session."""
    return page("logged_out", {})
