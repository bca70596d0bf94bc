"""Which status a command line asks for; what becomes of it is in tests/cli/test_block_exit.py."""

import pytest

from pdp import blocking


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["authorize", "--block-exit", "2"], 2),
        (["authorize", "--block-exit=17", "-f", "-"], 17),
        (["authorize", "--block-exit", "3", "--block-exit", "4"], 4),
        (["authorize", "--block-exit"], 2),
        (["authorize", "--block-exit", "two"], 2),
        (["authorize", "--block-exit", "0"], 2),
        (["authorize", "--block-exit=256"], 2),
        (["authorize", "--block-exit", "9" * 9999], 2),
        (["authorize", "--block-exit", "\u0663"], 2),
        (["authorize", "-f", "-"], 0),
        (["run", "--", "make", "--block-exit", "2"], 0),
        ([], 0),
    ],
)
def test_status_is_what_the_line_says_and_2_where_it_cannot_be_read(arguments: list[str], status: int) -> None:
    assert blocking.status_of(arguments) == status
