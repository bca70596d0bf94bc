"""What was asserted, beside the edges."""

from pdp.lineage.ledger import FORGOTTEN_MS, WEEK_MS, Flows, Ledger


def test_events_of_a_run_add_up_with_their_latest_time() -> None:
    flows = Flows({1: 5})
    flows.add(Flows({1: 3, 2: 4}, {(7, 0): 1}))
    flows.add(Flows({}, {(7, 0): 9}))
    assert (flows.inputs, flows.targets) == ({1: 5, 2: 4}, {(7, 0): 9})


def test_run_knows_its_first_and_last_event_in_any_order() -> None:
    ledger = Ledger()
    for at in (5, 3, 9):
        run = ledger.run("r", at, 9)
    assert (run.first_at, run.last_at) == (3, 9)


def test_run_that_began_long_ago_is_forgotten_whenever_that_is_done() -> None:
    later = FORGOTTEN_MS + 10
    for is_done in (False, True):
        ledger = Ledger()
        ledger.run("r", 5, 5).add(Flows({1: 5}))
        ledger.run("s", later, later)
        if is_done:
            ledger.forget(later)
            assert list(ledger.runs) == ["s"]
        run = ledger.run("r", later, later)
        assert (run.inputs, run.last_at - run.first_at > WEEK_MS) == ({}, True)
        ledger.forget(later)
        assert list(ledger.runs) == ["s"]
        assert len(ledger.forgotten) == 1


def test_names_have_one_number_each() -> None:
    ledger = Ledger()
    assert [ledger.job(name) for name in (("a", "b"), None, ("a", "b"))] == [0, 1, 0]
    assert [ledger.how(text) for text in ("", "DIRECT/IDENTITY", "DIRECT/IDENTITY")] == [0, 1, 1]
    assert ledger.own(3) == {}
