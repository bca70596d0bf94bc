"""The page of a record over real HTTP: who sees it, all that it says, and what it finds wrong."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from pdp.http.pages import NOTHING_HERE
from pdp.process.mongod import MongodProcess
from tests.approvals_page import HOSTILE
from tests.browser import Browser, browser
from tests.parts import Placet, asking, placet
from tests.pdp.mongo import database

INTACT = "This record is in the log</strong> that the audit key signed"


@pytest.fixture(scope="module")
async def quiet(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server whose log is changed behind its back."""
    async with placet(state, mongod.uri) as running:
        yield running


@pytest.fixture(scope="module")
async def dana(quiet: Placet) -> AsyncIterator[Browser]:
    async with browser(quiet.http) as person:
        assert (await person.log_in("dana")).status == 200
        yield person


async def recorded(server: Placet, **context: Any) -> str:
    """The record of a decision."""
    return "rec_" + (await server.authorize(asking(context=context))).decision_id[4:]


def path(record_id: str) -> str:
    return f"/inbox/records/{record_id}"


async def test_auditor_sees_all_that_is_stored_and_where(quiet: Placet, dana: Browser, mongod: MongodProcess) -> None:
    record_id = await recorded(quiet, **{f"n{index}": text for index, text in enumerate(HOSTILE)}, last=7)
    await recorded(quiet)
    page = await dana.get(path(record_id))
    assert (page.status, INTACT in page.text, "The batch after it follows from it" in page.text) == (200, True, True)
    assert 'You are <bdi class="value">user:dana</bdi>' in page.text
    assert "<script>alert" not in page.text
    assert not {"\u202e", "\u200b", "\u2066", "\ufeff", "\x1b"} & set(page.text)
    async with database(mongod, quiet) as found:
        batch = await found["batches"].find_one({"ids": bytes.fromhex(record_id[4:])})
    assert batch is not None
    assert all(text in page.text for text in (batch["head"].hex(), batch["_id"]["writer"].hex(), record_id))
    for label in ("record.kind", "record.payload_sha256", "payload.request.context.n0", "payload.request.context.last"):
        assert f">{label}</dt>" in page.text, label
    assert f"pdp audit show {record_id}" in page.text


async def test_newest_batch_has_none_that_vouches_for_it(quiet: Placet, dana: Browser) -> None:
    page = await dana.get(path(await recorded(quiet)))
    assert INTACT in page.text
    assert "no later batch vouches for it yet" in page.text


async def test_decisions_id_leads_to_its_record(quiet: Placet, dana: Browser) -> None:
    record_id = await recorded(quiet)
    assert record_id in (await dana.get(path("dec_" + record_id[4:]))).text


async def test_for_others_it_is_as_if_there_were_none(quiet: Placet, dana: Browser) -> None:
    def shape(text: str) -> str:
        return text.partition("<h1")[2].partition('<p class="small">')[0]

    record_id = await recorded(quiet)
    missing = [await dana.get(path(name)) for name in (f"rec_{'0' * 32}", "x", "..%2fme")]
    async with browser(quiet.http) as bob:
        await bob.log_in("bob")
        hidden = [await bob.get(path(name)) for name in (record_id, f"rec_{'0' * 32}")]
        nothing = await bob.get("/inbox/nothing")
    assert {one.status for one in (*missing, *hidden, nothing)} == {404}
    assert {shape(one.text) for one in (*missing, *hidden)} == {shape(nothing.text)}
    assert NOTHING_HERE in nothing.text


async def test_page_takes_no_form_and_no_token(quiet: Placet, dana: Browser) -> None:
    record_id = await recorded(quiet)
    assert (await dana.get(path(record_id), Authorization="Bearer x")).status == 400
    assert (await dana.post(path(record_id), {})).status == 405


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda batch: batch["payloads"][0].update(payload=b"{}"), "payload at writer"),
        (lambda batch: batch["payloads"][0].update(payload=b"damaged"), "payload at writer"),
        (lambda batch: batch["payloads"][0].update(payload=None, salt=None), "payload-missing at writer"),
        (lambda batch: batch.update(signature=bytes(64)), "signature at writer"),
        (lambda batch: batch.update(head=bytes(32)), "head at writer"),
        (lambda batch: batch["records"].__setitem__(0, other(batch["records"][0])), "record at writer"),
        (lambda batch: batch.update(signature="x"), "signature at writer"),
        (lambda batch: batch.update(head=7), "head at writer"),
        (lambda batch: batch.pop("leaves"), "leaves at writer"),
        (lambda batch: batch.update(payloads=7), "payload-missing at writer"),
        (lambda batch: batch.update(payloads=["x"]), "payload-missing at writer"),
        (lambda batch: batch["payloads"][0].update(payload="x"), "payload-missing at writer"),
    ],
    ids=[
        "payload",
        "damaged",
        "erased",
        "signature",
        "head",
        "record",
        "s-text",
        "h-int",
        "leaves",
        "p-int",
        "p",
        "text",
    ],
)
async def test_what_was_changed_in_the_database_is_said(
    quiet: Placet, dana: Browser, mongod: MongodProcess, change: Any, said: str
) -> None:
    await recorded(quiet)  # what was changed before it is not beside it
    record_id = await recorded(quiet, value="as it was")
    async with database(mongod, quiet) as found:
        condition = {"ids": bytes.fromhex(record_id[4:])}
        batch = await found["batches"].find_one(condition)
        assert batch is not None
        change(batch)
        await found["batches"].replace_one(condition, batch)
    page = await dana.get(path(record_id))
    assert (page.status, INTACT in page.text) == (200, False)
    assert f"The log is not intact here:</strong> {said}" in page.text


@pytest.mark.parametrize("step", [-1, 1])
async def test_batch_beside_it_that_is_gone_is_said(
    quiet: Placet, dana: Browser, mongod: MongodProcess, step: int
) -> None:
    three = [await recorded(quiet) for _ in range(4)]
    async with database(mongod, quiet) as found:
        gone = await found["batches"].delete_one({"ids": bytes.fromhex(three[1 + step][4:])})
        assert gone.deleted_count == 1
    page = await dana.get(path(three[1]))
    assert "The log is not intact here:</strong> gap at writer" in page.text


def other(record: bytes) -> bytes:
    """The record, which says another effect."""
    members = orjson.loads(record)
    return orjson.dumps({**members, "effect": "DENY"})
