"""Values as gateways write them → numbers in the units of our metrics."""

from __future__ import annotations

import math
import re
from typing import Final

from ingest.adapting import units

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

_SPELT: Final[dict[str, tuple[float, float]]] = {
    # further units, and how vendors spell those of `units`, in small letters → (factor, offset)
    "inch": (0.0254, 0.0), "mh2o": (1.0, 0.0), "m³/s": (1.0, 0.0), "m³/h": (1 / 3600, 0.0),
    "l/h": (1e-3 / 3600, 0.0), "cm/s": (1e-2, 0.0), "mm/s": (1e-3, 0.0), "kmh": (1 / 3.6, 0.0),
    "mph": (0.44704, 0.0), "kn": (1852 / 3600, 0.0), "in/h": (25.4, 0.0), "atm": (101.325, 0.0),
    "℃": (1.0, 0.0), "degc": (1.0, 0.0), "celsius": (1.0, 0.0), "℉": (5 / 9, -160 / 9),
    "kgf": (9.80665, 0.0), "m/s²": (1.0, 0.0), "mg0": (9.80665e-3, 0.0),
    "db": (1.0, 0.0), "dba": (1.0, 0.0), "%": (1.0, 0.0), "s": (1.0, 0.0), "min": (60.0, 0.0),
    "h": (3600.0, 0.0), "ms": (1e-3, 0.0), "hz": (1.0, 0.0), "w": (1.0, 0.0), "kw": (1e3, 0.0),
    "wh": (1.0, 0.0), "kwh": (1e3, 0.0), "g": (1.0, 0.0), "kg": (1e3, 0.0), "ppm": (1.0, 0.0),
    "ppb": (1.0, 0.0), "µs/cm": (1.0, 0.0), "us/cm": (1.0, 0.0), "": (1.0, 0.0),
}  # fmt: skip
_SMALL: Final = {symbol.lower(): symbol for symbol in units.KNOWN}

_QUANTITY = re.compile(r"\s*([+-]?(?:\d+(?:[.,]\d+)?|[.,]\d+)(?:[eE][+-]?\d+)?)\s*([^\d\s].*?)?\s*")


def conversion(unit: str) -> tuple[float, float] | None:
    """(factor, offset) from `unit` to the unit of our metrics; None: an unknown unit. As it is
    spelt first, then whatever its letters: vendors write kpa and KPA."""
    name = unit.strip()
    small = name.lower().replace("⋅", "·")
    exact = units.conversion(name)
    if exact is not None or small in _SPELT:
        return exact or _SPELT[small]
    return units.conversion(_SMALL.get(small, ""))


def allowed() -> str:
    """The units that are known, for messages."""
    return ", ".join(unit for unit in (*units.KNOWN, *_SPELT) if unit)


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
