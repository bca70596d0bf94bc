"""What is known of the data is looked up before the policy is asked, or the question fails."""

import asyncio

import pytest

from pdp import deadline
from pdp.audit.record import Kind
from pdp.canonical import canonical
from pdp.lineage.view import State
from pdp.lineage_errors import LineageStale
from pdp.workflow.answer import Ask, Failed
from pdp.workflow.informing import Informing
from pdp.workflow.lineage_views import NO_LINEAGE, LineageViews
from tests.known import Known
from tests.parts import asking, payload
from tests.pdp.specimens import BOT


def ask(table: str = "t", at_least: int = 0, kind: str = "table") -> Ask:
    request = asking(resource={"type": kind, "id": table}, lineageAtLeast=str(at_least))
    return Ask(request, BOT, canonical(request, "dev"), 0)


async def informed(lineage: LineageViews, *asks: Ask | Failed, seconds: float = 0.05) -> list[Ask | Failed]:
    deadline.begin(seconds)
    return await Informing(lineage).informed(asks)


async def test_a_question_gets_what_is_known_of_its_data() -> None:
    known = Known({"t": {"email": ["pii"]}})
    [about_t, unknown, other] = await informed(known, ask(), ask("u"), ask(kind="service"))
    assert isinstance(about_t, Ask)
    assert isinstance(unknown, Ask)
    assert isinstance(other, Ask)
    assert (about_t.view.state, about_t.view.columns) == (State.KNOWN, {"email": ["pii"]})
    assert (unknown.view.state, unknown.view.tags) == (State.UNKNOWN, ["unclassified"])
    assert other.view.state is State.NONE


async def test_nobody_looked_is_never_taken_for_nothing_known() -> None:
    with pytest.raises(LookupError):
        _ = ask().view


async def test_a_view_that_is_there_and_what_failed_before_stay() -> None:
    known = Known({"t": {}})
    [first] = await informed(known, ask())
    failed = Failed(LineageStale("x"))
    known.say("t", email=["pii"])
    assert await informed(known, first, failed) == [first, failed]


async def test_without_the_newest_no_question_about_data_is_asked() -> None:
    known = Known({"t": {}}, stale=True)
    [stale, other] = await informed(known, ask(), ask(kind="service"))
    assert isinstance(stale, Failed)
    assert (stale.error.code, stale.error.reason) == ("UNAVAILABLE", "LINEAGE_STALE")
    assert [payload(entry.record)["kind"] for entry in stale.entries] == [Kind.ERROR]
    assert isinstance(other, Ask)


async def test_a_question_waits_for_the_revision_that_it_asks_for() -> None:
    known = Known({"t": {}})
    waiting = asyncio.create_task(informed(known, ask(at_least=2), seconds=5))
    await asyncio.sleep(0)
    known.say("t", email=["pii"])
    [found] = await waiting
    assert isinstance(found, Ask)
    assert found.view.tags == ["pii"]


async def test_of_many_only_those_fail_whose_revision_does_not_come() -> None:
    [early, late, plain] = await informed(Known({"t": {}}), ask(at_least=1), ask(at_least=9), ask())
    assert isinstance(early, Ask)
    assert isinstance(plain, Ask)
    assert isinstance(late, Failed)
    assert late.error.reason == "LINEAGE_STALE"


async def test_where_nothing_can_be_known_nobody_waits() -> None:
    known = Known()
    [other] = await informed(known, ask(at_least=9, kind="service"))
    [off] = await informed(NO_LINEAGE, ask(at_least=9))
    assert isinstance(other, Ask)
    assert isinstance(off, Ask)
    assert (known.waits, off.view.json) == ([], b'{"state":"OFF"}')
