"""JSON text read in one pass: which bytes are the values at the paths that a plan names.

It takes what RFC 8259 takes. Paths are a tree: node 0 is the document, a node has children by key and one for the items
of a list. A key is compared as it reads, however it is spelt.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from masker.kernels import device, kernel
from masker.kernels.column import Bytes, Flags, Offsets
from masker.kernels.json_string import unescape, width

PLAIN, ESCAPED, INTEGER, FRACTION, EXPONENT, TRUTH, NULL = range(1, 8)
"""What a value is: text without and with escapes, three ways to write a number, true or false, null."""
NOT_JSON, DEEP, TWICE, UNCOVERED = range(1, 5)
"""What is wrong with a document; 0 where nothing is."""
FIRST, NEXT, ITEM, LEAF, PREFIX, ONCE, BEGIN, END = range(8)
"""Columns of a node: its first child, the next child of its parent, the child for items, its leaf (-1 for none),
whether it lies above leaves, whether an object may have it only once, and where its key stands among the keys."""
NODES, SERIALS, HINTS = range(3)
"""Rows of the stack: the node of each open container, a number of its own or 0 for a list, the child met last."""
VALUE, VALUE_OR_END, KEY, KEY_OR_END, COLON, AFTER, NOTHING = range(7)
"""What comes next."""
Numbers = NDArray[np.int64]


@kernel
def scan(
    data: Bytes, offsets: Offsets, valid: Flags, keys: Bytes, nodes: Any, seen: Numbers, wanted: Flags, covers: Any,
    most: int, stack: Any, scratch: Bytes, spans: Any, kinds: Bytes, problems: Bytes,
) -> int:  # fmt: skip
    """Note a span (row, leaf, start, stop) and a kind for each value of a wanted leaf; returns how many.

    A span of text is without its quotation marks. `covers` refuses a document with a value that no leaf covers, `most`
    is how many steps a path has at most.
    """
    count, serial = 0, 0
    for row in range(valid.size):
        at, stop = offsets[row], offsets[row + 1] if valid[row] else offsets[row]
        depth, node, expected, problem = 0, 0, VALUE if valid[row] else AFTER, 0
        while at < stop and problem == 0:
            byte = data[at]
            if byte == 32 or byte == 10 or byte == 13 or byte == 9:
                at += 1
            elif expected == AFTER:
                depth, node, expected = behind(byte, depth, nodes, stack)
                problem = NOT_JSON if expected == NOTHING else 0
                at += 1
            elif expected == COLON:
                problem = 0 if byte == 58 else NOT_JSON
                expected = VALUE
                at += 1
            elif (expected == VALUE_OR_END and byte == 93) or (expected == KEY_OR_END and byte == 125):
                depth, expected = depth - 1, AFTER
                at += 1
            elif expected == KEY or expected == KEY_OR_END:  # noqa: SIM109  # a tuple takes longer to compile
                at, node, problem = named(data, at, stop, depth, keys, nodes, seen, stack, scratch)
                expected = COLON
            elif depth > most:
                problem = DEEP
            elif byte == 123 or byte == 91:
                depth, serial = depth + 1, serial + 1
                node = opened(byte, depth, serial, node, nodes, stack)
                expected = KEY_OR_END if byte == 123 else VALUE_OR_END
                at += 1
            else:
                end, kind = past_value(data, at, stop)
                leaf = nodes[node, LEAF] if node >= 0 else -1
                if end < 0:
                    problem = NOT_JSON
                elif leaf < 0 and covers and not (kind == NULL and node >= 0 and nodes[node, PREFIX]):
                    problem = UNCOVERED
                elif leaf >= 0 and wanted[leaf]:
                    note(row, leaf, at, end, kind, spans, kinds, count)
                    count += 1
                expected, at = AFTER, end
        problems[row] = NOT_JSON if problem == 0 and (depth > 0 or expected != AFTER) else problem
    return count


@device
def note(row: Any, leaf: Any, at: Any, end: Any, kind: Any, spans: Any, kinds: Any, count: Any) -> None:
    """Write a span."""
    inner = 1 if kind <= ESCAPED else 0
    spans[count, 0], spans[count, 1] = row, leaf
    spans[count, 2], spans[count, 3] = at + inner, end - inner
    kinds[count] = kind


@device
def behind(byte: Any, depth: Any, nodes: Any, stack: Any) -> Any:
    """Depth, node and what comes next, behind a value, by the byte that comes there."""
    if depth == 0:
        return depth, 0, NOTHING
    is_list, parent = stack[SERIALS, depth] == 0, stack[NODES, depth]
    if byte == 44:
        return depth, nodes[parent, ITEM] if is_list and parent >= 0 else -1, VALUE if is_list else KEY
    if byte == (93 if is_list else 125):
        return depth - 1, 0, AFTER
    return depth, 0, NOTHING


@device
def opened(byte: Any, depth: Any, serial: Any, node: Any, nodes: Any, stack: Any) -> Any:
    """The node of what comes first in a new object or list."""
    stack[NODES, depth], stack[HINTS, depth] = node, -1
    stack[SERIALS, depth] = serial if byte == 123 else 0
    return nodes[node, ITEM] if byte == 91 and node >= 0 else -1


@device
def named(
    data: Any, at: Any, stop: Any, depth: Any, keys: Any, nodes: Any, seen: Any, stack: Any, scratch: Any
) -> Any:  # fmt: skip
    """Where a key ends, the node that it names, and what is wrong with it."""
    end, kind = past_string(data, at, stop)
    if end < 0:
        return at, -1, NOT_JSON
    parent, hint = stack[NODES, depth], stack[HINTS, depth]
    node = -1
    if parent >= 0 and kind == PLAIN:
        node = child(keys, nodes, parent, hint, data, at + 1, end - 1)
    elif parent >= 0:
        node = child(keys, nodes, parent, hint, scratch, 0, unescape(data, at + 1, end - 1, scratch, 0))
    if node < 0:
        return end, node, 0
    again = nodes[node, ONCE] != 0 and seen[node] == stack[SERIALS, depth]
    stack[HINTS, depth], seen[node] = node, stack[SERIALS, depth]
    return end, node, TWICE if again else 0


@device
def child(keys: Any, nodes: Any, parent: Any, hint: Any, text: Any, start: Any, stop: Any) -> Any:
    """The child of a node by its key, -1 for none. The one behind `hint` comes first, as records repeat their order."""
    found = nodes[hint, NEXT] if hint >= 0 else nodes[parent, FIRST]
    while found >= 0 and not same(keys, nodes[found, BEGIN], nodes[found, END], text, start, stop):
        found = nodes[found, NEXT]
    if found < 0 and hint >= 0:
        found = nodes[parent, FIRST]
        while found >= 0 and not same(keys, nodes[found, BEGIN], nodes[found, END], text, start, stop):
            found = nodes[found, NEXT]
    return found


@device
def same(keys: Any, begin: Any, end: Any, text: Any, start: Any, stop: Any) -> Any:
    """Whether two ranges hold the same bytes."""
    length = end - begin
    if length != stop - start:
        return False
    at = 0
    while at < length and keys[begin + at] == text[start + at]:
        at += 1
    return at == length


@device
def past_value(data: Any, at: Any, stop: Any) -> Any:
    """Where a text, a number or a word ends, -1 where it is not JSON, and its kind."""
    byte = data[at]
    if byte == 34:
        return past_string(data, at, stop)
    if byte == 110:
        return past_word(data, at, stop, 0x6C6C756E, 4), NULL
    if byte == 116:
        return past_word(data, at, stop, 0x65757274, 4), TRUTH
    if byte == 102:
        return past_word(data, at, stop, 0x65736C6166, 5), TRUTH
    return past_number(data, at, stop)


@device
def past_word(data: Any, at: Any, stop: Any, word: Any, length: Any) -> Any:
    """The end of `word`, whose first character is its lowest byte."""
    if at + length > stop:
        return -1
    for k in range(length):
        if data[at + k] != (word >> (8 * k)) & 255:
            return -1
    return at + length


@device
def past_string(data: Any, at: Any, stop: Any) -> Any:
    """The end of a text that begins with a quotation mark."""
    if data[at] != 34:
        return -1, PLAIN
    at += 1
    kind = PLAIN
    while at < stop:
        byte = data[at]
        if byte == 34:
            return at + 1, kind
        if byte < 32:
            return -1, kind
        if byte == 92:
            step = width(data, at, stop)
            if step == 0:
                return -1, kind
            at, kind = at + step, ESCAPED
        else:
            at += 1
    return -1, kind


@device
def past_number(data: Any, at: Any, stop: Any) -> Any:
    """The end of a number. One that goes on wrongly is refused for what is left of it."""
    kind = INTEGER
    if data[at] == 45:
        at += 1
    if at < stop and data[at] == 48:
        at += 1
    else:
        end = past_digits(data, at, stop)
        if end == at:
            return -1, kind
        at = end
    if at < stop and data[at] == 46:
        end = past_digits(data, at + 1, stop)
        if end == at + 1:
            return -1, kind
        at, kind = end, FRACTION
    if at < stop and (data[at] | 32) == 101:
        at += 1
        if at < stop and (data[at] == 43 or data[at] == 45):
            at += 1
        end = past_digits(data, at, stop)
        if end == at:
            return -1, kind
        at, kind = end, EXPONENT
    return at, kind


@device
def past_digits(data: Any, at: Any, stop: Any) -> Any:
    """The end of digits, none at least."""
    while at < stop and data[at] >= 48 and data[at] <= 57:
        at += 1
    return at
