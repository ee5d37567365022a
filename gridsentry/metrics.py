"""Every metric of the service, in one table: name, what it counts, labels."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """The service's metrics on a registry of their own; documented by the tests."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        self.messages = Counter(
            "gridsentry_messages", "MQTT messages committed", ["session"], registry=r
        )
        self.readings = Counter(
            "gridsentry_readings", "Readings in committed batches", ["outcome"], registry=r
        )
        self.late = Counter(
            "gridsentry_late_readings", "Readings stored but too late to be folded", registry=r
        )
        self.dead_letters = Counter(
            "gridsentry_dead_letters", "Messages set aside", ["code"], registry=r
        )
        self.events = Counter(
            "gridsentry_events", "Event revisions published", ["kind"], registry=r
        )
        self.tickets = Counter(
            "gridsentry_ticket_changes", "Changes of tickets", ["kind", "change"], registry=r
        )
        self.table_bytes = Gauge(
            "gridsentry_table_bytes",
            "Room that a table takes on the database's disk, indexes included (each ten minutes)",
            ["table"],
            registry=r,
        )
        self.compression_bytes = Gauge(
            "gridsentry_compression_bytes",
            "With TimescaleDB, the compressed days of readings: `before` and `after`",
            ["when"],
            registry=r,
        )
        self.batches = Counter("gridsentry_batches", "Batches committed", registry=r)
        self.commit_seconds = Histogram(
            "gridsentry_commit_seconds",
            "Time one batch's transaction took",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5, 30),
            registry=r,
        )
        self.commit_failures = Counter(
            "gridsentry_commit_failures", "Commits that failed and were tried again", registry=r
        )
        self.determinism_faults = Gauge(
            "gridsentry_determinism_faults",
            "Event revisions said again with other content",
            registry=r,
        )
        self.detector_degraded = Gauge(
            "gridsentry_detector_degraded",
            "1 while a detector says that it sees less than it should (the log says why)",
            ["kind", "site"],
            registry=r,
        )
        self.cameras_behind = Gauge(
            "gridsentry_segments_waiting", "Spooled segments not yet looked at", registry=r
        )
        self.evidence_cuts = Counter(
            "gridsentry_evidence_cuts",
            "Evidence asked for by closed events",
            ["outcome"],
            registry=r,
        )
        self.evidence_let_go = Counter(
            "gridsentry_evidence_let_go",
            "Evidence files deleted by retention",
            ["part"],
            registry=r,
        )
        self.connected = Gauge(
            "gridsentry_mqtt_connected", "1 while the session is up", ["session"], registry=r
        )
        self.adapter_messages = Counter(
            "gridsentry_adapter_messages",
            "Messages of outside gateways",
            ["adapter", "outcome"],
            registry=r,
        )
        self.adapter_said = Counter(
            "gridsentry_adapter_said",
            "What adapters had to say to their gateways",
            ["adapter", "outcome"],
            registry=r,
        )
        self.commands = Counter(
            "gridsentry_commands", "Commands answered", ["action", "ok"], registry=r
        )


TABLE = (
    ("gridsentry_messages_total", "session", "MQTT messages committed"),
    ("gridsentry_readings_total", "outcome", "Readings: new, duplicate, conflict"),
    ("gridsentry_late_readings_total", "", "Readings stored but too late to be folded"),
    ("gridsentry_dead_letters_total", "code", "Messages set aside, by reason"),
    ("gridsentry_events_total", "kind", "Event revisions published"),
    ("gridsentry_ticket_changes_total", "kind, change", "Changes of tickets"),
    (
        "gridsentry_table_bytes",
        "table",
        "Room that a table takes on the database's disk, indexes included (each ten minutes)",
    ),
    (
        "gridsentry_compression_bytes",
        "when",
        "With TimescaleDB, the compressed days of readings: `before` and `after`",
    ),
    ("gridsentry_batches_total", "", "Batches committed"),
    ("gridsentry_commit_seconds", "", "Time one batch's transaction took"),
    ("gridsentry_commit_failures_total", "", "Commits that failed and were tried again"),
    ("gridsentry_determinism_faults", "", "Event revisions said again with other content"),
    ("gridsentry_detector_degraded", "kind, site", "1: a detector sees less than it should"),
    ("gridsentry_segments_waiting", "", "Spooled segments not yet looked at"),
    ("gridsentry_evidence_cuts_total", "outcome", "Evidence: cut, nothing_left, failed"),
    ("gridsentry_evidence_let_go_total", "part", "Evidence files deleted: shown, original, swept"),
    ("gridsentry_mqtt_connected", "session", "1 while the session is up"),
    (
        "gridsentry_adapter_messages_total",
        "adapter, outcome",
        "Messages of outside gateways: taken, aside (on purpose), poison, unknown (device), "
        "elsewhere (another shard's)",
    ),
    (
        "gridsentry_adapter_said_total",
        "adapter, outcome",
        "What adapters had to say to their gateways: published, lost (no connection)",
    ),
    ("gridsentry_commands_total", "action, ok", "Commands answered"),
)
"""What docs/operating.md shows; a test holds it against the registry."""
