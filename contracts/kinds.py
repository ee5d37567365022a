"""The kinds of incident, the ticket stages and the metrics, as the wire names them."""

from __future__ import annotations

from typing import Final, Literal, get_args

Kind = Literal[
    "high_altitude_throw",
    "flooding",
    "drain_blocked",
    "manhole_cover_displaced",
    "hydrant_no_pressure",
    "severed_cable",
    "fibre_break",
    "street_light_out",
    "pole_tilt",
    "loud_sound",
    "sensor_silent",
    "sensor_faulty",
    "citizen_report",
    "patrol",
]
KINDS: Final[tuple[str, ...]] = get_args(Kind)

NAMES: Final[dict[str, tuple[str, str]]] = {
    "high_altitude_throw": ("高空抛物", "Object thrown from height"),
    "flooding": ("道路积水", "Flooding"),
    "drain_blocked": ("排水管堵塞", "Blocked drain"),
    "manhole_cover_displaced": ("井盖移位", "Manhole cover displaced"),
    "hydrant_no_pressure": ("消火栓无水", "Hydrant without pressure"),
    "severed_cable": ("架空线缆断裂", "Severed cable"),
    "fibre_break": ("光缆中断", "Fibre break"),
    "street_light_out": ("路灯不亮", "Street light out"),
    "pole_tilt": ("杆体倾斜", "Leaning pole"),
    "loud_sound": ("异常声响", "Loud sound"),
    "sensor_silent": ("设备失联", "Sensor silent"),
    "sensor_faulty": ("设备故障", "Sensor faulty"),
    "citizen_report": ("居民上报", "Resident's report"),
    "patrol": ("巡查任务", "Patrol round"),
    "storm": ("暴雨内涝", "Storm"),
}
"""Names of the kinds for people: (zh, en)."""

TASK_KINDS: Final[frozenset[str]] = frozenset({"patrol"})
"""Kinds that are a task for our own people: nothing has happened, so nobody outside is warned."""
PUBLIC_KINDS: Final[tuple[str, ...]] = tuple(kind for kind in KINDS if kind not in TASK_KINDS)
"""Kinds of what happens in the world: what is reported, and told to others."""

GROUP_KINDS: Final[tuple[str, ...]] = ("storm",)
"""Kinds of incident that are groups of others: no event is of such a kind, no ticket either."""

Stage = Literal[
    "detected",
    "filed",
    "dispatched",
    "accepted",
    "arrived",
    "disposed",
    "verified",
    "closed",
    "evaluated",
    "returned",
    "reworked",
    "suspended",
    "void",
]
STAGES: Final[tuple[str, ...]] = get_args(Stage)
OPEN_STAGES: Final[frozenset[str]] = frozenset(STAGES) - {"closed", "evaluated", "void"}

# Change names beside the stages, as in gridsentry/v1/alert/{district}/{kind}/{change}.
CHANGES: Final[tuple[str, ...]] = ("opened", "updated", "reminded", "escalated", "cancelled")

CLOCKS: Final[tuple[str, ...]] = ("accept", "arrive", "dispose", "verify", "close")

APP_TYPES: Final[tuple[str, ...]] = ("app", "hotline", "miniprogram")
"""Types of device that people's own reports come from."""

METRICS: Final[dict[str, str]] = {
    "level": "m",
    "depth": "m",
    "flow": "m3/s",
    "velocity": "m/s",
    "rain_rate": "mm/h",
    "rain_forecast": "mm/h",
    "pressure": "kPa",
    "tilt": "degree",
    "tilt_x": "degree",
    "tilt_y": "degree",
    "voltage_a": "V",
    "voltage_b": "V",
    "voltage_c": "V",
    "voltage_n": "V",
    "current_a": "A",
    "current_b": "A",
    "current_c": "A",
    "current_n": "A",
    "tension": "N",
    "vibration": "m/s2",
    "optical_power": "dBm",
    "lamp_current": "A",
    "lux": "lx",
    "sound_level": "dB(A)",
    "temperature": "degC",
    "battery": "V",
    "last_gasp": "1",
}
"""Metric names of the wire and their units; a device may add its own."""
