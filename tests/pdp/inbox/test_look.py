"""Templates show text of others as text, and nothing where a value is missing."""

import re
from datetime import UTC, datetime
from html import unescape
from http import HTTPStatus
from pathlib import Path

import pytest
from jinja2 import UndefinedError

import pdp.inbox
from pdp.http.pages import Failure
from pdp.inbox import look

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "\u202egnp.exe",
    "a\u200bb\x1b[31m",
    "&lt;b&gt;",
)
OURS = 1
"""Scripts of every page."""
AT = datetime(2026, 1, 1, tzinfo=UTC)
ME = {
    "identity": "user:bob",
    "roles": [],
    "groups": [],
    "elsewhere": [],
    "ends": AT,
    "latest": AT,
    "form_token": "t",
    "own": True,
    "passkeys": [{"id": "k", "added": AT, "counts": AT, "waits": True}],
    "may_add": False,
    "may_link": True,
    "fresh_login": "/login",
    "services": [{"kind": "slack", "name": "Slack"}, {"kind": "teams", "name": "Teams"}],
    "links": [{"account": "slack:T1/U1", "at": AT}],
    "tells": False,
    "told": None,
}


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("place", ["identity", "groups", "elsewhere", "form_token"])
def test_text_of_others_is_visible_text(place: str, text: str) -> None:
    value = [text, text] if place in {"groups", "elsewhere"} else text
    page = look.page("me", {**ME, place: value}).decode()
    assert (page.count("<script"), page.count("<img"), page.count("<b>")) == (OURS, 0, 0)
    assert "49" not in page
    assert not {"\u202e", "\u200b", "\x1b"} & set(page)
    if text == "javascript:alert(1)":
        assert "href=" + text not in page
    if text.isascii() and text.isprintable():
        assert text in unescape(page)


@pytest.mark.parametrize("text", HOSTILE)
def test_so_are_typed_words_and_the_names_of_fields(text: str) -> None:
    failure = Failure(HTTPStatus.BAD_REQUEST, text, [{"field": text, "description": text}], {text: f"{text}\nb"}, text)
    page = look.failed(failure).decode()
    assert (page.count("<script"), page.count("<img"), page.count("<b>")) == (OURS, 0, 0)
    assert not {"\u202e", "\u200b", "\x1b"} & set(page)
    assert "\nb\n</pre>" in page


def test_page_without_one_of_its_values_fails() -> None:
    with pytest.raises(UndefinedError):
        look.page("me", {name: value for name, value in ME.items() if name != "identity"})


def test_no_template_loads_or_runs_anything_from_elsewhere() -> None:
    folder = Path(pdp.inbox.__file__).parent
    for path in (*folder.glob("templates/**/*.html"), *folder.glob("static/*.css"), *folder.glob("static/*.js")):
        text = path.read_text()
        for bad in (
            "://",
            "style=",
            "<style",
            "|safe",
            "| safe",
            "autoescape",
            " url(",
            ":url(",
            "@import",
            "javascript:",
        ):
            assert bad not in text, (path, bad)
        assert not re.search(r"<[^>]*\son\w+=", text), path
    assert 'lang="en"' in (folder / "templates/page.html").read_text()
