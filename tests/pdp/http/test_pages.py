"""What every page demands, and what every answer says: a page of our own on a face of our own."""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pdp.dev import identity
from pdp.dev.idp import Idp
from pdp.errors import NotFound
from pdp.http.login import ANYBODY, SESSION_COOKIE
from pdp.http.pages import NOTHING_HERE
from pdp.http.route import HTML, Answer, Entrance, Page, PageCall, Route
from pdp.process.mongod import MongodProcess
from pdp.session import form_token
from tests.browser import Browser, browser
from tests.parts import Placet, placet
from tests.web import send

WORDS = "I <b>typed</b> this\nand \u202ethat"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Pages(Idp):
    """The provider of `pdp dev`, and beside it pages to try."""

    state: Path
    got: list[Mapping[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.state)

    def routes(self, url: str, site: str = "") -> list[Entrance | Page]:  # type: ignore[override]
        return [
            *super().routes(url, site),
            Page("POST", "/inbox/try", ANYBODY, self.take, ("verdict", "reason"), ("reason",)),
            Page("GET", "/inbox/reviewers", "pdp.v1.ReviewService/ListQueue", self.show),
            Page("GET", "/inbox/approvals/{id}", ANYBODY, self.miss),
            Page("GET", "/inbox/broken", ANYBODY, self.fail),
        ]

    async def take(self, call: PageCall) -> Answer:
        async with call.admitted(1):
            self.got.append(call.form)
        return Answer(b"taken", media=HTML)

    async def show(self, call: PageCall) -> Answer:
        return Answer(f"{call.caller.identity} {call.query.get('a', '')}".encode(), media=HTML)

    async def miss(self, _: PageCall) -> Answer:
        raise NotFound("APPROVAL_NOT_FOUND", "the secret sentence")

    async def fail(self, _: PageCall) -> Answer:
        raise RuntimeError("the secret trace")


@pytest.fixture(scope="module")
def pages(state: Path) -> Pages:
    return Pages(state)


@pytest.fixture(scope="module")
async def own(state: Path, mongod: MongodProcess, pages: Pages) -> AsyncIterator[Placet]:
    async with placet(state, mongod.uri, demo=pages) as running:
        yield running


@pytest.fixture
async def bob(own: Placet) -> AsyncIterator[Browser]:
    async with browser(own.http) as person:
        assert (await person.log_in("bob")).status == 200
        yield person


def filled(bob: Browser, **changes: str | None) -> dict[str, str]:
    good = {"form": form_token(bob.cookie()), "verdict": "APPROVE", "reason": WORDS}
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


async def test_form_of_ones_own_page_is_taken(bob: Browser, pages: Pages) -> None:
    assert (await bob.post("/inbox/try", filled(bob))).text == "taken"
    assert pages.got[-1] == {"verdict": "APPROVE", "reason": WORDS}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example", "Sec_Fetch_Site": "cross-site"},
        {"Origin": "http://evil.localhost:1"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "none"},
    ],
)
async def test_form_from_another_site_or_sub_domain_is_refused(
    bob: Browser, pages: Pages, headers: dict[str, str]
) -> None:
    before = len(pages.got)
    refused = await bob.post("/inbox/try", filled(bob), **headers)
    assert (refused.status, len(pages.got)) == (403, before)
    assert "page of another site" in refused.text


async def test_form_without_an_origin_is_refused(bob: Browser) -> None:
    assert (await bob.send("POST", "/inbox/try", "a=b", **FORM)).status == 403


@pytest.mark.parametrize("token", [None, "", "x", "a" * 43])
async def test_form_without_the_sessions_token_is_refused_and_its_words_stay(
    bob: Browser, pages: Pages, token: str | None
) -> None:
    before = len(pages.got)
    refused = await bob.post("/inbox/try", filled(bob, form=token))
    assert (refused.status, len(pages.got)) == (403, before)
    assert "I &lt;b&gt;typed&lt;/b&gt; this\nand \\u{202e}that" in refused.text


async def test_token_of_another_session_is_refused(bob: Browser, own: Placet) -> None:
    async with browser(own.http) as carol:
        await carol.log_in("carol")
        assert (await bob.post("/inbox/try", filled(bob, form=form_token(carol.cookie())))).status == 403


async def test_words_stay_where_the_session_has_ended(bob: Browser) -> None:
    form = filled(bob)
    kept = bob.cookie()
    await bob.log_out()
    bob.keep(kept)
    refused = await bob.post("/inbox/try", form)
    assert refused.status == 401
    assert "I &lt;b&gt;typed&lt;/b&gt; this" in refused.text


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda body: body + "&extra=1", "extra"),
        (lambda body: body + "&verdict=DENY", "verdict"),
        (lambda body: body.replace("verdict=", "other="), "verdict"),
        (lambda body: body.replace("verdict=APPROVE", "verdict=%ff"), "verdict"),
        (lambda body: body.replace("verdict=APPROVE", "verdict=%zz"), "verdict"),
        (lambda body: body.replace("verdict=APPROVE", "verdict=\xe9"), "verdict"),
    ],
)
async def test_bad_form_is_refused_with_its_field_and_its_words_stay(
    bob: Browser, change: Callable[[str], str], named: str
) -> None:
    body = change(f"form={form_token(bob.cookie())}&verdict=APPROVE&reason=a+word")
    headers = {**FORM, "Origin": bob.home}
    refused = await bob.send("POST", "/inbox/try", body.encode(), **headers)
    assert refused.status == 400
    assert f"<code>{named}</code>" in refused.text
    assert "<pre>a word" in refused.text


@pytest.mark.parametrize("media", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
async def test_form_is_of_one_type(bob: Browser, media: str) -> None:
    headers = {"Content-Type": media, "Origin": bob.home}
    assert (await bob.send("POST", "/inbox/try", b"{}", **headers)).status == 400


async def test_form_has_a_size(bob: Browser) -> None:
    assert (await bob.post("/inbox/try", filled(bob, reason="x" * 66_000))).status == 413


async def test_method_is_not_overridden(bob: Browser) -> None:
    assert (await bob.get("/inbox/try", X_HTTP_Method_Override="POST")).status == 405


async def test_bearer_on_a_page_is_refused(bob: Browser) -> None:
    for authorization in ("Bearer x", "Basic x"):
        assert (await bob.get("/inbox/me", Authorization=authorization)).status == 400


async def test_cookie_on_an_api_route_is_refused(bob: Browser, own: Placet) -> None:
    refused = await send(
        own, "POST", "/access/v1/evaluation", "bob", {}, Cookie=f"a=b; {SESSION_COOKIE}={bob.cookie()}"
    )
    assert refused.status == 400
    assert "no cookie" in refused.json["detail"]
    assert (await send(own, "POST", "/access/v1/evaluation", "", {}, Cookie="other=1")).status == 401


async def test_every_api_refuses_a_session_and_every_page_a_token(bob: Browser, own: Placet) -> None:
    """Each with a good token and a good session, so that nothing else stands in the way."""
    headers = {"Authorization": f"Bearer {identity.token(own.state, 'bob')}", "Content-Type": "application/json"}
    for route in own.routes:
        if isinstance(route, Route | Page):
            refused = await bob.send(route.method, re.sub(r"{\w+}", "x", route.path), **headers)
            assert refused.status == 400, route.path
            assert ("send no cookie" if isinstance(route, Route) else "it takes no token") in refused.text, route.path


async def test_cookie_that_stands_twice_is_none(bob: Browser, own: Placet) -> None:
    twice = f"{SESSION_COOKIE}={bob.cookie()}; {SESSION_COOKIE}=x"
    async with browser(own.http) as other:
        assert (await other.get("/inbox/me", Cookie=twice)).status == 303


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost", "localhost.:1"])
async def test_another_host_is_misdirected(bob: Browser, host: str) -> None:
    for path in ("/inbox/me", "/login", "/logout", "/inbox/nothing"):
        refused = await bob.get(path, Host=host)
        assert refused.status == 421, path


async def test_what_is_not_ones_business_looks_like_what_does_not_exist(bob: Browser) -> None:
    def shape(text: str) -> str:
        return text.partition('<p class="small">')[0]

    missing, others = await bob.get("/inbox/nothing"), await bob.get("/inbox/approvals/apr_1")
    assert (missing.status, others.status) == (404, 404)
    assert shape(missing.text) == shape(others.text)
    assert NOTHING_HERE in missing.text
    assert "secret" not in others.text


async def test_page_of_a_failure_says_who_one_is_where_that_is_known(bob: Browser, own: Placet) -> None:
    forged = await bob.post("/inbox/try", filled(bob, form="x"))
    bad = await bob.post("/inbox/try", filled(bob, verdict=None))
    for page in (await bob.get("/inbox/nothing"), await bob.get("/inbox/approvals/apr_1"), forged, bad):
        assert 'You are <bdi class="value">user:bob</bdi>' in page.text, page.url
    async with browser(own.http) as stranger:
        assert "You are <bdi" not in (await stranger.post("/inbox/try", filled(bob))).text


async def test_what_is_wrong_with_a_form_is_said_once(bob: Browser) -> None:
    refused = await bob.post("/inbox/try", filled(bob, verdict=None))
    assert refused.text.count("is required") == 1
    assert "some of what was sent cannot be taken as it is" in refused.text


async def test_failure_of_our_own_shows_no_trace(bob: Browser) -> None:
    failed = await bob.get("/inbox/broken")
    assert failed.status == 500
    assert "secret" not in failed.text


async def test_page_takes_the_roles_of_its_rpc(bob: Browser, own: Placet) -> None:
    async with browser(own.http) as dana:
        await dana.log_in("dana")
        refused = await dana.get("/inbox/reviewers")
        assert refused.status == 403
        assert "this page needs the role reviewer, and user:dana has auditor" in refused.text
        assert "pdp.v1" not in refused.text
    assert (await bob.get("/inbox/reviewers?a=%C3%A9")).text == "user:bob é"
    assert (await bob.get("/inbox/reviewers?a=1&a=2")).status == 400
    assert (await bob.get("/inbox/reviewers?a=%ff")).status == 400


async def test_script_is_told_and_not_led_to_the_provider(own: Placet) -> None:
    async with browser(own.http) as stranger:
        assert (await stranger.get("/inbox/me", Sec_Fetch_Mode="cors")).status == 401


async def answers(bob: Browser) -> list[Any]:
    return [
        await bob.get("/inbox/me"),
        await bob.get("/inbox"),
        await bob.get("/inbox/style.css"),
        await bob.get("/inbox/nothing"),
        await bob.get("/inbox/broken"),
        await bob.get("/login"),
        await bob.get("/login/callback"),
        await bob.get("/inbox/me", Host="evil.example"),
        await bob.post("/inbox/try", {}),
        await bob.send("POST", "/logout/backchannel", "x=y", **FORM),
        await bob.get("/dev/idp/authorize"),
        await bob.log_out(),
    ]


async def test_every_answer_says_what_a_browser_must_not_do(bob: Browser) -> None:
    for answer in await answers(bob):
        found = {name: answer.headers.get(name) for name in HEADERS}
        assert found == HEADERS, answer.url
        assert "Strict-Transport-Security" not in answer.headers


HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; "
        "trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
