"""Questions that are asked together: paced, taken apart where one is poison, and nobody pays for a stranger's."""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvloop

from pdp import deadline
from pdp.admission import SMALL
from pdp.errors import EngineUnavailable, PdpError, PolicyInvalid
from pdp.opa.batching import MANY_PACE_SECONDS, MAX_BYTES, MAX_ITEMS, MAX_OUTSTANDING, PACE_SECONDS, Batcher
from pdp.opa.quarantine import MANY_KINDS, Suspect
from pdp.opa.queries import About, Answers, OpaLate
from pdp.opa.waiting import PIECE, Question

FAILS, CRAWLS = b"fails", b"crawls"


@dataclass
class Simulator:
    """OPA's behaviour: what fails makes a whole query fail, what crawls makes it late; each input answers itself.

    `waits` holds every query up until it is set.
    """

    waits: asyncio.Event | None = None
    healthy: bool = True
    problem: str = "builtin_error"
    queries: list[list[bytes]] = field(default_factory=list)
    about: list[About] = field(default_factory=list)
    began: list[float] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def answers(
        self, about: About, inputs: Sequence[bytes], explained: Sequence[bool], *, lineages: Sequence[bytes]
    ) -> Answers:
        assert len(lineages) == len(inputs)
        self.queries.append(list(inputs))
        self.about.append(about)
        self.began.append(asyncio.get_running_loop().time())
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await (self.waits.wait() if self.waits else asyncio.sleep(0))
        finally:
            self.at_once -= 1
        if not self.healthy:
            raise OpaLate("late")
        if FAILS in inputs:
            raise PolicyInvalid(self.problem, "failed")
        if CRAWLS in inputs:
            raise OpaLate("late")
        return Answers(zip(inputs, explained, strict=True))

    async def is_healthy(self) -> bool:
        return self.healthy

    def sizes(self) -> list[int]:
        return [len(query) for query in self.queries]


def named(name: str, *inputs: bytes, explain: bool = False, action: str = "read") -> list[Question]:
    return [Question(one, Suspect(f"agent:{name}", action, "table"), explain) for one in inputs]


def good(name: str, count: int = 1) -> list[Question]:
    return named(name, *(b"%b-%d" % (name.encode(), number) for number in range(count)))


def flat(lists: Iterable[Iterable[Any]]) -> list[Any]:
    return [item for items in lists for item in items]


def kinds(answers: Sequence[Any]) -> list[type[Any]]:
    return [type(answer) for answer in answers]


async def all_of(*calls: Awaitable[list[Any]]) -> list[list[Any]]:
    async with asyncio.timeout(10):
        return await asyncio.gather(*calls)


async def until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


async def test_each_question_gets_its_own_answer_in_order() -> None:
    batcher = Batcher(Simulator())
    explained = named("a", b"1", explain=True)
    assert await batcher.ask([*named("a", b"2"), *explained, *named("b", b"1")]) == [
        (b"2", False),
        (b"1", True),
        (b"1", False),
    ]
    assert await batcher.ask([]) == []


async def test_lone_caller_does_not_wait_for_the_pace() -> None:
    engine, loop = Simulator(), asyncio.get_running_loop()
    batcher = Batcher(engine)
    asked = []
    for _ in range(5):
        asked.append(loop.time())
        await batcher.ask(good("a"))
    assert engine.sizes() == [1] * 5
    assert min(began - at for at, began in zip(asked, engine.began, strict=True)) < PACE_SECONDS / 2


async def test_calls_in_flight_together_become_one_query_and_starts_keep_the_pace() -> None:
    engine = Simulator()
    batcher = Batcher(engine)
    for count in (20, 7) * 5:
        await all_of(*(batcher.ask(good(f"{number}")) for number in range(count)))
    assert engine.sizes() == [20, 7] * 5
    gaps = [later - earlier for earlier, later in zip(engine.began, engine.began[1:], strict=False)]
    assert max(gaps[::2]) > PACE_SECONDS * 0.9  # 7 of 20 are not worth a query at once
    assert min(gaps[1::2]) < PACE_SECONDS  # 20 of 20 are


@pytest.mark.parametrize(("crowd", "least"), [(20, MANY_PACE_SECONDS), (8, 0.0)])
async def test_share_of_a_large_crowd_keeps_the_pace_of_many(crowd: int, least: float) -> None:
    engine = Simulator()
    batcher = Batcher(engine)
    for _ in range(10):
        await all_of(*(batcher.ask(good(f"{number}")) for number in range(crowd)))
    assert engine.sizes() == [crowd] * 10
    gaps = [later - earlier for earlier, later in zip(engine.began, engine.began[1:], strict=False)]
    assert least * 0.9 <= min(gaps) < least + MANY_PACE_SECONDS * 0.9


def test_crowds_are_answered_on_the_loop_that_servers_run_on() -> None:
    async def crowds() -> None:
        batcher = Batcher(Simulator())
        for count in (64, 3, 40, 64):
            answers = await all_of(*(batcher.ask(good(f"{number}")) for number in range(count)))
            assert len(answers) == count

    uvloop.run(crowds())


async def test_only_so_many_queries_are_outstanding() -> None:
    engine = Simulator(waits=asyncio.Event())
    batcher = Batcher(engine)
    calls = [asyncio.create_task(batcher.ask(good("a", MAX_ITEMS))) for _ in range(5)]
    await until(lambda: len(engine.queries) == MAX_OUTSTANDING)
    assert engine.waits is not None
    engine.waits.set()
    await all_of(*calls)
    assert engine.most_at_once == MAX_OUTSTANDING
    assert sum(engine.sizes()) == 5 * MAX_ITEMS


async def test_query_holds_so_many_items_and_so_many_bytes() -> None:
    engine = Simulator()
    batcher = Batcher(engine)
    assert len(await batcher.ask(good("a", MAX_ITEMS + 1))) == MAX_ITEMS + 1
    assert engine.sizes() == [MAX_ITEMS, 1]
    large = named("b", *(b"%d" % number + b"x" * (MAX_BYTES // 2) for number in range(4)))
    await batcher.ask(large)
    assert sum(engine.sizes()[2:]) == 4
    assert max(engine.sizes()[2:]) <= 2


async def test_strangers_question_is_in_the_next_query_whatever_another_caller_has_waiting() -> None:
    engine = Simulator(waits=asyncio.Event())
    batcher = Batcher(engine)
    noisy = asyncio.create_task(batcher.ask(good("noisy", 20 * MAX_ITEMS)))
    await until(lambda: len(engine.queries) == MAX_OUTSTANDING)
    stranger = asyncio.create_task(batcher.ask(good("stranger")))
    await asyncio.sleep(0)
    assert engine.waits is not None
    engine.waits.set()
    await all_of(noisy, stranger)
    assert b"stranger-0" in engine.queries[MAX_OUTSTANDING]
    assert sum(engine.sizes()) == 20 * MAX_ITEMS + 1


async def test_many_callers_share_a_query_by_the_time_that_opa_takes() -> None:
    engine = Simulator(waits=asyncio.Event())
    batcher = Batcher(engine)
    calls = [asyncio.create_task(batcher.ask(good("first", MAX_OUTSTANDING * MAX_ITEMS)))]
    await until(lambda: len(engine.queries) == MAX_OUTSTANDING)
    calls.append(asyncio.create_task(batcher.ask(named("large", *(b"%04d" % n + b"x" * 4092 for n in range(200))))))
    calls.append(asyncio.create_task(batcher.ask(good("small", 200))))
    await asyncio.sleep(0)
    assert engine.waits is not None
    engine.waits.set()
    await all_of(*calls)
    large = [one for one in engine.queries[MAX_OUTSTANDING] if not one.startswith(b"small")]
    assert len(large) == pytest.approx(MAX_ITEMS / 9, abs=PIECE)


async def test_questions_of_every_kind_ride_in_one_queue_each_kind_in_its_own_query() -> None:
    engine = Simulator(waits=asyncio.Event())
    batcher = Batcher(engine)
    held = [asyncio.create_task(batcher.ask(good("b", MAX_ITEMS))) for _ in range(MAX_OUTSTANDING)]
    await until(lambda: len(engine.queries) == MAX_OUTSTANDING)
    kinds_of = [About.MASKS, About.REVIEWS, About.ELIGIBLE, About.DECISIONS, About.REVIEWS]
    asked = [Question(b"%d" % index, Suspect("user:a"), about=about) for index, about in enumerate(kinds_of)]
    call = asyncio.create_task(batcher.each(asked))
    await asyncio.sleep(0)
    assert engine.waits is not None
    engine.waits.set()
    [answers, *_] = await all_of(call, *held)
    assert answers == [(b"%d" % index, False) for index in range(5)]
    later = zip(engine.about[MAX_OUTSTANDING:], engine.sizes()[MAX_OUTSTANDING:], strict=True)
    assert list(later) == [(About.MASKS, 1), (About.REVIEWS, 2), (About.ELIGIBLE, 1), (About.DECISIONS, 1)]


async def test_masks_of_a_wide_table_leave_room_for_strangers() -> None:
    """A noisy caller's columns are many questions, and a stranger's is in the next query."""
    engine = Simulator(waits=asyncio.Event())
    batcher = Batcher(engine)
    part = Question(b"x" * 10_000, Suspect("user:noisy"), about=About.MASKS)
    noisy = asyncio.create_task(batcher.each([part] * 256))
    await until(lambda: len(engine.queries) == MAX_OUTSTANDING)
    assert max(engine.sizes()) <= 3
    stranger = asyncio.create_task(batcher.ask(good("stranger")))
    await asyncio.sleep(0)
    assert engine.waits is not None
    engine.waits.set()
    await all_of(noisy, stranger)
    assert [b"stranger-0"] in engine.queries[MAX_OUTSTANDING : MAX_OUTSTANDING + 2]


async def test_slow_opa_is_asked_less_at_a_time() -> None:
    class Slow(Simulator):
        async def answers(
            self, about: About, inputs: Sequence[bytes], explained: Sequence[bool], *, lineages: Sequence[bytes]
        ) -> Answers:
            found = await super().answers(about, inputs, explained, lineages=lineages)
            found.seconds = 0.002 * len(inputs)
            return found

    engine = Slow()
    batcher = Batcher(engine)
    for _ in range(6):
        await batcher.ask(good("a", MAX_ITEMS))
    assert engine.sizes()[0] == MAX_ITEMS
    assert 1 <= max(engine.sizes()[-3:]) <= MAX_ITEMS // 4


async def test_opa_is_asked_as_much_where_only_the_way_to_it_is_slow() -> None:
    class Far(Simulator):
        async def answers(
            self, about: About, inputs: Sequence[bytes], explained: Sequence[bool], *, lineages: Sequence[bytes]
        ) -> Answers:
            await asyncio.sleep(0.1)
            found = await super().answers(about, inputs, explained, lineages=lineages)
            found.seconds = 0.00005 * len(inputs)
            return found

    engine = Far()
    batcher = Batcher(engine)
    for _ in range(6):
        await batcher.ask(good("a", MAX_ITEMS))
    assert engine.sizes() == [MAX_ITEMS] * 6


async def test_where_each_answer_is_needed_the_first_error_is_raised() -> None:
    batcher = Batcher(Simulator())
    with pytest.raises(PolicyInvalid):
        await batcher.each([*good("a"), *named("a", FAILS)])


@pytest.mark.parametrize("ends", ["cancelled", "late"])
async def test_call_that_ends_takes_its_questions_back(ends: str) -> None:
    engine = Simulator(waits=asyncio.Event())
    batcher = Batcher(engine)
    held = [asyncio.create_task(batcher.ask(good("b", MAX_ITEMS))) for _ in range(MAX_OUTSTANDING)]
    await until(lambda: len(engine.queries) == MAX_OUTSTANDING)

    async def hurried() -> list[Any]:
        deadline.begin(0.05 if ends == "late" else None)
        return await batcher.ask(good("a", 1000))

    call = asyncio.create_task(hurried())
    await until(lambda: len(batcher._waiting) == 1000 / PIECE)
    if ends == "cancelled":
        call.cancel()
    await asyncio.wait({call})
    assert not batcher._waiting
    assert engine.waits is not None
    engine.waits.set()
    await all_of(*held)


@pytest.mark.parametrize(("poison", "error"), [(FAILS, PolicyInvalid), (CRAWLS, OpaLate)])
async def test_poison_fails_alone_and_strangers_are_answered(poison: bytes, error: type[PdpError]) -> None:
    engine = Simulator()
    batcher = Batcher(engine)
    theirs, mine = await all_of(batcher.ask(good("b", 9)), batcher.ask([*good("a", 3), *named("a", poison)]))
    assert theirs == [(b"b-%d" % number, False) for number in range(9)]
    assert kinds(mine) == [tuple, tuple, tuple, error]


async def test_culprits_caller_is_asked_by_itself_afterwards_one_question_at_a_time() -> None:
    engine = Simulator()
    batcher = Batcher(engine)
    await all_of(batcher.ask(good("b")), batcher.ask(named("a", FAILS)))
    engine.queries.clear()
    answers = await all_of(batcher.ask([*good("a", 3), *named("a", FAILS)]), batcher.ask(good("b", 3)))
    assert kinds(answers[0]) == [tuple, tuple, tuple, PolicyInvalid]
    assert kinds(answers[1]) == [tuple] * 3
    assert sorted(engine.sizes()) == [1, 1, 1, 1, 3]


async def test_caller_whose_questions_crawl_rests_and_is_told_at_once() -> None:
    engine = Simulator()
    batcher = Batcher(engine)
    assert kinds(await batcher.ask(named("a", CRAWLS))) == [OpaLate]
    asked = len(engine.queries)
    assert kinds(await batcher.ask(good("a", 5))) == [OpaLate] * 5
    assert len(engine.queries) == asked
    assert kinds(await batcher.ask(good("b"))) == [tuple]


async def test_failing_questions_do_not_make_their_caller_rest() -> None:
    batcher = Batcher(Simulator())
    for _ in range(2):
        assert kinds(await batcher.ask([*named("a", FAILS), *good("a")])) == [PolicyInvalid, tuple]


async def test_while_opa_is_not_healthy_nothing_is_asked_again_and_nobody_is_convicted() -> None:
    engine = Simulator(healthy=False)
    batcher = Batcher(engine)
    assert kinds(flat(await all_of(batcher.ask(good("a", 4)), batcher.ask(good("b", 4))))) == [OpaLate] * 8
    assert engine.sizes() == [8]
    engine.healthy = True
    assert kinds(flat(await all_of(batcher.ask(good("a", 4)), batcher.ask(good("b", 4))))) == [tuple] * 8
    assert engine.sizes() == [8, 8]


async def test_problem_of_the_whole_policy_is_nobodys_fault() -> None:
    engine = Simulator(problem="undefined")
    batcher = Batcher(engine)
    answers = await all_of(batcher.ask(good("b", 3)), batcher.ask(named("a", FAILS)))
    assert kinds(flat(answers)) == [PolicyInvalid] * 4
    assert engine.sizes() == [4]


async def test_call_whose_time_is_over_is_told_so_and_is_asked_for_no_more() -> None:
    engine = Simulator(waits=asyncio.Event())
    batcher = Batcher(engine)
    held = [asyncio.create_task(batcher.ask(good("b", MAX_ITEMS))) for _ in range(MAX_OUTSTANDING)]
    await until(lambda: len(engine.queries) == MAX_OUTSTANDING)

    async def hurried() -> list[Any]:
        deadline.begin(0.05)
        return await batcher.ask(good("a", 1 + SMALL))

    assert set(kinds(await asyncio.create_task(hurried()))) == {EngineUnavailable}
    assert engine.waits is not None
    engine.waits.set()
    await all_of(*held)
    await batcher.ask(good("c"))
    assert b"a-0" not in flat(engine.queries)


@pytest.mark.parametrize(("culprit", "error"), [(CRAWLS, OpaLate), (FAILS, PolicyInvalid)])
async def test_other_questions_of_the_culprits_caller_stay_in_the_crowd(culprit: bytes, error: type[PdpError]) -> None:
    opa = Simulator()
    batcher = Batcher(opa)
    assert kinds(await batcher.ask([*named("a", culprit, action="export"), *good("a", 3)])) == [error, *[tuple] * 3]
    opa.queries.clear()
    assert kinds(await batcher.ask(good("a", 5))) == [tuple] * 5
    assert opa.sizes() == [5]
    apart = await batcher.ask([*named("a", b"fine", action="export"), *good("a", 5)])
    assert kinds(apart)[1:] == [tuple] * 5
    assert 5 in opa.sizes()[1:]


async def test_caller_with_culprits_of_many_kinds_is_asked_alone_with_everything() -> None:
    opa = Simulator()
    batcher = Batcher(opa)
    for number in range(MANY_KINDS + 2):
        await batcher.ask(named("a", FAILS, action=f"export-{number}"))
    opa.queries.clear()
    assert kinds(await batcher.ask(good("a", 3))) == [tuple] * 3
    assert opa.sizes() == [1, 1, 1]
