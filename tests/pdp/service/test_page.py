"""Pages: as many entries as one message should hold, made while others get their turns."""

import asyncio

import pytest

from pdp.approval import ApprovalAt
from pdp.canonical import canonical
from pdp.errors import InvalidRequest
from pdp.service import page
from pdp.service.slices import SLICE_BYTES, Slices
from pdp.turns import PIECE, Turns
from pdp.v1.approval_pb2 import ListApprovalsResponse
from tests.parts import asking
from tests.pdp.specimens import T0, approval

LARGE = canonical(asking(context={f"k{index}": index for index in range(1400)}), "dev")
"""A request of many small members: 16 KiB as text."""


def waiting(count: int, request: bytes) -> list[ApprovalAt]:
    return [ApprovalAt(approval(id=f"apr_{index:032x}", request=request), T0) for index in range(count)]


@pytest.mark.parametrize(("count", "shown", "token"), [(0, 0, ""), (2, 2, ""), (3, 3, ""), (4, 3, "2")])
def test_a_page_with_nothing_behind_it_says_so(count: int, shown: int, token: str) -> None:
    assert page.cut(list(range(count)), 3, str) == (list(range(shown)), token)


async def test_a_stranger_has_its_turn_before_the_second_next_large_entry() -> None:
    turns, answer, seen = Turns(), ListApprovalsResponse(), list[int]()
    filling = asyncio.create_task(page.fill(answer, waiting(20, LARGE.json), "", Slices(turns, "noisy")))
    while not filling.done():
        await turns.turn("stranger")
        seen.append(len(answer.approvals))
    assert max(later - earlier for earlier, later in zip([0, *seen], seen, strict=False)) <= 2
    assert len(answer.approvals) == 20


async def test_a_page_ends_before_it_is_too_large_and_goes_on_behind() -> None:
    answer, found = ListApprovalsResponse(), waiting(60, LARGE.json)
    token = await page.fill(answer, found, "end", Slices(Turns(), "a"))
    assert page.MAX_BYTES - 2 * len(LARGE.json) * 2 < answer.ByteSize() < page.MAX_BYTES + 4096
    assert token == answer.approvals[-1].approval_id == found[len(answer.approvals) - 1].approval.id
    rest = ListApprovalsResponse()
    assert await page.fill(rest, found[len(answer.approvals) :], "end", Slices(Turns(), "a")) == "end"


async def test_an_entry_larger_than_a_page_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MAX_BYTES", 1000)
    answer, found = ListApprovalsResponse(), waiting(2, LARGE.json)
    assert await page.fill(answer, found, "", Slices(Turns(), "a")) == found[0].approval.id
    assert len(answer.approvals) == 1


async def test_a_slice_ends_by_its_parts_or_its_bytes() -> None:
    turns, did = Turns(), list[str]()

    async def made(size: int, parts: int) -> None:
        slices = Slices(turns, "a")
        for _ in range(parts):
            did.append("part")
            await slices.behind(size)

    for size, most in ((0, PIECE), (SLICE_BYTES, 1), (SLICE_BYTES // 2, 2)):
        did.clear()
        task = asyncio.create_task(made(size, 3 * PIECE))
        await asyncio.sleep(0)
        assert len(did) == most
        await task


@pytest.mark.parametrize("asked", [-1, 101])
def test_sizes_that_no_page_has_are_refused(asked: int) -> None:
    with pytest.raises(InvalidRequest):
        page.size(asked)
