import pytest

from masker.errors import KeyRefused, MaskRefused, PlanRefused, ValueRefused


def test_a_row_moves_with_its_part():
    moved = ValueRefused("odd", column="a", row=2, rule="r").moved(1_000)
    assert str(moved) == "column a, row 1002, rule r: odd (rows count from 0)"
    assert ValueRefused("odd").moved(5).row is None


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueRefused("odd", column="a", row=1_234), "table t, column a, part 7, row 1,234: odd"),
        (PlanRefused("odd", column="a", rule="r"), "table t, column a, part 7: odd"),
        (KeyRefused("there is no key"), "table t, part 7: there is no key"),
    ],
)
def test_any_failure_of_a_part_is_one_line(error, line):
    assert str(MaskRefused.of(error, table="t", part=7)) == line


def test_a_failure_without_a_place_is_its_problem():
    assert str(MaskRefused("odd")) == "odd"
