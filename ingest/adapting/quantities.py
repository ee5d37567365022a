"""Values as gateways write them → numbers in the units of our metrics."""

from __future__ import annotations

import math
import re
from typing import Final

WORDS: Final[dict[str, float]] = {
    **dict.fromkeys(
        ("true", "on", "yes", "open", "opened", "alarm", "trigger", "triggered", "tilt", "tilted",
         "leak", "leaked", "abnormal", "occupied", "high", "detected", "active", "running"), 1.0
    ),
    **dict.fromkeys(
        ("false", "off", "no", "close", "closed", "normal", "release", "released", "no leak",
         "not leaked", "vacant", "unoccupied", "low", "clear", "inactive", "idle", "not detected"),
        0.0,
    ),
}  # fmt: skip
"""What two-state words mean where a profile says nothing else."""

_TO_OURS: Final[dict[str, tuple[float, float]]] = {
    # unit → (factor, offset) to the unit our metrics have (wire contract: m, m3/s, m/s, mm/h, kPa,
    # degree, V, A, N, m/s2, dBm, lux, dB(A), °C)
    "m": (1.0, 0.0), "mm": (1e-3, 0.0), "cm": (1e-2, 0.0), "dm": (0.1, 0.0), "km": (1e3, 0.0),
    "in": (0.0254, 0.0), "inch": (0.0254, 0.0), "ft": (0.3048, 0.0), "mh2o": (1.0, 0.0),
    "m3/s": (1.0, 0.0), "m³/s": (1.0, 0.0), "m3/h": (1 / 3600, 0.0), "m³/h": (1 / 3600, 0.0),
    "l/s": (1e-3, 0.0), "l/min": (1e-3 / 60, 0.0), "l/h": (1e-3 / 3600, 0.0),
    "m/s": (1.0, 0.0), "cm/s": (1e-2, 0.0), "mm/s": (1e-3, 0.0), "km/h": (1 / 3.6, 0.0),
    "kmh": (1 / 3.6, 0.0), "mph": (0.44704, 0.0), "kn": (1852 / 3600, 0.0),
    "mm/h": (1.0, 0.0), "mm/min": (60.0, 0.0), "in/h": (25.4, 0.0),
    "kpa": (1.0, 0.0), "pa": (1e-3, 0.0), "hpa": (0.1, 0.0), "mbar": (0.1, 0.0),
    "bar": (100.0, 0.0), "mpa": (1e3, 0.0), "psi": (6.894757293, 0.0),
    "atm": (101.325, 0.0),
    "°c": (1.0, 0.0), "℃": (1.0, 0.0), "c": (1.0, 0.0), "degc": (1.0, 0.0), "celsius": (1.0, 0.0),
    "°f": (5 / 9, -160 / 9), "℉": (5 / 9, -160 / 9), "f": (5 / 9, -160 / 9), "k": (1.0, -273.15),
    "v": (1.0, 0.0), "mv": (1e-3, 0.0), "kv": (1e3, 0.0),
    "a": (1.0, 0.0), "ma": (1e-3, 0.0), "ka": (1e3, 0.0),
    "n": (1.0, 0.0), "kgf": (9.80665, 0.0),
    "m/s2": (1.0, 0.0), "m/s²": (1.0, 0.0), "mg0": (9.80665e-3, 0.0), "g0": (9.80665, 0.0),
    "°": (1.0, 0.0), "deg": (1.0, 0.0), "degree": (1.0, 0.0), "rad": (180 / math.pi, 0.0),
    "dbm": (1.0, 0.0), "db": (1.0, 0.0), "db(a)": (1.0, 0.0), "dba": (1.0, 0.0),
    "lux": (1.0, 0.0), "lx": (1.0, 0.0), "%": (1.0, 0.0), "s": (1.0, 0.0), "min": (60.0, 0.0),
    "h": (3600.0, 0.0), "ms": (1e-3, 0.0), "hz": (1.0, 0.0), "w": (1.0, 0.0), "kw": (1e3, 0.0),
    "wh": (1.0, 0.0), "kwh": (1e3, 0.0), "g": (1.0, 0.0), "kg": (1e3, 0.0), "ppm": (1.0, 0.0),
    "ppb": (1.0, 0.0), "µs/cm": (1.0, 0.0), "us/cm": (1.0, 0.0), "": (1.0, 0.0),
}  # fmt: skip

_QUANTITY = re.compile(r"\s*([+-]?(?:\d+(?:[.,]\d+)?|[.,]\d+)(?:[eE][+-]?\d+)?)\s*([^\d\s].*?)?\s*")


def conversion(unit: str) -> tuple[float, float] | None:
    """(factor, offset) from `unit` to the unit of our metrics; None: an unknown unit."""
    return _TO_OURS.get(unit.strip().lower().replace("⋅", "·"))


def allowed() -> str:
    """The units that are known, for messages."""
    return ", ".join(unit for unit in _TO_OURS if unit)


def number(value: object, words: dict[str, float] | None = None) -> tuple[float, str] | None:
    """(number, unit or "") that a value means: a number, true/false, `"23.5 °C"`, a word of
    `words` or `WORDS`; None: nothing that can be stored as a number."""
    if isinstance(value, bool):
        if words:
            found = words.get("true" if value else "false")
            return None if found is None else (found, "")
        return float(value), ""
    if isinstance(value, int | float):
        return (_worded(float(value), words), "") if math.isfinite(value) else None
    if not isinstance(value, str):
        return None
    word = value.strip().lower()
    for table in (words or {}, WORDS):
        if word in table:
            return table[word], ""
    match = _QUANTITY.fullmatch(value)
    if match is None:
        return None
    unit = match[2] or ""
    if conversion(unit) is None:
        return None  # "3 packets": a text that begins with a number
    told = float(match[1].replace(",", "."))
    return (told, unit) if math.isfinite(told) else None


def _worded(value: float, words: dict[str, float] | None) -> float:
    """A code that the profile gives another number for (`"2" = 0`)."""
    if not words:
        return value
    code = str(int(value)) if value == int(value) else str(value)
    return words.get(code, value)
