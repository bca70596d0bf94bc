"""The list of metrics: all of it is shown, in names and labels that were agreed on."""

import re

from pdp import metrics
from pdp.instrument import Counter, Gauge, Histogram

LABELS = {"rpc_method", "code", "effect", "stage", "kind", "state", "what", "reason", "revision", "name"}


def test_every_metric_is_in_the_list_once() -> None:
    declared = [value for value in vars(metrics).values() if isinstance(value, Counter | Gauge | Histogram)]
    assert [*metrics.ALL] == declared
    assert len({family.name for family in metrics.ALL}) == len(declared)


def test_names_and_labels_are_those_of_prometheus_and_of_our_list() -> None:
    for family in metrics.ALL:
        assert re.fullmatch(r"(pdp|rpc_server)_[a-z_]+", family.name), family.name
        assert {*family.labels} <= LABELS, family.name
        assert family.text.endswith("."), family.name
        assert not family.name.endswith("_total"), f"{family.name}: the end is added where it is shown"
