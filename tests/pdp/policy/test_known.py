"""What the entries of a rule may be."""

import pytest

from pdp.policy.entry import COMPUTED
from pdp.policy.known import Values
from pdp.policy.reference import definitions
from tests.pdp.policy.test_total import parsed

DATA = {"number": 1, "names": ["a", "b"], "entries": [{"x": 1}, {"x": 2}], "by_name": {"a": {"x": 3}}}
LIBRARY = """
package lib.l

list := ["c"]

one := "d" if input.now

two := "e" if input.now

two := "f" if input.action

circle := other

other := circle
"""
ENTRIES = {
    "written out": ('{"x": 1}', "", [{"x": 1}]),
    "list of the data": ('{"x": data.names}', "", [{"x": ["a", "b"]}]),
    "variable": ('{"x": y}', "y := {1}", [{"x": [1]}]),
    "variable of two values": ('{"x": y}', "y = 1\n\ty = 2", [{"x": COMPUTED}]),
    "rule": ('{"x": l.list}', "", [{"x": ["c"]}]),
    "rule that may have no value": ('{"x": l.one}', "", [{"x": "d"}]),
    "rule of two values": ('{"x": l.two}', "", [{"x": COMPUTED}]),
    "rules in a circle": ('{"x": l.circle}', "", [{"x": COMPUTED}]),
    "request": ('{"x": input.context.y}', "", [{"x": COMPUTED}]),
    "step that is computed": ('{"x": data.by_name[input.action.name]}', "", [{"x": COMPUTED}]),
    "key that is computed": ("{input.action.name: 1}", "", [COMPUTED]),
    "one of the data": ("entry", "some entry in data.entries", [{"x": 1}, {"x": 2}]),
    "one of the data by name": ("entry", "some _, entry in data.by_name", [{"x": 3}]),
    "one of what is not known": ("entry", "some entry in input.context.entries", [COMPUTED]),
    "one of no list": ("entry", "some entry in data.number", [COMPUTED]),
    "union": ('object.union({"x": 1, "y": 1}, {"x": 2})', "", [{"x": 2, "y": 1}]),
    "union with what is not known": ('object.union({"x": 1}, input.context)', "", [COMPUTED]),
    "union of what is not known": (
        'object.union(input.context, {"mask": "clear"})',
        "",
        [{"columns": COMPUTED, "tags": COMPUTED, "mask": "clear"}],
    ),
}


@pytest.mark.parametrize("name", ENTRIES)
def test_entry_is_known_as_far_as_it_is_written_out(name: str) -> None:
    entry, body, wanted = ENTRIES[name]
    text = f"package policy\n\nimport data.lib.l\n\nmask contains {entry} if {{\n\tinput.now\n\t{body}\n}}\n"
    policy, library = parsed({"p.rego": text, "lib/l.rego": LIBRARY})
    assert Values(definitions([policy, library]), DATA).entries(policy, policy.rules[0]) == wanted
