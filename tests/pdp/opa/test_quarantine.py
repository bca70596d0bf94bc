"""Who is kept apart: one kind of one caller, for a minute, with rests that grow; or everything."""

from pdp.opa.quarantine import LONGEST_REST_SECONDS, MANY_KINDS, QUARANTINE_SECONDS, REST_SECONDS, Quarantine, Suspect

SLOW, PLAIN, STRANGER = Suspect("agent:a", "export", "table"), Suspect("agent:a", "read", "table"), Suspect("agent:b")


class Clock:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_one_kind_is_held_for_a_minute_and_nothing_else_of_its_caller() -> None:
    clock = Clock()
    quarantine = Quarantine(clock)
    quarantine.convict(SLOW, late=False)
    assert [quarantine.holds(one) for one in (SLOW, PLAIN, STRANGER)] == [True, False, False]
    assert not quarantine.rests(SLOW)
    clock.seconds += QUARANTINE_SECONDS
    assert quarantine.holds(SLOW)
    clock.seconds += 0.1
    assert not quarantine.holds(SLOW)


def test_rests_double_up_to_the_longest_and_an_answer_makes_them_short() -> None:
    clock = Clock()
    quarantine = Quarantine(clock)
    rest = REST_SECONDS
    for _ in range(10):
        quarantine.convict(SLOW, late=True)
        clock.seconds += rest - 0.01
        assert quarantine.rests(SLOW)
        assert not quarantine.rests(PLAIN)
        clock.seconds += 0.02
        assert not quarantine.rests(SLOW)
        rest = min(2 * rest, LONGEST_REST_SECONDS)
    quarantine.answered(SLOW)
    quarantine.convict(SLOW, late=True)
    clock.seconds += REST_SECONDS
    assert not quarantine.rests(SLOW)


def test_many_kinds_hold_and_rest_everything_of_their_caller() -> None:
    clock = Clock()
    quarantine = Quarantine(clock)
    for number in range(3 * MANY_KINDS):
        quarantine.convict(Suspect("agent:a", f"export-{number}", "table"), late=True)
    assert [quarantine.holds(one) for one in (PLAIN, STRANGER)] == [True, False]
    assert [quarantine.rests(one) for one in (PLAIN, STRANGER)] == [True, False]
    clock.seconds += QUARANTINE_SECONDS + 0.1
    assert not quarantine.holds(PLAIN)
