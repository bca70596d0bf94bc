"""Every text that a rule compares a value with is known, with where the value stands in the request."""

from pathlib import Path

import pytest

from pdp.policy.check import Typing, documents, modules, parsed
from pdp.policy.compared import comparisons, origins
from pdp.policy.data import merged
from pdp.policy.sources import read
from pdp.policy.stock import capabilities
from tests import authored

SUBJECT = ("input", "subject", "id")
COMPARED = {
    'input.subject.id == "a"': {("a", "", SUBJECT)},
    'input.subject.id in ["a", "b"]': {("a", "", SUBJECT), ("b", "", SUBJECT)},
    "input.subject.id in data.names": {("c", "data.names", SUBJECT)},
    "some name in data.names\n\tlower(input.subject.id) == name": {("c", "data.names"), ("c", "data.names", SUBJECT)},
    "data.map[input.subject.id]": {("k", "data.map", SUBJECT)},
    "input.subject.id == data.one": {("d", "data.one", SUBJECT)},
    'some link in input.on_behalf_of\n\tlink.id != "a"': {("a", "", ("input", "on_behalf_of", None, "id"))},
    'substring(input.subject.id, 0, 1) == "a"': {("a", "")},
    "some name in data.names\n\tdata.map[name]": {("c", "data.names"), ("k", "data.map")},
}


@pytest.mark.parametrize("body", COMPARED)
def test_texts_are_found_with_the_places_of_what_they_are_compared_with(body: str, tmp_path: Path) -> None:
    rule = f'package policy\n\ndeny contains {{"rule": "d", "reason": "x"}} if {{\n\t{body}\n}}\n'
    data = {"names": ["c"], "map": {"k": 1}, "one": "d"}
    sources = read([authored.written(tmp_path, {"p.rego": rule, "data.json": data})])
    known = merged(documents(authored.OPA, sources)[0])[0]
    everything = modules(authored.OPA, sources)
    typing = Typing(everything, known, parsed(sources)[0], capabilities(authored.OPA)["builtins"])
    found = [(each, sorted(origins(typing, each.branch, each.asked), key=str)) for each in comparisons(typing)]
    assert {(each.text, each.listing, *places) for each, places in found} == COMPARED[body]
