"""The text of the metrics: of one process, and of several together."""

from pdp import metrics
from pdp.instrument import Counter, Histogram
from pdp.server.exposition import summed, text
from tests.scrape import samples

FIRST = """\
# HELP pdp_decisions_total Decisions.
# TYPE pdp_decisions_total counter
pdp_decisions_total{effect="allow"} 3
# TYPE pdp_stage_seconds histogram
pdp_stage_seconds_bucket{stage="opa",le="0.1"} 1
pdp_stage_seconds_bucket{stage="opa",le="+Inf"} 2
pdp_stage_seconds_count{stage="opa"} 2
pdp_stage_seconds_sum{stage="opa"} 1.5
# TYPE pdp_in_flight gauge
pdp_in_flight 4
# TYPE pdp_approvals_open gauge
pdp_approvals_open 7
# TYPE pdp_dependency_up gauge
pdp_dependency_up{name="opa"} 1
pdp_dependency_up{name="mongodb"} 1
# TYPE pdp_policy_info gauge
pdp_policy_info{revision="a"} 1
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 100
# TYPE process_start_time_seconds gauge
process_start_time_seconds 10
"""
SECOND = """\
# TYPE pdp_decisions_total counter
pdp_decisions_total{effect="allow"} 4
pdp_decisions_total{effect="deny"} 1
# TYPE pdp_stage_seconds histogram
pdp_stage_seconds_bucket{stage="opa",le="0.1"} 5
pdp_stage_seconds_bucket{stage="opa",le="+Inf"} 5
pdp_stage_seconds_count{stage="opa"} 5
pdp_stage_seconds_sum{stage="opa"} 0.2
# TYPE pdp_in_flight gauge
pdp_in_flight 6
# TYPE pdp_dependency_up gauge
pdp_dependency_up{name="opa"} 1
pdp_dependency_up{name="mongodb"} 0
# TYPE pdp_policy_info gauge
pdp_policy_info{revision="b"} 1
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 50
# TYPE process_start_time_seconds gauge
process_start_time_seconds 12
"""


def test_text_says_what_was_counted() -> None:
    before = samples(text())
    metrics.DECISIONS.at("deny").add()
    metrics.STAGES.at("settle").observe(0.003)
    metrics.IN_FLIGHT.at().add(2)
    after = samples(text())
    metrics.IN_FLIGHT.at().add(-2)

    def more(series: str) -> float:
        return after[series] - before.get(series, 0)

    assert more('pdp_decisions_total{effect="deny"}') == 1
    assert more('pdp_stage_seconds_bucket{le="0.0025",stage="settle"}') == 0
    assert more('pdp_stage_seconds_bucket{le="0.005",stage="settle"}') == 1
    assert more('pdp_stage_seconds_bucket{le="+Inf",stage="settle"}') == 1
    assert more('pdp_stage_seconds_count{stage="settle"}') == 1
    assert more("pdp_in_flight") == 2


def test_several_processes_are_one() -> None:
    whole = samples(summed([FIRST, SECOND]))
    assert whole == {
        'pdp_decisions_total{effect="allow"}': 7,
        'pdp_decisions_total{effect="deny"}': 1,
        'pdp_stage_seconds_bucket{le="0.1",stage="opa"}': 6,
        'pdp_stage_seconds_bucket{le="+Inf",stage="opa"}': 7,
        'pdp_stage_seconds_count{stage="opa"}': 7,
        'pdp_stage_seconds_sum{stage="opa"}': 1.7,
        "pdp_in_flight": 10,
        "pdp_approvals_open": 7,
        'pdp_dependency_up{name="opa"}': 1,
        'pdp_dependency_up{name="mongodb"}': 0,
        'pdp_policy_info{revision="a"}': 1,
        'pdp_policy_info{revision="b"}': 1,
        "process_resident_memory_bytes": 150,
        "process_start_time_seconds": 12,
    }
    assert samples(summed([summed([FIRST, SECOND])])) == whole


def test_counts_of_a_process_that_ended_stay_and_its_levels_go() -> None:
    kept = summed([], [FIRST])
    assert "pdp_in_flight" not in kept
    whole = samples(summed([SECOND], [kept]))
    assert whole['pdp_decisions_total{effect="allow"}'] == 7
    assert whole['pdp_stage_seconds_count{stage="opa"}'] == 7
    assert whole["pdp_in_flight"] == 6
    assert whole["process_resident_memory_bytes"] == 50


def test_own_text_can_be_summed() -> None:
    own = samples(text())
    twice = samples(summed([text(), text()]))
    assert own.keys() == twice.keys()
    for family in metrics.ALL:
        if isinstance(family, Counter | Histogram):
            assert all(twice[name] == 2 * value for name, value in own.items() if name.startswith(family.name + "_"))
