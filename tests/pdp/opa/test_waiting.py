"""What of a call's questions is not answered yet."""

import asyncio

from pdp.opa.quarantine import Suspect
from pdp.opa.sharing import OFF
from pdp.opa.waiting import BYTES_OF_EACH, UNANSWERED, Group, Item, Question, size


def question(text: bytes) -> Question:
    return Question(text, Suspect("agent:a"))


async def test_call_goes_on_when_it_has_all_its_answers_in_their_order() -> None:
    group = Group([question(b"0"), question(b"1")], asyncio.get_running_loop().create_future())
    first, second = Item(group, 0), Item(group, 1)
    second.settle("b")
    assert (group.answers, group.missing, first.is_waited_for) == ([UNANSWERED, "b"], 1, True)
    first.settle("a")
    assert (group.answers, group.missing, first.is_waited_for) == (["a", "b"], 0, False)


async def test_answer_that_comes_after_its_call_ended_harms_nobody() -> None:
    group = Group([question(b"0")], asyncio.get_running_loop().create_future())
    group.done.cancel()
    Item(group, 0).settle("late")
    assert group.answers == ["late"]


def test_smallest_question_weighs_what_opa_needs_for_it() -> None:
    assert [size([question(b"")]) - len(OFF), size([question(b"x" * 4000)]) - len(OFF)] == [BYTES_OF_EACH, 4000]
