"""What was refused because it was too much is counted, and no other error is."""

from pdp import metrics
from pdp.deadline import OutOfTime, Stage
from pdp.errors import EngineUnavailable, Overloaded
from pdp.shedding import MOST_NAMED, CallerOverLimit, Shedding


def test_refusals_are_counted_by_reason_and_taken_once() -> None:
    shedding = Shedding()
    before = [metrics.SHED.at(reason).value for reason in metrics.SHED_REASONS]
    assert shedding.taken() is None
    for error in (Overloaded(""), CallerOverLimit(""), Overloaded(""), EngineUnavailable(""), ValueError()):
        shedding.see(error)
    shedding.see(OutOfTime(Stage.TURN, 1, 2))
    shed = shedding.taken()
    assert shed is not None
    assert shed.reasons == {"OVERLOADED": 2, "CALLER_OVER_LIMIT": 1}
    assert shedding.taken() is None
    assert [metrics.SHED.at(reason).value for reason in metrics.SHED_REASONS] == [before[0] + 1, before[1] + 2]


def test_callers_with_most_refusals_are_named_and_a_crowd_takes_no_memory() -> None:
    shedding = Shedding()
    shedding.see(Overloaded(""))
    for number in range(5000):
        shedding.name(f"agent:{number}")
        shedding.name("agent:7")
    shed = shedding.taken()
    assert shed is not None
    assert len(shed.callers) == MOST_NAMED
    assert next(iter(shed.callers.items())) == ("agent:7", 5001)
