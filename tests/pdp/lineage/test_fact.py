import dataclasses
from typing import Any, get_args

import pytest

from pdp.lineage.fact import Dataset, Edge, Entry, Event, Fact, Output, TagRule, Way

KINDS: tuple[type[Any], ...] = get_args(Fact)


@pytest.mark.parametrize("kind", KINDS)
def test_every_fact_says_who_wrote_it_and_when_and_never_changes(kind: type[Any]) -> None:
    assert issubclass(kind, Entry)
    assert kind.__dataclass_params__.frozen
    required = {field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING}
    assert {"by", "at"} <= required


def test_edge_of_which_nothing_is_known_carries_everything() -> None:
    assert Edge("a", Dataset("ns", "t"), "b").way is Way.CARRY


def test_tag_without_a_rule_travels_and_survives_a_mask() -> None:
    assert TagRule() == TagRule(propagate=True, stops_on_mask=False, indirect=False)


def test_output_and_event_trust_their_writer_with_nothing_by_default() -> None:
    output = Output(Dataset("ns", "t"))
    assert output.named is None
    assert not output.is_complete
    assert not output.replaces
    assert not Event(by="w", at=1, event="").classifies
