"""The center's metrics, one table: name, type, labels and meaning."""

from __future__ import annotations

from typing import Final, Literal
from weakref import WeakKeyDictionary

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metric(msgspec.Struct, frozen=True):
    """One metric as documented and registered."""

    name: str
    type: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()


METRICS: Final[tuple[Metric, ...]] = (
    Metric(
        "gridsentry_center_requests_total", "counter",
        "HTTP requests answered, by route and status.", ("route", "status"),
    ),
    Metric(
        "gridsentry_center_request_seconds", "histogram",
        "Time from request to answer (live streams excepted), seconds.", ("route",),
    ),
    Metric("gridsentry_center_stream_clients", "gauge", "Live streams open now."),
    Metric(
        "gridsentry_center_stream_dropped_total", "counter",
        "Live streams ended by us, by reason.", ("reason",),
    ),
    Metric(
        "gridsentry_center_stream_lag_seconds", "histogram",
        "Time from a change becoming known to its row reaching the live readers, seconds.",
    ),
    Metric(
        "gridsentry_center_stream_position", "gauge", "Newest stream position the center has seen."
    ),
    Metric(
        "gridsentry_center_actions_total", "counter",
        "Ticket actions, by outcome (applied, refused, waiting).", ("outcome",),
    ),
    Metric("gridsentry_center_reports_total", "counter", "Reports taken over HTTP."),
    Metric(
        "gridsentry_center_target_position", "gauge",
        "Stream position an outgoing target has reached.", ("target",),
    ),
    Metric(
        "gridsentry_center_target_sent_total", "counter",
        "Messages an outgoing target has acknowledged.", ("target",),
    ),
    Metric(
        "gridsentry_center_target_failures_total", "counter",
        "Attempts an outgoing target did not take; they are tried again.", ("target",),
    ),
    Metric(
        "gridsentry_center_target_overtaken_total", "counter",
        "Changes people were not told of late, because the ticket had gone on.", ("target",),
    ),
    Metric(
        "gridsentry_center_target_undelivered_total", "counter",
        "Changes a target did not take for good; kept, see `/api/v1/targets`.", ("target",),
    ),
    Metric(
        "gridsentry_center_target_skipped_total", "counter",
        "Rows that could not be read and were left out, with a log line each.", ("target",),
    ),
)  # fmt: skip

_BUCKETS = (0.005, 0.01, 0.02, 0.04, 0.08, 0.12, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The table, registered."""

    @classmethod
    def of(cls, registry: CollectorRegistry) -> Metrics:
        """Those of this registry: a center made anew over it goes on counting."""
        if registry not in _MADE:
            _MADE[registry] = cls(registry)
        return _MADE[registry]

    def __init__(self, registry: CollectorRegistry) -> None:
        made = {m.name: _make(m, registry) for m in METRICS}
        self._counters = {n: m for n, m in made.items() if isinstance(m, Counter)}
        self._gauges = {n: m for n, m in made.items() if isinstance(m, Gauge)}
        self._histograms = {n: m for n, m in made.items() if isinstance(m, Histogram)}

    def count(self, name: str, by: float = 1, **labels: str) -> None:
        """Add to the counter `gridsentry_center_{name}_total`."""
        counter = self._counters[f"gridsentry_center_{name}_total"]
        (counter.labels(**labels) if labels else counter).inc(by)

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set the gauge `gridsentry_center_{name}`."""
        gauge = self._gauges[f"gridsentry_center_{name}"]
        (gauge.labels(**labels) if labels else gauge).set(value)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Note a value in the histogram `gridsentry_center_{name}`."""
        histogram = self._histograms[f"gridsentry_center_{name}"]
        (histogram.labels(**labels) if labels else histogram).observe(value)


_MADE: WeakKeyDictionary[CollectorRegistry, Metrics] = WeakKeyDictionary()


def _make(metric: Metric, registry: CollectorRegistry) -> Counter | Gauge | Histogram:
    match metric.type:
        case "counter":
            return Counter(metric.name, metric.help, metric.labels, registry=registry)
        case "gauge":
            return Gauge(metric.name, metric.help, metric.labels, registry=registry)
        case "histogram":
            return Histogram(
                metric.name, metric.help, metric.labels, registry=registry, buckets=_BUCKETS
            )
