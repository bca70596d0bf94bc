"""Shows the metrics in Prometheus' text format, those of one process or of several together.

It alone imports `prometheus_client`. Counting works without that library.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from pdp import metrics
from pdp.instrument import Counter, Gauge, Histogram, Joined, Spread

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
"""The media type of the text."""
JOINED: Mapping[str, Joined] = {
    **{family.name: family.joined for family in metrics.ALL},
    "process_max_fds": Joined.SMALLEST,
    "process_start_time_seconds": Joined.LARGEST,
}
"""What gauges of several processes are together; others are summed."""
_JOIN: dict[Joined, Callable[[Iterable[float]], float]] = {
    Joined.SUM: sum,
    Joined.LARGEST: max,
    Joined.SMALLEST: min,
}


class _Own(Collector):
    """Our metrics, as `prometheus_client` has them."""

    def collect(self) -> Iterator[Metric]:
        for family in metrics.ALL:
            yield _shown(family)


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Own())
    ProcessCollector(registry=registry)
    return registry


_REGISTRY = _registry()


def text() -> str:
    """The metrics of this process, and what the operating system says of it."""
    return generate_latest(_REGISTRY).decode()


def summed(texts: Sequence[str], ended: Sequence[str] = ()) -> str:
    """The metrics of several processes as one text.

    Counts and buckets are summed; of gauges `JOINED` says whether their sum, the largest or the smallest counts.
    `ended` are the last texts of processes that have ended. They add what they counted, so that no count goes down;
    their gauges are left out. `ended` may be kept as one: `[summed([], ended)]`.
    """
    found: dict[str, _Sum] = {}
    for one, is_over in [*((one, False) for one in texts), *((one, True) for one in ended)]:
        for family in text_string_to_metric_families(one):
            if not (is_over and family.type == "gauge"):
                found.setdefault(family.name, _Sum(family)).add(family)
    return generate_latest(_Given([one.family() for one in found.values()])).decode()


class _Sum:
    """One metric of several processes."""

    def __init__(self, first: Metric) -> None:
        self._first = first
        self._values: dict[tuple[str, tuple[tuple[str, str], ...]], list[float]] = {}

    def add(self, family: Metric) -> None:
        """Those of one more process."""
        for sample in family.samples:
            self._values.setdefault((sample.name, tuple(sample.labels.items())), []).append(sample.value)

    def family(self) -> Metric:
        """All together."""
        first = self._first
        join = _JOIN[JOINED.get(first.name, Joined.SUM) if first.type == "gauge" else Joined.SUM]
        made = Metric(first.name, first.documentation, first.type)
        for (name, labels), values in self._values.items():
            made.add_sample(name, dict(labels), join(values))
        return made


class _Given(Collector):
    """Metrics that are known already."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _shown(family: Counter | Gauge | Histogram) -> Metric:
    if isinstance(family, Histogram):
        return _histogram(family)
    made: CounterMetricFamily | GaugeMetricFamily
    if isinstance(family, Counter):
        made = CounterMetricFamily(family.name, family.text, labels=family.labels)
    else:
        made = GaugeMetricFamily(family.name, family.text, labels=family.labels)
    for values, one in family.series.items():
        made.add_metric(values, one.value)
    return made


def _histogram(family: Histogram) -> HistogramMetricFamily:
    made = HistogramMetricFamily(family.name, family.text, labels=family.labels)
    for values, spread in family.series.items():
        made.add_metric(values, buckets=_buckets(spread), sum_value=spread.sum)
    return made


def _buckets(spread: Spread) -> list[tuple[str, float]]:
    """Each bound with the number of values that are not above it."""
    total, buckets = 0.0, list[tuple[str, float]]()
    for bound, count in zip([*map(str, spread.bounds), "+Inf"], spread.counts.copy(), strict=True):
        total += count
        buckets.append((bound, total))
    return buckets
