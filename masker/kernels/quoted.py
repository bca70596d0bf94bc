"""The rows of delimited text, and the first byte that stands behind the closing quotation mark of a cell."""

from typing import Any

from masker.kernels import kernel
from masker.kernels.column import Bytes

BEGIN, PLAIN, QUOTED, CLOSED = range(4)
"""Where in a cell a byte is: before it, in text without marks, between marks, behind the closing mark."""
_LINE_FEED, _RETURN = ord("\n"), ord("\r")


@kernel
def behind_closing(data: Bytes, delimiter: int, quote: int, blank: int, state: Any) -> bool:
    """Whether a byte stands behind a closing mark and ends no cell; the rows before it are counted.

    `state` goes on from block to block: where in a cell, rows that have ended, 1 where the line is empty so far, the
    byte before, and how many bytes the rows that ended in this block have. `blank` is what an empty line adds to the
    rows: 0 or 1.
    """
    at, rows, empty, before, end = state[0], state[1], state[2], state[3], state[4]
    found = False
    for place in range(data.size):
        byte = data[place]
        if at == QUOTED:
            if byte == quote:
                at = CLOSED
        elif byte == quote and at != PLAIN:
            at, empty = QUOTED, 0
        elif byte == delimiter:
            at, empty = BEGIN, 0
        elif byte == _LINE_FEED or byte == _RETURN:  # noqa: SIM109  # a tuple takes longer to compile
            if byte == _RETURN or before != _RETURN:
                rows += blank if empty else 1
            at, empty, end = BEGIN, 1, place + 1
        elif at == CLOSED:
            found = True
            break
        else:
            at, empty = PLAIN, 0
        before = byte
    state[0], state[1], state[2], state[3], state[4] = at, rows, empty, before, end
    return found
